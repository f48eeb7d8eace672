"""Lists of a result's vectors that notify the result of changes.

A result keeps its vectors in one buffer and makes lists of them on demand. Until a list is changed,
the buffer is authoritative and the lists need not be kept.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from weakref import ref

    from ..vectors import Vectors

__all__ = ["Owner", "Row", "Rows", "rows_of"]

P = ParamSpec("P")
T = TypeVar("T")


class Owner(Protocol):
    """The interface of a result that its lists use."""

    def _rows_changed(self, rows: Rows, /) -> None: ...

    def _row_changed(self, row: Row, /) -> None: ...


def _notifying(change: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], T]:
    """Return a method of `list` that notifies the owner afterwards."""

    @functools.wraps(change)
    def changed(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return change(self, *args, **kwargs)
        finally:
            self._notify()

    return changed


class _ObservedList(list[T]):
    """A list that notifies its owner of changes. Copies and pickles of it are plain lists."""

    __slots__ = ("__weakref__", "_owner")

    def __init__(self, values: Iterable[T], owner: ref[Owner]) -> None:
        super().__init__(values)
        self._owner = owner

    def _notify(self) -> None:
        raise NotImplementedError

    def __reduce_ex__(self, protocol: object, /) -> tuple[type[list[T]], tuple[list[T]]]:
        return list, (list(self),)

    if not TYPE_CHECKING:
        __setitem__ = _notifying(list.__setitem__)
        __delitem__ = _notifying(list.__delitem__)
        __iadd__ = _notifying(list.__iadd__)
        __imul__ = _notifying(list.__imul__)
        append = _notifying(list.append)
        extend = _notifying(list.extend)
        insert = _notifying(list.insert)
        pop = _notifying(list.pop)
        remove = _notifying(list.remove)
        clear = _notifying(list.clear)
        reverse = _notifying(list.reverse)
        sort = _notifying(list.sort)


class Row(_ObservedList[float]):
    """A vector.

    Attributes:
        place: Index of the vector in the result.
    """

    __slots__ = ("place",)

    def __init__(self, values: Iterable[float], owner: ref[Owner], place: int) -> None:
        super().__init__(values, owner)
        self.place = place

    def _notify(self) -> None:
        owner = self._owner()
        if owner is not None:
            owner._row_changed(self)  # pyright: ignore[reportPrivateUsage]


class Rows(_ObservedList["list[float]"]):
    """All vectors of a result."""

    __slots__ = ()

    def put(self, row: Row) -> None:
        """Set a row at its index without notifying the owner."""
        list[Any].__setitem__(self, row.place, row)

    def _notify(self) -> None:
        owner = self._owner()
        if owner is not None:
            owner._rows_changed(self)  # pyright: ignore[reportPrivateUsage]


def rows_of(vectors: Vectors, owner: ref[Owner]) -> Rows:
    """Return the vectors of a result as lists of Python numbers."""
    numbers, columns = vectors.numbers(), vectors.columns
    rows = [
        Row(numbers[place * columns : (place + 1) * columns], owner, place)
        for place in range(len(vectors))
    ]
    return Rows(rows, owner)
