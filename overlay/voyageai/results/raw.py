"""Raw responses, and methods that return them, derived from those that return results."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from attrs import field, frozen

# pyright: reportPrivateUsage=false
# The functions below become methods of subclasses of `Raw`.

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")

_METHOD: ContextVar[tuple[object, str] | None] = ContextVar("voyageai_raw_response", default=None)


@frozen(kw_only=True)
class RawResponse(Generic[T]):
    """An HTTP response, not yet parsed.

    Attributes:
        status_code: HTTP status.
        headers: Headers of the response, with names in lower case.
        content: The body.
        request_id: The server's id of the request.
        parse: A function that returns the method's usual result, and raises `VoyageError` if the
            response is malformed.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    request_id: str | None
    parse: Callable[[], T] = field(repr=False)


@contextmanager
def returning_raw(transport: object, method: str) -> Generator[None]:
    """Let a method of a client, or of a copy of it, return raw responses within the block.

    A context variable carries this, not an argument or a copy of the client: methods may be
    replaced by wrappers, which know of neither. Other methods are not affected, as a chunking
    function may call them.

    Args:
        transport: The transport of the client, which copies of it share.
        method: Name of the method, as in `Call.method`.
    """
    token = _METHOD.set((transport, method))
    try:
        yield
    finally:
        _METHOD.reset(token)


def returns_raw(transport: object, method: str) -> bool:
    """Return whether a method is to return the raw response."""
    return _METHOD.get() == (transport, method)


class Raw(Generic[C]):
    """A view of a client or a resource, whose methods return raw responses.

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
    """Derive from a blocking method one that returns the raw response."""
    name = method.__name__

    @functools.wraps(method)
    def call(self: Raw[C], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        with returning_raw(self._transport, _sending_method(name)):
            # Looked up by name, so that a wrapper in the class or in the object sees the call.
            return cast("RawResponse[T]", getattr(self._target, name)(*args, **kwargs))

    return call


def raw_async(
    method: Callable[Concatenate[C, P], Awaitable[T]],
) -> Callable[Concatenate[Raw[C], P], Awaitable[RawResponse[T]]]:
    """Derive from an asynchronous method one that returns the raw response."""
    name = method.__name__

    @functools.wraps(method)
    async def call(self: Raw[C], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        with returning_raw(self._transport, _sending_method(name)):
            found: Any = await getattr(self._target, name)(*args, **kwargs)
            return cast("RawResponse[T]", found)

    return call


def _sending_method(name: str) -> str:
    """Return the name of the method that sends: `embed` for `embed_query` and the like."""
    return name.removesuffix("_query").removesuffix("_documents")
