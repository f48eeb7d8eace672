"""Write vectors as JSON, CSV, Parquet, npy, raw bytes or base64, as they arrive."""

from __future__ import annotations

import io
import shutil
import struct
import sys
import tempfile
from array import array
from binascii import b2a_base64
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from voyageai_rest.dtypes import DTYPES

from ..argument_checks import catalogue_entry
from ..error import ArgumentError
from ..extras import require
from ..vectors import DEFAULT
from .output import Destination, beginning, csv_line, open_destination, shown, table, to_json
from .rows import Row

__all__ = ["About", "Write", "about", "open_writer"]

CODES = {"float32": "f", "int8": "b", "uint8": "B"}
"""Format characters of `array` by type of number."""
NUMPY = {"float32": "<f4", "int8": "|i1", "uint8": "|u1"}
ROW_GROUP_BYTES = 1 << 23
"""Bytes of vectors in a row group of Parquet: large enough to read fast, small enough for
memory."""


class About(NamedTuple):
    """Properties that all vectors of an output share.

    Attributes:
        model: Name of the model.
        input_type: The input type; None without a prompt, or if it is not known.
        output_dtype: The dtype.
        space: The embedding space; None if it is not known.
    """

    model: str
    input_type: str | None
    output_dtype: str
    space: str | None

    @property
    def number(self) -> str:
        """Type of their numbers."""
        return DTYPES[self.output_dtype].number


def about(model: str, input_type: str | None, output_dtype: str | None) -> About:
    """Return the properties of a model's vectors.

    Args:
        model: Name of the model.
        input_type: The input type, if it is known.
        output_dtype: The requested dtype; None for the default.
    """
    entry = catalogue_entry(model)
    space = None if entry is None else entry.embedding_space
    return About(model, input_type, output_dtype or DEFAULT, space)


Write = Callable[[Sequence[Row], Sequence["bytes | str"]], None]
"""Writes rows, with for each its vector or the reason why it has none."""


@contextmanager
def open_writer(format: str, path: str | None, about: About) -> Generator[Write]:
    """Open an output for vectors, which is complete at the end of the `with`.

    Args:
        format: One of `VECTOR_FORMATS`.
        path: Path of the file; None or `-` for standard output.
        about: Properties of the vectors.
    """
    with open_destination(path) as out, WRITERS[format](out, about) as write:
        yield write
        # The destination file is replaced only if all of it was written.


@contextmanager
def _jsonl(out: Destination, about: About) -> Generator[Write]:
    def write(rows: Sequence[Row], vectors: Sequence[bytes | str]) -> None:
        for row, vector in zip(rows, vectors, strict=True):
            out.write(_object(row, vector, about) + b"\n")
        out.flush()

    yield write


@contextmanager
def _json(out: Destination, about: About) -> Generator[Write]:
    before = b"["

    def write(rows: Sequence[Row], vectors: Sequence[bytes | str]) -> None:
        nonlocal before
        for row, vector in zip(rows, vectors, strict=True):
            out.write(before + _object(row, vector, about))
            before = b",\n "

    yield write
    out.write(b"[]\n" if before == b"[" else b"]\n")


@contextmanager
def _csv(out: Destination, about: About) -> Generator[Write]:
    names: list[str] | None = None

    def write(rows: Sequence[Row], vectors: Sequence[bytes | str]) -> None:
        nonlocal names
        for row, vector in zip(rows, vectors, strict=True):
            if names is None:
                names = [*row.others]
                out.write(csv_line(["id", "index", *names, "embedding"]))
            _check_names(row, names)
            others = (row.others.get(name) for name in names)
            numbers = None if isinstance(vector, str) else _numbers(vector, about)
            out.write(csv_line([row.id, row.index, *others, numbers]))
        out.flush()

    yield write


@contextmanager
def _table(out: Destination, about: About) -> Generator[Write]:
    lines: list[list[str]] = []

    def write(rows: Sequence[Row], vectors: Sequence[bytes | str]) -> None:
        for row, vector in zip(rows, vectors, strict=True):
            what = vector if isinstance(vector, str) else _size(vector, about)
            lines.append([str(row.index), shown(row.id), what, beginning(row.text)])

    yield write
    out.write(table(("index", "id", "vector", "text"), lines).encode())


