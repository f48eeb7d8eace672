"""Division of inputs into slices, without those that are already finished."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..error import ArgumentError
from .ids import RowCheck
from .sources import row_bytes

if TYPE_CHECKING:
    from .slices import PartInfo
    from .sources import Columns, Source

__all__ = ["Piece", "cut"]

SLICE = 50_000
"""Rows of a slice. A crash costs at most a few requests of it, and its part is read efficiently."""


class Piece(NamedTuple):
    """Rows of a slice, or its end.

    Attributes:
        slice: Number of the slice.
        input: Number of the input.
        first: Number of the slice's first row in the input.
        batch: A record batch of the job's columns; None at the end of the slice.
        last: True if the input ends with the slice; set at the end of the slice.
        digest: Digest of the slice, at its end, if the source can't be read again.
    """

    slice: int
    input: int
    first: int
    batch: Any
    last: bool = False
    digest: str = ""


def cut(
    source: Source,
    inputs: int,
    columns: Columns,
    parts: Mapping[int, PartInfo],
    rows: int = SLICE,
) -> Iterator[Piece]:
    """Read a source slice by slice.

    Args:
        source: The source of the rows.
        inputs: Number of inputs of the source.
        columns: The columns to read.
        parts: The finished slices, by number. They are skipped; if the source can't be read again,
            they are read and compared.
        rows: Rows of a slice. With groups, a slice ends with the group that reaches this number.

    Raises:
        ArgumentError: Rows that are read again are not the same.
    """
    number = 0
    for index in range(inputs):
        first = 0
        while True:
            if source.can_repeat:
                number, first, ended = _pass_over(parts, number, index, first)
                if ended:
                    break
            number, first, ended = yield from _read(
                source, index, columns, parts, number, first, rows
            )
            if ended:
                break


def _pass_over(
    parts: Mapping[int, PartInfo], number: int, index: int, first: int
) -> tuple[int, int, bool]:
    while (part := parts.get(number)) is not None and part.input == index:
        number, first = number + 1, first + part.rows
        if part.last:
            return number, first, True
    return number, first, False


def _read(
    source: Source,
    index: int,
    columns: Columns,
    parts: Mapping[int, PartInfo],
    number: int,
    first: int,
    rows: int,
) -> Generator[Piece, None, tuple[int, int, bool]]:
    """Read an input up to the next finished slice or its end."""
    rows_read, digest = 0, hashlib.sha256()
    last_group: Any = None  # group of the last row
    repeats, check = source.can_repeat, RowCheck(columns)  # sources that repeat were checked before
    for whole in source.read(index, columns, first if repeats else 0):
        batch = whole
        while batch is not None and batch.num_rows:
            room, last_group = _room(batch, columns, rows - rows_read, last_group)
            piece, batch = batch.slice(0, room), batch.slice(room)
            if piece.num_rows:
                if not repeats:
                    check.add(piece)
                    digest.update(row_bytes(piece))
                rows_read += piece.num_rows
                if number not in parts:
                    yield Piece(number, index, first, piece)
            if batch.num_rows:  # the slice is full, and the input goes on
                yield from _end(parts, Piece(number, index, first, None), rows_read, digest)
                number, first, rows_read = number + 1, first + rows_read, 0
                digest = hashlib.sha256()
                if repeats and number in parts:
                    return number, first, False
    if rows_read:
        yield from _end(parts, Piece(number, index, first, None, last=True), rows_read, digest)
        number += 1
    return number, first + rows_read, True


def _end(parts: Mapping[int, PartInfo], end: Piece, rows: int, digest: Any) -> Iterator[Piece]:
    rows_digest = digest.hexdigest()
    part = parts.get(end.slice)
    if part is None:
        yield end._replace(digest=rows_digest)
    elif (part.rows, part.digest) != (rows, rows_digest):
        raise ArgumentError(
            f"source: rows {end.first:,} to {end.first + rows:,} differ from those that this job "
            "has read before; pass the same rows in the same order, or another `into`",
            "source",
        )


def _room(batch: Any, columns: Columns, room: int, last_group: Any) -> tuple[int, Any]:
    """Return how many rows of a batch belong to the slice, and the group of the last of them."""
    if columns.group is None:
        return min(max(room, 0), batch.num_rows), None
    groups = batch.column(columns.group).to_pylist()
    for row, group in enumerate(groups):
        if row >= room and group != last_group:
            return row, last_group
        last_group = group
    return len(groups), last_group
