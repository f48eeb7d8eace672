"""Responses as they came, and the methods that return them, made of those that return results."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from attrs import field, frozen

# pyright: reportPrivateUsage=false
# The functions below are methods of the class beside them.

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")

_METHOD: ContextVar[tuple[object, str] | None] = ContextVar("voyageai_raw_response", default=None)


@frozen(kw_only=True)
class RawResponse(Generic[T]):
    """A response as it came.

    Attributes:
        status_code: HTTP status.
        headers: Headers of the response, names in lower case.
        content: The body.
        request_id: The server's id of the request.
        parse: Returns the result that the method would have returned; raises `VoyageError` if the
            response is malformed.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    request_id: str | None
    parse: Callable[[], T] = field(repr=False)


@contextmanager
def returning_raw(transport: object, method: str) -> Generator[None]:
    """Within the block, a method of a client, or of a copy of it, returns answers as they came.

    The context says so, not an argument or a copy of the client: methods may be replaced by
    wrappers, which know of neither and pass on what they get. Other methods return what they always
    return: a function that splits documents may call them.

    Args:
        transport: The client's, which its copies share.
        method: The method that sends, as `Call.method` has it.
    """
    token = _METHOD.set((transport, method))
    try:
        yield
    finally:
        _METHOD.reset(token)


def returns_raw(transport: object, method: str) -> bool:
    """Return whether the answer to what a method sends is to be returned as it came."""
    return _METHOD.get() == (transport, method)


class Raw(Generic[C]):
    """A client or a resource whose methods return answers as they came.

    Args:
        target: The client or the resource.
        transport: The transport of its calls.
    """

    def __init__(self, target: C, transport: object) -> None:
        self._target = target
        self._transport = transport


def raw(
    method: Callable[Concatenate[C, P], T],
) -> Callable[Concatenate[Raw[C], P], RawResponse[T]]:
    """Return a blocking method with the answer as it came."""
    name = method.__name__

    @functools.wraps(method)
    def call(self: Raw[C], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        with returning_raw(self._transport, _sending(name)):
            # By its name: whatever replaced it, in the class or in the object, sees the call.
            return cast("RawResponse[T]", getattr(self._target, name)(*args, **kwargs))

    return call


def raw_async(
    method: Callable[Concatenate[C, P], Awaitable[T]],
) -> Callable[Concatenate[Raw[C], P], Awaitable[RawResponse[T]]]:
    """Return an asynchronous method with the answer as it came."""
    name = method.__name__

    @functools.wraps(method)
    async def call(self: Raw[C], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        with returning_raw(self._transport, _sending(name)):
            found: Any = await getattr(self._target, name)(*args, **kwargs)
            return cast("RawResponse[T]", found)

    return call


def _sending(name: str) -> str:
    """Return the method that sends: forms for queries and documents call the general one."""
    return name.removesuffix("_query").removesuffix("_documents")
