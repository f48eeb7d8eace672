"""Files, and lists that come in pages, as users see them."""

from __future__ import annotations

import datetime
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, overload

from attrs import field, frozen
from voyageai_rest import models
from voyageai_rest.errors import ShapeError, printable
from voyageai_rest.types import Unset

from .._utils import safe_repr

if TYPE_CHECKING:
    from voyageai_rest.models import FilePurpose

    from ..calls import Call
    from ..flow import AsyncSender, Sender
    from ..options import CallOptions

T = TypeVar("T")

# One segment of a path, whatever gateways make of it. No id comes near the length.
ID = re.compile(r"(?!\.{1,2}$)[!-.0-\[\]-~]{1,512}")


@frozen(kw_only=True, repr=False)
class FileObject:
    """A stored file.

    Attributes:
        id: Its id.
        bytes: Its size in bytes.
        created_at: When it was stored, with a time zone.
        expires_at: When it is removed, with a time zone; None if the server does not say.
        filename: Its name.
        purpose: What it is for: `batch`, `batch-output`, `batch-error`, or what is new since.
        request_id: The server's id of the request that returned it; None for files of a list.

    Example:
        >>> file = vo.files.upload(b'{"custom_id": "a", "body": {"input": "Rain."}}')
        >>> file.purpose, file.bytes, file.expires_at > file.created_at
        ('batch', 46, True)
    """

    id: str
    bytes: int
    created_at: datetime.datetime
    expires_at: datetime.datetime | None
    filename: str
    purpose: FilePurpose | str
    request_id: str | None = field(default=None, eq=False)
    _model: models.FileObject = field(eq=False, alias="model")

    @classmethod
    def of(cls, model: models.FileObject, request_id: str | None = None) -> Self:
        """Make the file that an answer describes."""
        return cls(
            id=model.id,
            bytes=model.bytes,
            created_at=aware(model.created_at),
            expires_at=aware(model.expires_at),
            filename=model.filename,
            purpose=model.purpose,
            request_id=request_id,
            model=model,
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read a file from decoded JSON, as `to_dict` returns it.

        Raises:
            voyageai_rest.errors.ShapeError: It is not a file; a ValueError.
        """
        return cls.of(models.FileObject.from_dict(data))

    def to_dict(self) -> dict[str, Any]:
        """Return the file as JSON has it, with fields that this release does not know."""
        return self._model.to_dict()

    @safe_repr
    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.id!r}, {self.filename!r}, {self.bytes} bytes, "
            f"{printable(self.purpose)})"
        )


class PageFields(Protocol):
    """The fields of an answer that lead to the next page."""

    last_id: str | Unset | None
    has_more: bool | Unset


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        data: The objects on it.
        has_more: Whether there are more pages.
        last_id: `after` of the next page; None on an empty one.
    """

    data: tuple[T, ...]
    has_more: bool
    last_id: str | None

    @classmethod
    def of(cls, data: list[Any], answer: PageFields, after: str | None) -> Self:
        """Make the page of an answer.

        Args:
            data: The objects on it.
            answer: The answer.
            after: The id that was sent for this page.

        Raises:
            ShapeError: There are more pages, but this one does not lead to them.
        """
        last = answer.last_id or (data[-1].id if data else None)
        has_more = bool(answer.has_more)
        if has_more and (not is_id(last) or last == after):
            raise ShapeError("there are more pages, but this one does not lead to them", "last_id")
        return cls(data=tuple(data), has_more=has_more, last_id=last or None)


PageCall = Callable[[str | None], "Call[Page[T]]"]
"""Makes the call for the page after an id."""


class Pages(Generic[T]):
    """A list that is loaded page by page while you iterate over it.

    Each iteration begins anew. `page` loads the first page alone.
    """

    def __init__(
        self, sender: Sender, page_call: PageCall[T], after: str | None, options: CallOptions
    ) -> None:
        self._sender = sender
        self._page_call = page_call
        self._after = after
        self._options = options
        page_call(after)  # refuses wrong arguments now

    def page(self) -> Page[T]:
        """Load the first page.

        Raises:
            VoyageError: The call failed.
        """
        return self._sender.send(self._page_call(self._after), self._options)

    def pages(self) -> Iterator[Page[T]]:
        """Yield page after page.

        Raises:
            VoyageError: A call failed.
        """
        after, more = self._after, True
        while more:
            page = self._sender.send(self._page_call(after), self._options)
            yield page
            after, more = page.last_id, page.has_more

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.data


class AsyncPages(Generic[T]):
    """`Pages` with `async for` and `await`."""

    def __init__(
        self, sender: AsyncSender, page_call: PageCall[T], after: str | None, options: CallOptions
    ) -> None:
        self._sender = sender
        self._page_call = page_call
        self._after = after
        self._options = options
        page_call(after)  # refuses wrong arguments now

    async def page(self) -> Page[T]:
        """Load the first page.

        Raises:
            VoyageError: The call failed.
        """
        return await self._sender.send(self._page_call(self._after), self._options)

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Yield page after page.

        Raises:
            VoyageError: A call failed.
        """
        after, more = self._after, True
        while more:
            page = await self._sender.send(self._page_call(after), self._options)
            yield page
            after, more = page.last_id, page.has_more

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.data:
                yield item


def is_id(id: object) -> bool:
    """Return whether something can be the id of a file or a batch."""
    return isinstance(id, str) and ID.fullmatch(id) is not None


def or_none(value: T | Unset) -> T | None:
    """Return a value, or None where the server left it out."""
    return None if isinstance(value, Unset) else value


@overload
def aware(moment: datetime.datetime) -> datetime.datetime: ...
@overload
def aware(moment: datetime.datetime | Unset | None) -> datetime.datetime | None: ...
def aware(moment: datetime.datetime | Unset | None) -> datetime.datetime | None:
    """Return a time with its zone: UTC, as the API has it, where the server does not say.

    Return None where it left out the time.
    """
    if moment is None or isinstance(moment, Unset):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
