"""Rows become units that are sent together, or fail before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from voyageai_rest.catalogue import TOKENIZATION

from ..error import ArgumentError
from ..extras import require
from .kinds import Unit
from .sources import ROW_NUMBER, Columns

if TYPE_CHECKING:
    from .cutting import Piece
    from .slices import Slice

__all__ = ["MESSAGES", "Units", "check_texts", "estimate", "fault", "strings", "texts_of"]

Fail = Callable[["Slice", Unit, str, str], None]
NULL, EMPTY, INVALID = "null", "empty", "invalid_text"
MESSAGES = {
    NULL: "it is null",
    EMPTY: "it is empty",
    INVALID: "it is not valid Unicode: it has a surrogate by itself, or bytes that are not UTF-8",
}


class Units:
    """Makes units of the rows of slices.

    Args:
        columns: The columns of a row.
        most_tokens: Counts the tokens that some texts can be billed for, at most; None where
            nobody asks.
        offsets: Rows of all inputs before each, to number the rows by where they have no ids.
        deduplicate: Whether rows of one text, within a slice, are one unit.
    """

    def __init__(
        self,
        columns: Columns,
        most_tokens: Callable[[Sequence[Sequence[str]]], int] | None,
        offsets: Sequence[int],
        *,
        deduplicate: bool = False,
    ) -> None:
        self._columns, self._most, self._offsets = columns, most_tokens, offsets
        self._deduplicate = deduplicate
        self._group: Unit | None = None
        self._key: object = None
        self._seen: dict[str, Unit] = {}

    def of(self, piece: Piece, found: Slice, fail: Fail) -> Iterator[Unit]:
        """Make units of some rows.

        Args:
            piece: The rows, or the end of their slice.
            found: Their slice, to which ids and kept columns are added.
            fail: Notes that the rows of a unit have no result.
        """
        if piece.batch is None:
            yield from self._rest(found)
            return
        ids = self._ids(piece, found)
        rows = found.add(self._kept(piece.batch, ids))
        values = [texts_of(piece.batch, name) for name in self._columns.values]
        tokens = [estimate(piece.batch, name) for name in self._columns.values]
        name = self._columns.group
        groups = None if name is None else piece.batch.column(name).to_pylist()
        if groups is None and not self._deduplicate and len(values) == 1:
            yield from self._single(rows, ids, values[0], tokens[0], found, fail)
            return
        for place, row in enumerate(rows):
            texts = [column[place] for column in values]
            unit = Unit(
                [row],
                [ids[place]],
                [[text if isinstance(text, str) else ""] for text in texts],
                sum(column[place] for column in tokens),
            )
            if groups is not None and (self._group is None or groups[place] != self._key):
                yield from self._rest(found)
                self._key = groups[place]
            bad = next((code for code in map(fault, texts) if code is not None), None)
            if bad is not None:
                fail(found, unit, bad, MESSAGES[bad])
            elif groups is not None:
                self._extend(unit)
            elif not found.has(unit.rows):
                yield from self._take(unit)

    def _single(
        self,
        rows: Sequence[int],
        ids: Sequence[Any],
        texts: Sequence[str | bytes | None],
        tokens: Sequence[int],
        found: Slice,
        fail: Fail,
    ) -> Iterator[Unit]:
        """Make a unit of each row, with as little work as can be: there may be millions."""
        again = found.has_answers
        for row, id_, text, size in zip(rows, ids, texts, tokens, strict=True):
            if type(text) is str and text:
                if not (again and found.has([row])):
                    yield self._bounded(Unit([row], [id_], [[text]], size))
            else:
                code = fault(text) or INVALID
                fail(found, Unit([row], [id_], [[""]], size), code, MESSAGES[code])

    def _take(self, unit: Unit) -> Iterator[Unit]:
        if not self._deduplicate:
            yield self._bounded(unit)
            return
        first = self._seen.setdefault(unit.values[0][0], unit)
        if first is not unit:
            first.rows += unit.rows
            first.ids += unit.ids

    def _extend(self, unit: Unit) -> None:
        if self._group is None:
            self._group = unit
            return
        self._group.rows += unit.rows
        self._group.ids += unit.ids
        self._group.tokens += unit.tokens
        for column, more in zip(self._group.values, unit.values, strict=True):
            column.extend(more)

    def _rest(self, found: Slice) -> Iterator[Unit]:
        """Yield the units that waited for the end of their group or slice."""
        waiting = list(self._seen.values())
        if self._group is not None and not found.has(self._group.rows):
            waiting.append(self._group)
        self._group = None
        self._seen = {}
        yield from map(self._bounded, waiting)

    def _bounded(self, unit: Unit) -> Unit:
        if self._most is not None:
            unit.most_tokens = self._most(unit.values)
        return unit

    def _ids(self, piece: Piece, found: Slice) -> list[Any]:
        if self._columns.id is not None:
            ids: list[Any] = piece.batch.column(self._columns.id).to_pylist()
            return ids
        first = self._offsets[piece.input] + piece.first + found.rows
        return list(range(first, first + piece.batch.num_rows))

    def _kept(self, batch: Any, ids: list[Any]) -> Any:
        """The ids and the columns that are kept, as a record batch."""
        pa = require("pyarrow", "tables")
        id_ = self._columns.id
        names = [id_ or ROW_NUMBER, *(name for name in self._columns.keep if name != id_)]
        first = pa.array(ids, pa.int64()) if id_ is None else batch.column(id_)
        return pa.RecordBatch.from_arrays([first, *map(batch.column, names[1:])], names)


def texts_of(batch: Any, name: str) -> list[str | bytes | None]:
    """Return the texts of a column; bytes in place of one that is not valid Unicode.

    Raises:
        ArgumentError: The column holds something else.
    """
    check_texts(batch, name)
    column = batch.column(name)
    try:
        found: list[str | bytes | None] = column.to_pylist()
    except UnicodeDecodeError:
        return [_text(value) for value in column]
    return found


def check_texts(batch: Any, name: str) -> None:
    """Refuse a column that holds no texts.

    Raises:
        ArgumentError: Names it and says what it holds.
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
    """Return a column as an array whose bytes and letters Arrow can count."""
    pa = require("pyarrow", "tables")
    column = batch.column(name)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column
    return column.cast(pa.large_string())


def estimate(batch: Any, name: str) -> list[int]:
    """Estimate the tokens of each text of a column, as `estimate_tokens` does for a text."""
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
    """Return the code of why a text can't be sent; None if it can."""
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
