"""The endpoints as classes, whose requests have the body that the caller passes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, ClassVar, Self

from voyageai_rest.errors import ShapeError
from voyageai_rest.operations import OPERATIONS

from .._utils import with_hidden_passwords
from ..error import MalformedResponseError
from ..keys import conceal
from ..vectors import Vectors
from .api_requestor import APIRequestor
from .response import VoyageHttpResponse, VoyageResponse

PATHS = {operation.id: operation.path for operation in OPERATIONS}
ENCODING, PACKED = "encoding_format", "base64"


class APIResource(VoyageResponse):
    """An endpoint. `create` posts its arguments and returns the response unchanged."""

    OPERATION: ClassVar[str]

    @classmethod
    def class_url(cls) -> str:
        """Return the path of the endpoint below the base URL."""
        return PATHS[cls.OPERATION]

    @classmethod
    def create(
        cls,
        api_key: str | None = None,
        request_id: str | None = None,
        request_timeout: float | None = None,
        **params: Any,
    ) -> Self:
        """Send a request.

        Args:
            api_key: The API key; by default found as for `Client`.
            request_id: Value of the header X-Request-Id.
            request_timeout: Seconds for each attempt.
            **params: Fields of the body, and `base_url` and `headers`.

        Raises:
            VoyageError: The call failed.
        """
        api_key = conceal(api_key)
        url, headers = _split(params)
        answer = APIRequestor(api_key, url).request(
            "post",
            cls.class_url(),
            params=cls._body(params),
            headers=headers,
            request_id=request_id,
            request_timeout=request_timeout,
        )
        return cls._result(answer, params)

    @classmethod
    async def acreate(
        cls,
        api_key: str | None = None,
        api_base: str | None = None,
        request_id: str | None = None,
        request_timeout: float | None = None,
        **params: Any,
    ) -> Self:
        """Send a request without blocking, as `create` does; `base_url` defaults to `api_base`."""
        api_key, api_base = conceal(api_key), with_hidden_passwords(api_base)
        url, headers = _split(params)
        answer = await APIRequestor(api_key, url or api_base).arequest(
            "post",
            cls.class_url(),
            params=cls._body(params),
            headers=headers,
            request_id=request_id,
            request_timeout=request_timeout,
        )
        return cls._result(answer, params)

    @classmethod
    def _result(cls, answer: VoyageHttpResponse, params: Mapping[str, Any]) -> Self:
        """Return the response as an object of this class.

        Raises:
            MalformedResponseError: The response is malformed.
        """
        try:
            return cls._parsed(answer.data, params)
        except ShapeError as failure:
            raise MalformedResponseError(
                f"The server sent a malformed answer: {failure}",
                http_body=json.dumps(answer.data),
                http_status=200,
                json_body=answer.data,
                headers=dict(answer._headers),  # pyright: ignore[reportPrivateUsage]  # private, but of this package
            ) from failure

    @classmethod
    def _body(cls, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return params

    @classmethod
    def _parsed(cls, body: Any, params: Mapping[str, Any]) -> Self:  # noqa: ARG003  # used by subclasses
        if not isinstance(body, dict):
            raise ShapeError("expected an object")
        return cls.construct_from(body)


class Embedding(APIResource):
    """Embeddings of texts, as lists of numbers unless `encoding_format` is given."""

    OPERATION = "createEmbeddings"

    @classmethod
    def _body(cls, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return params if params.get(ENCODING) else {**params, ENCODING: PACKED}

    @classmethod
    def _parsed(cls, body: Any, params: Mapping[str, Any]) -> Self:
        answer = super()._parsed(body, params)
        if params.get(ENCODING):
            return answer
        dtype = params.get("output_dtype")
        try:
            for entry in cls._entries(answer):
                if isinstance(entry.embedding, str):
                    entry.embedding = Vectors.decode([entry.embedding], dtype).tolist()[0]
        except (AttributeError, TypeError) as error:
            raise ShapeError(f"these are not embeddings ({error})", "data") from None
        return answer

    @classmethod
    def _entries(cls, answer: VoyageResponse) -> Iterator[Any]:
        return iter(answer.data)


class ContextualizedEmbedding(Embedding):
    """Embeddings of chunks in the context of their documents."""

    OPERATION = "createContextualizedEmbeddings"

    @classmethod
    def _entries(cls, answer: VoyageResponse) -> Iterator[Any]:
        return chain.from_iterable(document.data for document in answer.data)


class MultimodalEmbedding(Embedding):
    """Embeddings of texts, images and videos."""

    OPERATION = "createMultimodalEmbeddings"


class Reranking(APIResource):
    """Documents by relevance."""

    OPERATION = "rerank"


def _split(params: dict[str, Any]) -> tuple[str | None, Any]:
    """Remove the base URL and the headers from the fields, and return both."""
    headers = params.pop("headers", None)
    url = params.pop("base_url", None) or params.pop("api_base", None)
    return with_hidden_passwords(url), headers
