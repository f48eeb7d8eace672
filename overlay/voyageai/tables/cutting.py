"""Cutting inputs into slices, with those left out that are finished."""

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
"""Rows of a slice: what a crash can cost is a few requests of it, and its part reads well."""


class Piece(NamedTuple):
    """Rows of a slice.

    Attributes:
        slice: Number of the slice.
        input: Number of its input.
        first: Number of the slice's first row in the input.
        batch: A record batch of the source's columns; None at the end of the slice.
        last: Whether the input ends with the slice, where it ends.
        digest: Digest of the slice, where it ends and the source can't be read again.
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
    """Read a source, slice by slice.

    Args:
        source: Where rows come from.
        inputs: How many inputs it has.
        columns: What is read.
        parts: The slices that are finished, by number. They are passed over; of a source that
            can't be read again they are read and compared.
        rows: Rows of a slice. One of groups ends with the group that reaches this number.

    Raises:
        ArgumentError: What is read again is not what it was.
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
    """Read an input up to a slice that is finished, or its end."""
    begun, digest = 0, hashlib.sha256()
    held: Any = None  # of the last row's group
    repeats, check = source.can_repeat, RowCheck(columns)  # of others it has been checked
    for whole in source.read(index, columns, first if repeats else 0):
        batch = whole
        while batch is not None and batch.num_rows:
            room, held = _room(batch, columns, rows - begun, held)
            piece, batch = batch.slice(0, room), batch.slice(room)
            if piece.num_rows:
                if not repeats:
                    check.add(piece)
                    digest.update(row_bytes(piece))
                begun += piece.num_rows
                if number not in parts:
                    yield Piece(number, index, first, piece)
            if batch.num_rows:  # the slice is full, and there is more
                yield from _end(parts, Piece(number, index, first, None), begun, digest)
                number, first, begun = number + 1, first + begun, 0
                digest = hashlib.sha256()
                if repeats and number in parts:
                    return number, first, False
    if begun:
        yield from _end(parts, Piece(number, index, first, None, last=True), begun, digest)
        number += 1
    return number, first + begun, True


def _end(parts: Mapping[int, PartInfo], end: Piece, rows: int, digest: Any) -> Iterator[Piece]:
    found = digest.hexdigest()
    part = parts.get(end.slice)
    if part is None:
        yield end._replace(digest=found)
    elif (part.rows, part.digest) != (rows, found):
        raise ArgumentError(
            f"source: rows {end.first:,} to {end.first + rows:,} are not those that this job read "
            "before; give the same rows in the same order, or another `into`",
            "source",
        )


def _room(batch: Any, columns: Columns, room: int, held: Any) -> tuple[int, Any]:
    """Return the number of rows of a batch in the slice, and the group of the last row seen."""
    if columns.group is None:
        return min(max(room, 0), batch.num_rows), None
    groups = batch.column(columns.group).to_pylist()
    for row, group in enumerate(groups):
        if row >= room and group != held:
            return row, held
        held = group
    return len(groups), held
