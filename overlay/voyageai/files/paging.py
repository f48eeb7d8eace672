"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from attrs import frozen
from voyageai_rest.errors import ShapeError

from .objects import is_id

if TYPE_CHECKING:
    from voyageai_rest.types import Unset

    from ..calls import Call
    from ..flow import AsyncSender, Sender
    from ..options import CallOptions

T = TypeVar("T")


class Told(Protocol):
    """What an answer says of its page."""

    last_id: str | Unset | None
    has_more: bool | Unset


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        data: What is on it.
        has_more: Whether there are more pages.
        last_id: What `after` is for the next one; None on an empty page.
    """

    data: tuple[T, ...]
    has_more: bool
    last_id: str | None

    @classmethod
    def of(cls, data: list[Any], told: Told, after: str | None) -> Self:
        """The page of an answer.

        Raises:
            ShapeError: There is more, but no way to get there.
        """
        last = told.last_id or (data[-1].id if data else None)
        has_more = bool(told.has_more)
        if has_more and (not is_id(last) or last == after):
            raise ShapeError("there are more pages, but this one does not lead to them", "last_id")
        return cls(data=tuple(data), has_more=has_more, last_id=last or None)


Ask = Callable[[str | None], "Call[Page[T]]"]
"""Makes the call for the page after an id."""


class Pages(Generic[T]):
    """A list: iterate over it for all there is, page by page as it is needed.

    Each iteration begins anew. `page` gives the first page alone.
    """

    def __init__(
        self, sender: Sender, ask: Ask[T], after: str | None, options: CallOptions
    ) -> None:
        self._sender = sender
        self._ask = ask
        self._after = after
        self._options = options
        ask(after)  # refuses wrong arguments now

    def page(self) -> Page[T]:
        """The first page.

        Raises:
            VoyageError: The call failed.
        """
        return self._sender.send(self._ask(self._after), self._options)

    def pages(self) -> Iterator[Page[T]]:
        """Page after page.

        Raises:
            VoyageError: A call failed.
        """
        after, more = self._after, True
        while more:
            page = self._sender.send(self._ask(after), self._options)
            yield page
            after, more = page.last_id, page.has_more

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.data


class AsyncPages(Generic[T]):
    """The same as `Pages`, with `async for` and `await`."""

    def __init__(
        self, sender: AsyncSender, ask: Ask[T], after: str | None, options: CallOptions
    ) -> None:
        self._sender = sender
        self._ask = ask
        self._after = after
        self._options = options
        ask(after)  # refuses wrong arguments now

    async def page(self) -> Page[T]:
        """The first page.

        Raises:
            VoyageError: The call failed.
        """
        return await self._sender.send(self._ask(self._after), self._options)

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Page after page.

        Raises:
            VoyageError: A call failed.
        """
        after, more = self._after, True
        while more:
            page = await self._sender.send(self._ask(after), self._options)
            yield page
            after, more = page.last_id, page.has_more

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.data:
                yield item
