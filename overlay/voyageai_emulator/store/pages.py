"""Lists that are read page by page."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

__all__ = ["NotInList", "Page", "page_of"]

T = TypeVar("T")


class NotInList(LookupError):
    """What a page is to follow is not in the list."""


class Page(NamedTuple, Generic[T]):
    """A part of a list."""

    items: list[T]
    has_more: bool
    """Whether others follow."""


def page_of(items: list[T], limit: int) -> Page[T]:
    """The page of a list that holds one item more than fits, if there is one."""
    return Page(items[:limit], len(items) > limit)
