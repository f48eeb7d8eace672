"""Ids that must not repeat, among any number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..error import ArgumentError
from ..extras import require

__all__ = ["UniqueIds"]

MASK = (1 << 64) - 1


class UniqueIds:
    """Notices an id that is null or was there before, with eight bytes of memory per id.

    It keeps sorted runs of the ids' hashes, and merges two runs once they are of one size. Two
    different ids have one hash once in many billions of rows.

    Args:
        column: Name of the column, for messages.
        adjacent: Whether an id may follow itself, as that of a group does.
    """

    def __init__(self, column: str, *, adjacent: bool = False) -> None:
        self._column, self._adjacent = column, adjacent
        self._runs: list[Any] = []
        self._last: object = UniqueIds  # which no id is
        self._rows = 0

    def add(self, ids: Sequence[Any]) -> None:
        """Add the ids of the next rows.

        Raises:
            ArgumentError: One is null, or was there before; names it and its row.
        """
        np = require("numpy", "tables")
        fresh: list[Any] = []
        for row, value in enumerate(ids, self._rows):
            if value is None:
                raise ArgumentError(
                    f"column {self._column!r} is null in row {row}; each row needs an id",
                    self._column,
                )
            if self._adjacent and value == self._last:
                continue
            fresh.append(value)
            self._last = value
        self._rows += len(ids)
        if not fresh:
            return
        hashes = np.fromiter((hash(value) & MASK for value in fresh), np.uint64, len(fresh))
        run = np.sort(hashes)
        repeated = run[1:][run[1:] == run[:-1]]
        for known in self._runs:
            place = np.minimum(np.searchsorted(known, run), len(known) - 1)
            repeated = np.concatenate([repeated, run[known[place] == run]])
        if len(repeated):
            self._refuse(fresh, hashes, int(repeated[0]))
        while self._runs and len(self._runs[-1]) <= len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)

    def _refuse(self, ids: Sequence[Any], hashes: Any, repeated: int) -> None:
        value = ids[len(ids) - 1 - int((hashes[::-1] == repeated).argmax())]
        if self._adjacent:
            raise ArgumentError(
                f"rows of {self._column} {value!r} are not adjacent; sort the table by it",
                self._column,
            )
        raise ArgumentError(
            f"column {self._column!r} has {value!r} more than once; ids must be unique",
            self._column,
        )
