"""Clients whose methods give the answer as it came."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from .client import Client
from .client_async import AsyncClient

if TYPE_CHECKING:
    from .results import RawResponse

P = ParamSpec("P")
T = TypeVar("T")


def _raw(
    method: Callable[Concatenate[Client, P], T],
) -> Callable[Concatenate[WithRawResponse, P], RawResponse[T]]:
    @functools.wraps(method)
    def call(self: WithRawResponse, /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        return cast("RawResponse[T]", method(self.client, *args, **kwargs))

    return call


def _raw_async(
    method: Callable[Concatenate[AsyncClient, P], Awaitable[T]],
) -> Callable[Concatenate[AsyncWithRawResponse, P], Awaitable[RawResponse[T]]]:
    @functools.wraps(method)
    async def call(
        self: AsyncWithRawResponse, /, *args: P.args, **kwargs: P.kwargs
    ) -> RawResponse[T]:
        return cast("RawResponse[T]", await method(self.client, *args, **kwargs))

    return call


def _with_raw(client: Any) -> Any:
    copied = client.with_options()
    copied._raw = True  # of this package
    return copied


class WithRawResponse:
    """The methods of `Client`, with answers as they came.

    Example:
        >>> answer = vo.with_raw_response.embed(["a"], model="voyage-4")
        >>> answer.status_code, len(answer.parse())
        (200, 1)
    """

    def __init__(self, client: Client) -> None:
        self.client: Client = _with_raw(client)

    embed = _raw(Client.embed)
    embed_query = _raw(Client.embed_query)
    embed_documents = _raw(Client.embed_documents)
    contextualized_embed = _raw(Client.contextualized_embed)
    multimodal_embed = _raw(Client.multimodal_embed)
    rerank = _raw(Client.rerank)


class AsyncWithRawResponse:
    """The methods of `AsyncClient`, with answers as they came."""

    def __init__(self, client: AsyncClient) -> None:
        self.client: AsyncClient = _with_raw(client)

    embed = _raw_async(AsyncClient.embed)
    embed_query = _raw_async(AsyncClient.embed_query)
    embed_documents = _raw_async(AsyncClient.embed_documents)
    contextualized_embed = _raw_async(AsyncClient.contextualized_embed)
    multimodal_embed = _raw_async(AsyncClient.multimodal_embed)
    rerank = _raw_async(AsyncClient.rerank)