@contextmanager
def _raw(out: Destination, about: About) -> Generator[Write]:
    missing = _Placeholders(about)

    def write(rows: Sequence[Row], vectors: Sequence[bytes | str]) -> None:
        for piece in missing.fill(rows, vectors):
            out.write(piece)
        out.flush()

    yield write
    out.write(missing.rest())


@contextmanager
def _base64(out: Destination, about: About) -> Generator[Write]:  # noqa: ARG001  # as the others
    def write(_: Sequence[Row], vectors: Sequence[bytes | str]) -> None:
        for vector in vectors:
            out.write(b"\n" if isinstance(vector, str) else b2a_base64(vector))
        out.flush()

    yield write


@contextmanager
def _npy(out: Destination, about: About) -> Generator[Write]:
    """Spool the rows of a matrix, whose header needs their number."""
    missing = _Placeholders(about)
    count = 0
    with tempfile.TemporaryFile() as rows_file:

        def write(rows: Sequence[Row], vectors: Sequence[bytes | str]) -> None:
            nonlocal count
            count += len(rows)
            for piece in missing.fill(rows, vectors):
                rows_file.write(piece)

        yield write
        rows_file.write(missing.rest())
        columns = missing.width // array(CODES[about.number]).itemsize
        header = f"{{'descr': '{NUMPY[about.number]}', 'fortran_order': False, "
        header += f"'shape': ({count}, {columns}), }}"
        header += " " * (-(len(header) + 11) % 64) + "\n"  # 11: bytes before it, and the newline
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        rows_file.seek(0)
        shutil.copyfileobj(rows_file, _Stream(out), 1 << 20)


@contextmanager
def _parquet(out: Destination, about: About) -> Generator[Write]:
    pa, pq = require("pyarrow", "tables"), require("pyarrow.parquet", "tables")
    held: list[tuple[Row, bytes | None]] = []
    size = 0
    writer: Any = None

    def flush() -> None:
        nonlocal writer, size
        batch = _batch(held, about, None if writer is None else writer.schema)
        if writer is None:
            # Neither a dictionary nor a codec makes vectors smaller.
            writer = pq.ParquetWriter(
                _Stream(out), batch.schema, use_dictionary=False, compression="none"
            )
        writer.write_batch(batch)
        held.clear()
        size = 0

    def write(rows: Sequence[Row], vectors: Sequence[bytes | str]) -> None:
        nonlocal size
        for row, vector in zip(rows, vectors, strict=True):
            found = None if isinstance(vector, str) else vector
            held.append((row, found))
            size += len(found or b"") + len(row.text)
        if size >= ROW_GROUP_BYTES:
            flush()

    yield write
    if held or writer is None:
        flush()
    opened: Any = writer
    opened.close()
    pa.default_memory_pool().release_unused()


WRITERS: Mapping[str, Callable[[Destination, About], Any]] = {
    "jsonl": _jsonl,
    "json": _json,
    "csv": _csv,
    "parquet": _parquet,
    "npy": _npy,
    "raw": _raw,
    "base64": _base64,
    "table": _table,
}


