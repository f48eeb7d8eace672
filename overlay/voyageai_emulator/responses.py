"""JSON responses, and the exception for refused requests."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from voyageai_rest.models import Error

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NOTICE", "ApiError", "encode", "json_response"]

NOTICE = "emulator, not the Voyage AI models"
"""Value of the header ``x-emulator``, which every response has."""


def encode(body: object) -> bytes:
    """Encode a body as JSON without spaces."""
    try:
        # The standard library needs a quarter of a second for a thousand vectors as lists.
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        # A lone surrogate, which JSON can escape but UTF-8 cannot encode.
        return json.dumps(body, separators=(",", ":")).encode()


def json_response(
    body: object, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response with a JSON body."""
    return Response(encode(body), status, headers, media_type="application/json")


class ApiError(Exception):
    """Raised when a request is refused, and sent as a JSON response.

    Attributes:
        status: HTTP status.
        detail: Human-readable reason, the `detail` of the body.
        code: Machine-readable reason, if the API is known to send one.
        headers: Additional headers of the response.
    """

    def __init__(
        self,
        detail: str,
        status: int = HTTPStatus.BAD_REQUEST,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, status, code, headers)
        self.detail = detail
        self.status = int(status)
        self.code = code
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the body as a JSON object."""
        more = {} if self.code is None else {"error_code": self.code}
        return {**Error(detail=self.detail).to_dict(), **more}

    def as_response(self) -> Response:
        """Return the response."""
        response = json_response(self.body(), self.status)
        response.headers.update(self.headers)
        return response
