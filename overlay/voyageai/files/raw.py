"""Methods of resources that give the answer as it came."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from ..raw import asking
from .resource import Files
from .resource_async import AsyncFiles

if TYPE_CHECKING:
    from ..client import Client
    from ..client_async import AsyncClient
    from ..results import RawResponse

# pyright: reportPrivateUsage=false
# The functions below are methods of the class beside them.

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


class RawResource(Generic[R]):
    """A resource whose methods give answers as they came.

    Args:
        resource: The resource.
        client: Its client.
    """

    def __init__(self, resource: R, client: Client | AsyncClient) -> None:
        self._resource = resource
        self._client = client


def raw(
    method: Callable[Concatenate[R, P], T], name: str
) -> Callable[Concatenate[RawResource[R], P], RawResponse[T]]:
    """The method of a blocking resource, with the answer as it came."""

    @functools.wraps(method)
    def call(self: RawResource[R], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        with asking(self._client, name):
            return cast("RawResponse[T]", getattr(self._resource, name)(*args, **kwargs))

    return call


def raw_async(
    method: Callable[Concatenate[R, P], Awaitable[T]], name: str
) -> Callable[Concatenate[RawResource[R], P], Awaitable[RawResponse[T]]]:
    """The method of an asynchronous resource, with the answer as it came."""

    @functools.wraps(method)
    async def call(self: RawResource[R], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        with asking(self._client, name):
            found: Any = await getattr(self._resource, name)(*args, **kwargs)
            return cast("RawResponse[T]", found)

    return call


class RawFiles(RawResource[Files]):
    """The methods of `Files` that make one call, with answers as they came.

    Example:
        >>> lines = [{"custom_id": "a", "body": {"input": "Rain."}}]
        >>> answer = vo.files.with_raw_response.upload(lines)
        >>> answer.status_code, answer.parse().bytes
        (200, 47)
    """

    def __init__(self, client: Client) -> None:
        super().__init__(Files(client), client)

    upload = raw(Files.upload, "upload")
    retrieve = raw(Files.retrieve, "retrieve")
    delete = raw(Files.delete, "delete")
    delete_many = raw(Files.delete_many, "delete_many")


class AsyncRawFiles(RawResource[AsyncFiles]):
    """The methods of `AsyncFiles` that make one call, with answers as they came."""

    def __init__(self, client: AsyncClient) -> None:
        super().__init__(AsyncFiles(client), client)

    upload = raw_async(AsyncFiles.upload, "upload")
    retrieve = raw_async(AsyncFiles.retrieve, "retrieve")
    delete = raw_async(AsyncFiles.delete, "delete")
    delete_many = raw_async(AsyncFiles.delete_many, "delete_many")
