"""Methods that give the answer as it came, made of those that give results."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from ._base import _BaseClient  # pyright: ignore[reportPrivateUsage]  # of this package

if TYPE_CHECKING:
    from .results import RawResponse

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=_BaseClient)

_ASKED: ContextVar[tuple[object, str] | None] = ContextVar("voyageai_raw_response", default=None)


@contextmanager
def asking(client: _BaseClient, method: str) -> Generator[None]:
    """Within it, a method of the client, or of a copy of it, gives answers as they came.

    The context says so, not an argument or a copy of the client: methods may be replaced by
    wrappers, which know of neither and pass on what they get. Other methods give what they always
    give: a function that splits documents may call them.

    Args:
        client: The client.
        method: Its method that sends, as `Call.method` has it.
    """
    token = _ASKED.set((vars(client)["_transport"], method))
    try:
        yield
    finally:
        _ASKED.reset(token)


def asked(transport: object, method: str) -> bool:
    """Whether what is sent for a method is to be given as it came."""
    return _ASKED.get() == (transport, method)


class Raw(Generic[C]):
    """A client whose methods give answers as they came.

    Attributes:
        client: The client.
    """

    def __init__(self, client: C) -> None:
        self.client = client


def raw(
    method: Callable[Concatenate[C, P], T],
) -> Callable[Concatenate[Raw[C], P], RawResponse[T]]:
    """The method of a blocking client, with the answer as it came."""
    name = method.__name__

    @functools.wraps(method)
    def call(self: Raw[C], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        with asking(self.client, _sending(name)):
            # By its name: whoever replaced it, in the class or in the object, sees the call.
            return cast("RawResponse[T]", getattr(self.client, name)(*args, **kwargs))

    return call


def raw_async(
    method: Callable[Concatenate[C, P], Awaitable[T]],
) -> Callable[Concatenate[Raw[C], P], Awaitable[RawResponse[T]]]:
    """The method of an asynchronous client, with the answer as it came."""
    name = method.__name__

    @functools.wraps(method)
    async def call(self: Raw[C], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        with asking(self.client, _sending(name)):
            found: Any = await getattr(self.client, name)(*args, **kwargs)
            return cast("RawResponse[T]", found)

    return call


def _sending(name: str) -> str:
    """The method that sends: the forms for queries and for documents call the general one."""
    return name.removesuffix("_query").removesuffix("_documents")
