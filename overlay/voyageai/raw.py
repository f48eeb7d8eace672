"""Methods that give the answer as it came, made of those that give results."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar, cast

from ._base import _BaseClient  # pyright: ignore[reportPrivateUsage]  # of this package

if TYPE_CHECKING:
    from .results import RawResponse

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=_BaseClient)


class Raw(Generic[C]):
    """A client whose methods give answers as they came.

    Attributes:
        client: The client; it shares the connections of the one it was made from.
    """

    def __init__(self, client: C) -> None:
        self.client = client.with_options()
        self.client._raw = True  # pyright: ignore[reportPrivateUsage]  # of this package


def raw(
    method: Callable[Concatenate[C, P], T],
) -> Callable[Concatenate[Raw[C], P], RawResponse[T]]:
    """The method of a blocking client, with the answer as it came."""

    @functools.wraps(method)
    def call(self: Raw[C], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        return cast("RawResponse[T]", method(self.client, *args, **kwargs))

    return call


def raw_async(
    method: Callable[Concatenate[C, P], Awaitable[T]],
) -> Callable[Concatenate[Raw[C], P], Awaitable[RawResponse[T]]]:
    """The method of an asynchronous client, with the answer as it came."""

    @functools.wraps(method)
    async def call(self: Raw[C], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        return cast("RawResponse[T]", await method(self.client, *args, **kwargs))

    return call
