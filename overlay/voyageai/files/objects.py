"""Public objects: files, and lists that are loaded page by page."""

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

# One segment of a path, even to gateways that decode it. Ids are far shorter than the limit.
ID = re.compile(r"(?!\.{1,2}$)[!-.0-\[\]-~]{1,512}")


@frozen(kw_only=True, repr=False)
class FileObject:
    """A stored file.

    Attributes:
        id: Id of the file.
        bytes: Size in bytes.
        created_at: Time at which it was stored, with a time zone.
        expires_at: Time at which it is removed, with a time zone; None if unknown.
        filename: Name of the file.
        purpose: Purpose of the file: `batch`, `batch-output`, `batch-error`, or a newer one.
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
        """Return the file that a response describes."""
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
            voyageai_rest.errors.ShapeError: `data` does not describe a file; a ValueError.
        """
        return cls.of(models.FileObject.from_dict(data))

    def to_dict(self) -> dict[str, Any]:
        """Return the file as JSON values, with fields that this release does not know."""
        return self._model.to_dict()

    @safe_repr
    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.id!r}, {self.filename!r}, {self.bytes} bytes, "
            f"{printable(self.purpose)})"
        )


class PageFields(Protocol):
    """The fields of a response that lead to the next page."""

    last_id: str | Unset | None
    has_more: bool | Unset


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        data: The objects on the page.
        has_more: True if there are more pages.
        last_id: Value of `after` for the next page; None for an empty page.
    """

    data: tuple[T, ...]
    has_more: bool
    last_id: str | None

    @classmethod
    def of(cls, data: list[Any], answer: PageFields, after: str | None) -> Self:
        """Return the page that a response describes.

        Args:
            data: The objects on the page.
            answer: The response.
            after: The id that was sent for this page.

        Raises:
            ShapeError: There are more pages, but `last_id` does not lead to them.
        """
        last = answer.last_id or (data[-1].id if data else None)
        has_more = bool(answer.has_more)
        if has_more and (not is_id(last) or last == after):
            raise ShapeError("there are more pages, but this one does not lead to them", "last_id")
        return cls(data=tuple(data), has_more=has_more, last_id=last or None)


PageCall = Callable[[str | None], "Call[Page[T]]"]
"""A function that returns the call for the page after an id."""


class Pages(Generic[T]):
    """An iterable over a list that is loaded page by page.

    Each iteration begins anew. `page` loads only the first page.
    """

    def __init__(
        self, sender: Sender, page_call: PageCall[T], after: str | None, options: CallOptions
    ) -> None:
        self._sender = sender
        self._page_call = page_call
        self._after = after
        self._options = options
        page_call(after)  # raises now if an argument is wrong

    def page(self) -> Page[T]:
        """Load the first page.

        Raises:
            VoyageError: The call failed.
        """
        return self._sender.send(self._page_call(self._after), self._options)

    def pages(self) -> Iterator[Page[T]]:
        """Yield the pages, each loaded when it is needed.

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
        page_call(after)  # raises now if an argument is wrong

    async def page(self) -> Page[T]:
        """Load the first page.

        Raises:
            VoyageError: The call failed.
        """
        return await self._sender.send(self._page_call(self._after), self._options)

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Yield the pages, each loaded when it is needed.

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
    """Return whether a value can be the id of a file or a batch."""
    return isinstance(id, str) and ID.fullmatch(id) is not None


def or_none(value: T | Unset) -> T | None:
    """Return an optional value of a response, or None if it is left out."""
    return None if isinstance(value, Unset) else value


@overload
def aware(moment: datetime.datetime) -> datetime.datetime: ...
@overload
def aware(moment: datetime.datetime | Unset | None) -> datetime.datetime | None: ...
def aware(moment: datetime.datetime | Unset | None) -> datetime.datetime | None:
    """Return a time with a time zone, UTC by default as in the API; None if it is left out."""
    if moment is None or isinstance(moment, Unset):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
