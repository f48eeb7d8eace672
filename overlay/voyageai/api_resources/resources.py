"""The endpoints as classes, with bodies as the caller writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any, ClassVar, Self, TypeVar

from attrs import evolve
from voyageai_rest.errors import ShapeError, status_error
from voyageai_rest.operations import OPERATIONS
from voyageai_rest.types import RawResponse, Request, parse_json

from ..calls import Call
from ..client import Client
from ..client_async import AsyncClient
from ..vectors import Vectors
from .response import VoyageResponse

T = TypeVar("T")
PATHS = {operation.id: operation.path for operation in OPERATIONS}
ENCODING, PACKED = "encoding_format", "base64"


class APIResource(VoyageResponse):
    """An endpoint. `create` posts what it is given and returns the answer as it comes."""

    OPERATION: ClassVar[str]

    @classmethod
    def class_url(cls) -> str:
        """Path below the base URL."""
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
            api_key: The key; found as by `Client` without one.
            request_id: Sent in the header X-Request-Id.
            request_timeout: Seconds for the whole call.
            **params: The body, but for `base_url` and `headers`.

        Raises:
            VoyageError: The call failed.
        """
        url, headers = _split(params, request_id)
        with Client(api_key, timeout=request_timeout, base_url=url) as client:
            return client._send(cls._call(params), {"extra_headers": headers})  # pyright: ignore[reportPrivateUsage]  # of this package

    @classmethod
    async def acreate(
        cls,
        api_key: str | None = None,
        api_base: str | None = None,
        request_id: str | None = None,
        request_timeout: float | None = None,
        **params: Any,
    ) -> Self:
        """The same as `create`, without blocking. `api_base` is the base URL, if none is given."""
        url, headers = _split(params, request_id)
        async with AsyncClient(
            api_key, timeout=request_timeout, base_url=url or api_base
        ) as client:
            return await client._send(cls._call(params), {"extra_headers": headers})  # pyright: ignore[reportPrivateUsage]  # of this package

    @classmethod
    def _call(cls, params: dict[str, Any]) -> Call[Self]:
        request = Request(operation=cls.OPERATION, method="POST", path=cls.class_url(), json=params)
        return Call(request, partial(_read, make=cls._made), str(params.get("model") or ""))

    @classmethod
    def _made(cls, body: Any) -> Self:
        if not isinstance(body, dict):
            raise ShapeError("expected an object")
        return cls.construct_from(body)


class Embedding(APIResource):
    """Embeddings of texts: lists of numbers, unless `encoding_format` is given."""

    OPERATION = "createEmbeddings"

    @classmethod
    def _call(cls, params: dict[str, Any]) -> Call[Self]:
        if params.get(ENCODING):
            return super()._call(params)
        asked = super()._call({**params, ENCODING: PACKED})
        return evolve(asked, read=partial(cls._unpacked, asked.read, params.get("output_dtype")))

    @classmethod
    def _unpacked(
        cls, read: Callable[[RawResponse], Self], dtype: str | None, response: RawResponse
    ) -> Self:
        answer = read(response)
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
    """Embeddings of texts, pictures and videos."""

    OPERATION = "createMultimodalEmbeddings"


class Reranking(APIResource):
    """Documents by relevance."""

    OPERATION = "rerank"


def _split(params: dict[str, Any], request_id: str | None) -> tuple[str | None, dict[str, str]]:
    """The base URL and the headers, taken out of what is given for the body."""
    headers = dict(params.pop("headers", None) or {})
    if request_id is not None:
        headers["X-Request-Id"] = request_id
    return params.pop("base_url", None) or params.pop("api_base", None), headers


def _read(response: RawResponse, make: Callable[[Any], T]) -> T:
    if response.status_code != 200:
        raise status_error(response)
    return parse_json(response, make)
