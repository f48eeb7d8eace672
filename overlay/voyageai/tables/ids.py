"""Checks that ids are unique among any number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..error import ArgumentError
from ..extras import require

if TYPE_CHECKING:
    from .sources import Columns

__all__ = ["RowCheck", "UniqueIds"]

MASK = (1 << 64) - 1


class UniqueIds:
    """Detects null and repeated ids, with eight bytes of memory per id.

    It keeps sorted runs of hashes, and merges two runs once they have the same size. Two different
    ids share a hash about once in many billions of rows.

    Args:
        column: Name of the column, for errors.
        adjacent: True if an id may repeat in adjacent rows, as the id of a group does.
    """

    def __init__(self, column: str, *, adjacent: bool = False) -> None:
        self.column, self._adjacent = column, adjacent
        self._runs: list[Any] = []
        self._last: object = UniqueIds  # equal to no id
        self._rows = 0

    def add(self, ids: Sequence[Any]) -> None:
        """Add the ids of the next rows.

        Raises:
            ArgumentError: An id is null or repeated; the message names it and its row.
        """
        np = require("numpy", "tables")
        if None in ids:
            row = self._rows + ids.index(None)
            raise ArgumentError(
                f"column {self.column!r} is null in row {row}; it must be given for each row",
                self.column,
            )
        fresh = ids
        if self._adjacent:
            fresh = [value for before, value in pairwise([self._last, *ids]) if value != before]
        self._last = ids[-1] if ids else self._last
        self._rows += len(ids)
        if not fresh:
            return
        hashes = np.fromiter(map(_hash, fresh), np.uint64, len(fresh))
        run = np.sort(hashes)
        repeated = run[1:][run[1:] == run[:-1]]
        for earlier in self._runs:
            place = np.minimum(np.searchsorted(earlier, run), len(earlier) - 1)
            repeated = np.concatenate([repeated, run[earlier[place] == run]])
        if len(repeated):
            self._raise(fresh, hashes, int(repeated[0]))
        while self._runs and len(self._runs[-1]) <= len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)

    def end_input(self) -> None:
        """End an input: the last id may not continue in the next one."""
        self._last = UniqueIds

    def _raise(self, ids: Sequence[Any], hashes: Any, repeated: int) -> None:
        value = ids[len(ids) - 1 - int((hashes[::-1] == repeated).argmax())]
        if self._adjacent:
            raise ArgumentError(
                f"rows of {self.column} {value!r} are not adjacent, or not in one file; sort the "
                "table by it",
                self.column,
            )
        raise ArgumentError(
            f"column {self.column!r} has {value!r} more than once; ids must be unique",
            self.column,
        )


class RowCheck:
    """Checks the ids and groups of all rows of a table.

    Args:
        columns: The columns of the job.
    """

    def __init__(self, columns: Columns) -> None:
        self._seen = [] if columns.id is None else [UniqueIds(columns.id)]
        if columns.group is not None:
            self._seen.append(UniqueIds(columns.group, adjacent=True))

    def add(self, batch: Any) -> None:
        """Check the next rows.

        Raises:
            ArgumentError: An id is null or repeated, or a group is null or not adjacent.
        """
        for ids in self._seen:
            ids.add(batch.column(ids.column).to_pylist())

    def end_input(self) -> None:
        """End an input, and with it all groups."""
        for ids in self._seen:
            ids.end_input()


def _hash(value: object) -> int:
    if isinstance(value, int):
        return value & MASK
    # Python hashes -1 and -2 alike, so other numbers are hashed by their repr.
    return hash(value if isinstance(value, (str, bytes)) else repr(value)) & MASK
