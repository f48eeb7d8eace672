"""Errors of reading a response: those of `voyageai_rest`."""

from voyageai_rest.errors import BODY_LIMIT as BODY_LIMIT
from voyageai_rest.errors import REQUEST_ID as REQUEST_ID
from voyageai_rest.errors import MalformedResponse as MalformedResponse
from voyageai_rest.errors import ResponseError as ResponseError
from voyageai_rest.errors import ShapeError as ShapeError
from voyageai_rest.errors import StatusError as StatusError
from voyageai_rest.errors import printable as printable