class _Placeholders:
    """Fills in vectors that are missing, for formats of vectors alone.

    Floats are filled with NaN, other numbers with 0. Rows before the first vector wait for its
    size.

    Attributes:
        width: Bytes of a vector; 0 before the first.
    """

    def __init__(self, about: About) -> None:
        self.width = 0
        self._float = about.number == "float32"
        self._waiting = 0

    def fill(self, rows: Sequence[Row], vectors: Sequence[bytes | str]) -> Iterator[bytes]:
        """Yield the bytes of each vector; missing ones wait until the size is known."""
        for _, vector in zip(rows, vectors, strict=True):
            if isinstance(vector, str):
                self._waiting += 1
                if self.width:
                    yield self.rest()
                continue
            self.width = self.width or len(vector)
            if self._waiting:
                yield self.rest()
            yield vector

    def rest(self) -> bytes:
        """Return the bytes of the waiting rows."""
        nan = struct.pack("<f", float("nan"))
        one = nan * (self.width // 4) if self._float else bytes(self.width)
        waiting, self._waiting = self._waiting, 0
        return one * waiting


class _Stream(io.RawIOBase):
    """A destination as a writable binary file."""

    def __init__(self, out: Destination) -> None:
        self._out, self._size = out, 0

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        data = bytes(piece)
        self._out.write(data)
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._size


def _object(row: Row, vector: bytes | str, about: About) -> bytes:
    """Return a row as a JSON object."""
    found: dict[str, Any] = {"id": row.id, "index": row.index, **row.others}
    if isinstance(vector, str):
        return to_json({**found, "embedding": None, "error": vector}).encode()
    return f'{to_json(found)[:-1]}, "embedding": {_numbers(vector, about)}}}'.encode()


def _numbers(vector: bytes, about: About) -> str:
    """Return numbers as a JSON array: floats with nine digits, the precision of float32."""
    numbers: array[Any] = array(CODES[about.number], vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    one = "%.9g" if about.number == "float32" else "%d"
    return f"[{', '.join([one] * len(numbers))}]" % tuple(numbers)


def _size(vector: bytes, about: About) -> str:
    columns = len(vector) // array(CODES[about.number]).itemsize
    return f"{columns * DTYPES[about.output_dtype].dimensions_per_number} x {about.output_dtype}"


def _batch(held: Sequence[tuple[Row, bytes | None]], about: About, schema: Any) -> Any:
    """Return rows as a record batch, with the schema of earlier ones if there is one."""
    pa = require("pyarrow", "tables")
    from ..tables.slices import takes_null_vectors

    number, item_size = getattr(pa, about.number)(), array(CODES[about.number]).itemsize
    columns = next((len(vector) for _, vector in held if vector), 0) // item_size
    if schema is None:
        names = [*dict.fromkeys(name for row, _ in held for name in row.others)]
        metadata = {
            f"voyageai.{name}": value
            for name, value in about._asdict().items()
            if value is not None
        }
        fields = [
            ("id", _type(pa, [row.id for row, _ in held])),
            ("index", pa.int64()),
            *((name, _type(pa, [row.others.get(name) for row, _ in held])) for name in names),
            # Some versions of pyarrow do not read nulls in lists of fixed size; and the first rows
            # may all have failed.
            ("embedding", pa.list_(number, columns if columns and takes_null_vectors() else -1)),
        ]
        schema = pa.schema(fields, metadata)
    for row, _ in held:
        _check_names(row, schema.names)
    kind = schema.field("embedding").type
    columns = getattr(kind, "list_size", columns)
    data = b"".join(vector or bytes(columns * item_size) for _, vector in held)
    numbers = pa.Array.from_buffers(number, columns * len(held), [None, pa.py_buffer(data)])
    missing = pa.array([vector is None for _, vector in held], pa.bool_())
    vectors = pa.nulls(len(held), kind)
    if columns:
        vectors = pa.FixedSizeListArray.from_arrays(numbers, columns, mask=missing).cast(kind)
    others = [
        _column(pa, [row.others.get(field.name) for row, _ in held], field)
        for field in list(schema)[2:-1]
    ]
    ids = _column(pa, [row.id for row, _ in held], schema.field("id"))
    indexes = pa.array([row.index for row, _ in held], pa.int64())
    return pa.RecordBatch.from_arrays([ids, indexes, *others, vectors], schema=schema)


def _check_names(row: Row, names: Sequence[str]) -> None:
    """Refuse a row with a column that the rows before it did not have."""
    unknown = [name for name in row.others if name not in names]
    if unknown:
        raise ArgumentError(
            f"row {row.index} has a column {unknown[0]!r}, which earlier rows do not have; write "
            "jsonl, which takes any columns",
            "out",
        )


def _type(pa: Any, values: Sequence[Any]) -> Any:
    """Return the type of a column by its first values; text if they are null or of mixed types."""
    try:
        found = pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.string()
    return pa.string() if pa.types.is_null(found) else found


def _column(pa: Any, values: Sequence[Any], field: Any) -> Any:
    if pa.types.is_string(field.type):
        values = [
            value if value is None or isinstance(value, str) else to_json(value) for value in values
        ]
    try:
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as failure:
        raise ArgumentError(
            f"column {field.name!r} began as {field.type}, but has other values too: {failure}; "
            "write jsonl, which takes any values",
            "out",
        ) from None
