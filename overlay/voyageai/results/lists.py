"""Lists of a result's vectors that tell the result when they are changed.

A result keeps its vectors in one buffer, and makes lists of them when they are asked for. As long
as nobody changes them the buffer stays what counts, and the lists need not be kept.
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
    """A result, as its lists know it."""

    def _rows_changed(self, rows: Rows, /) -> None: ...

    def _row_changed(self, row: Row, /) -> None: ...


def _telling(change: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], T]:
    """Return a method of `list` that tells the owner afterwards."""

    @functools.wraps(change)
    def changed(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return change(self, *args, **kwargs)
        finally:
            self._tell()

    return changed


class _Watched(list[T]):
    """A list that tells when it is changed. Copies and pickles of it are plain lists."""

    __slots__ = ("__weakref__", "_owner")

    def __init__(self, values: Iterable[T], owner: ref[Owner]) -> None:
        super().__init__(values)
        self._owner = owner

    def _tell(self) -> None:
        raise NotImplementedError

    def __reduce_ex__(self, protocol: object, /) -> tuple[type[list[T]], tuple[list[T]]]:
        return list, (list(self),)

    if not TYPE_CHECKING:
        __setitem__ = _telling(list.__setitem__)
        __delitem__ = _telling(list.__delitem__)
        __iadd__ = _telling(list.__iadd__)
        __imul__ = _telling(list.__imul__)
        append = _telling(list.append)
        extend = _telling(list.extend)
        insert = _telling(list.insert)
        pop = _telling(list.pop)
        remove = _telling(list.remove)
        clear = _telling(list.clear)
        reverse = _telling(list.reverse)
        sort = _telling(list.sort)


class Row(_Watched[float]):
    """A vector.

    Attributes:
        place: Its place among the vectors of the result.
    """

    __slots__ = ("place",)

    def __init__(self, values: Iterable[float], owner: ref[Owner], place: int) -> None:
        super().__init__(values, owner)
        self.place = place

    def _tell(self) -> None:
        owner = self._owner()
        if owner is not None:
            owner._row_changed(self)  # pyright: ignore[reportPrivateUsage]


class Rows(_Watched["list[float]"]):
    """All vectors of a result."""

    __slots__ = ()

    def put(self, row: Row) -> None:
        """Put a row in its place, without telling the owner."""
        list[Any].__setitem__(self, row.place, row)

    def _tell(self) -> None:
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
