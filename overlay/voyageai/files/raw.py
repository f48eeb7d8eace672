"""Methods of resources that give the answer as it came."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar, cast

from ..raw import Raw
from .resource import Files
from .resource_async import AsyncFiles

if TYPE_CHECKING:
    from ..client import Client
    from ..client_async import AsyncClient
    from ..results import RawResponse

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


class RawResource(Generic[R]):
    """A resource whose methods give answers as they came.

    Args:
        resource: The resource of such a client.
    """

    def __init__(self, resource: R) -> None:
        self._resource = resource


def raw(
    method: Callable[Concatenate[R, P], T],
) -> Callable[Concatenate[RawResource[R], P], RawResponse[T]]:
    """The method of a blocking resource, with the answer as it came."""

    @functools.wraps(method)
    def call(self: RawResource[R], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        return cast("RawResponse[T]", method(self._resource, *args, **kwargs))  # pyright: ignore[reportPrivateUsage]  # of this module

    return call


def raw_async(
    method: Callable[Concatenate[R, P], Awaitable[T]],
) -> Callable[Concatenate[RawResource[R], P], Awaitable[RawResponse[T]]]:
    """The method of an asynchronous resource, with the answer as it came."""

    @functools.wraps(method)
    async def call(self: RawResource[R], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        return cast("RawResponse[T]", await method(self._resource, *args, **kwargs))  # pyright: ignore[reportPrivateUsage]  # of this module

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
        super().__init__(Files(Raw(client).client))

    upload = raw(Files.upload)
    retrieve = raw(Files.retrieve)
    delete = raw(Files.delete)
    delete_many = raw(Files.delete_many)


class AsyncRawFiles(RawResource[AsyncFiles]):
    """The methods of `AsyncFiles` that make one call, with answers as they came."""

    def __init__(self, client: AsyncClient) -> None:
        super().__init__(AsyncFiles(Raw(client).client))

    upload = raw_async(AsyncFiles.upload)
    retrieve = raw_async(AsyncFiles.retrieve)
    delete = raw_async(AsyncFiles.delete)
    delete_many = raw_async(AsyncFiles.delete_many)
