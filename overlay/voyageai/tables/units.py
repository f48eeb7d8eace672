"""Conversion of rows into units that are sent together; rows that can't be sent fail here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve
from voyageai_rest.catalogue import TOKENIZATION

from ..error import ArgumentError
from ..extras import require
from .kinds import UnitBatch
from .sources import ROW_NUMBER, Columns

if TYPE_CHECKING:
    from .cutting import Piece
    from .slices import Slice

__all__ = ["MESSAGES", "Count", "Units", "check_texts", "estimate", "fault", "strings", "texts_of"]

Count = Callable[[Sequence[str]], list[int] | None]
Fail = Callable[["Slice", int, Any, str, str, str], None]
"""Called with a slice, a row's number, id and text, and the code and message of the reason."""
NULL, EMPTY, INVALID = "null", "empty", "invalid_text"
MESSAGES = {
    NULL: "it is null",
    EMPTY: "it is empty",
    INVALID: "it is not valid Unicode: it has a lone surrogate, or bytes that are not UTF-8",
}


class Units:
    """Makes units of the rows of slices.

    Args:
        columns: The columns of the job.
        most_tokens: Function that counts the most billable tokens of texts; None if not needed.
        offsets: Number of rows before each input, to number the rows of a source without ids.
        count: Function that counts the tokens of each text, or returns None if it can't; None to
            estimate them.
        count_from: Average tokens per text from which they are counted: with shorter texts, their
            number fills a request before their tokens do.
        deduplicate: True to make one unit of rows with the same text, within a slice.
    """

    def __init__(
        self,
        columns: Columns,
        most_tokens: Callable[[Sequence[Sequence[str]]], int] | None,
        offsets: Sequence[int],
        *,
        count: Count | None = None,
        count_from: float = 0.0,
        deduplicate: bool = False,
    ) -> None:
        self._columns, self._most, self._offsets = columns, most_tokens, offsets
        self._count, self._count_from = count, count_from
        self._deduplicate = deduplicate
        self._group: list[UnitBatch] = []
        self._key: object = None
        self._seen: dict[str, tuple[list[int], list[Any], int]] = {}

    def of(self, piece: Piece, found: Slice, fail: Fail) -> Iterator[UnitBatch]:
        """Yield the units of some rows.

        Args:
            piece: The rows, or the end of their slice.
            found: The slice, to which ids and kept columns are added.
            fail: Called for rows that can't be sent.
        """
        if piece.batch is None:
            made = self._rest(found)
        else:
            places, rows = self._sendable(piece, found, fail)
            if self._columns.group is not None:
                groups = piece.batch.column(self._columns.group).to_pylist()
                made = self._grouped(rows, [groups[place] for place in places], found)
            elif self._deduplicate:
                made = self._unique(rows)
            else:
                made = iter([rows])
        for units in made:
            if len(units):
                yield self._bounded(units)

    def _sendable(self, piece: Piece, found: Slice, fail: Fail) -> tuple[Sequence[int], UnitBatch]:
        """Return the rows to send, with their indices in the batch.

        There may be millions of rows, so they stay in columns.
        """
        batch = piece.batch
        ids = self._ids(piece, found)
        rows = found.add(self._kept(batch, ids))
        values: list[Any] = [texts_of(batch, name) for name in self._columns.values]
        bad = {
            place
            for column in values
            for place, text in enumerate(column)
            if type(text) is not str or not text
        }
        for place in sorted(bad):
            code = next(code for column in values if (code := fault(column[place])) is not None)
            text = values[-1][place]
            text = text if isinstance(text, str) else ""
            fail(found, rows[place], ids[place], text, code, MESSAGES[code])
        places: Sequence[int] = range(len(rows))
        if self._columns.group is None and found.answered:
            known = found.answered.intersection(rows)
            found.take_over(sorted(known))
            bad |= {row - rows[0] for row in known}
        if bad:
            places = [place for place in places if place not in bad]
            ids = [ids[place] for place in places]
            values = [[column[place] for place in places] for column in values]
        sizes = [
            self._tokens(batch, name, column, places)
            for name, column in zip(self._columns.values, values, strict=True)
        ]
        each = [1] * len(places)
        return places, UnitBatch(
            [rows[place] for place in places],
            ids,
            values,
            list(map(sum, zip(*sizes, strict=True))),
            each,
            each,
        )

    def _tokens(self, batch: Any, name: str, texts: list[str], places: Sequence[int]) -> list[int]:
        """Return the tokens of each text of some rows."""
        estimated = estimate(batch, name)
        found = [estimated[place] for place in places]
        if self._count is not None and texts and sum(found) >= self._count_from * len(texts):
            return self._count(texts) or found
        return found

    def _unique(self, rows: UnitBatch) -> Iterator[UnitBatch]:
        """Collect rows by text until the end of the slice."""
        for row, id_, text, tokens in zip(
            rows.rows, rows.ids, rows.values[0], rows.tokens, strict=True
        ):
            same = self._seen.setdefault(text, ([], [], tokens))
            same[0].append(row)
            same[1].append(id_)
        return iter(())

    def _grouped(self, rows: UnitBatch, groups: Sequence[Any], found: Slice) -> Iterator[UnitBatch]:
        """Yield a unit for each group that has ended; the last group may continue."""
        start = 0
        for place, group in enumerate(groups):
            if group != self._key:
                self._group.append(rows[start:place])
                start = place
                yield from self._rest(found)
                self._key = group
        self._group.append(rows[start:])

    def _rest(self, found: Slice) -> Iterator[UnitBatch]:
        """Yield the units that were held until the end of their group or slice."""
        if self._group:
            group = UnitBatch.joined(self._group).as_one()
            self._group = []
            if group.rows and not found.take_over(group.rows):
                yield group
        if self._seen:
            seen, self._seen = self._seen, {}
            yield UnitBatch(
                [row for rows, _, _ in seen.values() for row in rows],
                [id_ for _, ids, _ in seen.values() for id_ in ids],
                [list(seen)],
                [tokens for _, _, tokens in seen.values()],
                [len(rows) for rows, _, _ in seen.values()],
                [1] * len(seen),
            )

    def _bounded(self, units: UnitBatch) -> UnitBatch:
        if self._most is None:
            return units
        return evolve(units, most_tokens=[self._most(unit.values) for unit in units.each()])

    def _ids(self, piece: Piece, found: Slice) -> list[Any]:
        if self._columns.id is not None:
            ids: list[Any] = piece.batch.column(self._columns.id).to_pylist()
            return ids
        first = self._offsets[piece.input] + piece.first + found.rows
        return list(range(first, first + piece.batch.num_rows))

    def _kept(self, batch: Any, ids: list[Any]) -> Any:
        """Return the ids and the kept columns as a record batch."""
        pa = require("pyarrow", "tables")
        id_ = self._columns.id
        names = [id_ or ROW_NUMBER, *(name for name in self._columns.keep if name != id_)]
        first = pa.array(ids, pa.int64()) if id_ is None else batch.column(id_)
        return pa.RecordBatch.from_arrays([first, *map(batch.column, names[1:])], names)


def texts_of(batch: Any, name: str) -> list[str | bytes | None]:
    """Return the texts of a column, with bytes for a text that is not valid Unicode.

    Raises:
        ArgumentError: The column has another type.
    """
    check_texts(batch, name)
    column = batch.column(name)
    try:
        found: list[str | bytes | None] = column.to_pylist()
    except UnicodeDecodeError:
        return [_text(value) for value in column]
    return found


def check_texts(batch: Any, name: str) -> None:
    """Check that a column exists and holds texts.

    Raises:
        ArgumentError: The column is missing or has another type; the message names it.
    """
    pa = require("pyarrow", "tables")
    if name not in batch.schema.names:
        shown = ", ".join(batch.schema.names[:20])
        raise ArgumentError(f"there is no column {name!r}; there are {shown}", "text")
    kind = batch.column(name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    types = (pa.types.is_null, pa.types.is_string, pa.types.is_large_string, _is_view)
    if not any(is_type(kind) for is_type in types):
        raise ArgumentError(
            f"column {name!r} holds {kind}; texts must be strings: cast it, or name another column",
            "text",
        )


def strings(batch: Any, name: str) -> Any:
    """Return a column as a string array, whose bytes and characters Arrow can count."""
    pa = require("pyarrow", "tables")
    column = batch.column(name)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column
    return column.cast(pa.large_string())


def estimate(batch: Any, name: str) -> list[int]:
    """Estimate the tokens of each text of a column, like `estimate_tokens`."""
    pa, compute = require("pyarrow", "tables"), require("pyarrow.compute", "tables")
    column = strings(batch, name)
    size = compute.cast(compute.binary_length(column), pa.int64())
    characters = compute.cast(compute.utf8_length(column), pa.int64())
    weighed = compute.subtract(compute.multiply(size, 2), characters)
    tokens = compute.cast(
        compute.floor(compute.divide(weighed, TOKENIZATION.characters_per_token)), pa.int64()
    )
    found: list[int] = compute.fill_null(compute.add(tokens, 1), 0).to_pylist()
    return found


def fault(text: str | bytes | None) -> str | None:
    """Return the code of the reason why a text can't be sent; None if it can."""
    if text is None:
        return NULL
    if not text:
        return EMPTY
    return INVALID if isinstance(text, bytes) else None


def _text(value: Any) -> str | bytes | None:
    if not value.is_valid:
        return None
    data = value.as_buffer().to_pybytes()
    try:
        text: str = data.decode()
    except UnicodeDecodeError:
        return bytes(data)
    return text


def _is_view(kind: Any) -> bool:
    return str(kind) == "string_view"
