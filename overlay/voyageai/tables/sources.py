"""Sources of rows: Parquet, CSV, NDJSON and Arrow files, tables in memory, iterables of batches.

A source is a list of inputs (files, or one object in memory), each a stream of Arrow record batches
with the columns that a job needs. No other module knows where rows come from.
"""

from __future__ import annotations

import codecs
import fnmatch
import glob
import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, ClassVar

from attrs import frozen

from ..error import ArgumentError
from ..extras import require

__all__ = ["Columns", "Files", "Source", "row_bytes", "source_of"]

ROWS = 1024
"""Rows of a record batch. Chosen: a few megabytes, however long the texts are."""
READ_AHEAD = 1 << 20
"""Bytes of a column of a Parquet file that are read at a time."""
FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
DELIMITERS = {"csv": ",", "tsv": "\t"}
BY_NAME = ("lines", "tsv")
"""Formats that have no extension of their own, as .txt may be anything."""
LINE = "text"
"""Name of the column of a file of lines."""
ROW_NUMBER = "row"
"""Name of the id column if none is given: the number of the row, from 0."""


@frozen
class Columns:
    """The columns of a source that a job reads.

    Attributes:
        id: Name of the column with the ids; None to number the rows.
        values: Names of the columns that are sent: the text, or the query and the document.
        group: Name of the column that identifies rows that belong together; None if there is none.
        keep: Names of further columns to write beside the vectors.
    """

    id: str | None
    values: tuple[str, ...]
    group: str | None = None
    keep: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """All columns once, in the order in which they are read."""
        found = [self.id, self.group, *self.values, *self.keep]
        return list(dict.fromkeys(name for name in found if name is not None))


class Source(ABC):
    """A source of rows for a table job.

    Attributes:
        can_repeat: True if the source can be read more than once.
    """

    can_repeat: ClassVar[bool]

    @abstractmethod
    def inputs(self) -> list[dict[str, Any]]:
        """Describe each input by name, size, time or number of rows, to detect changes of it."""

    def digest(self, columns: Columns) -> str | None:  # noqa: ARG002  # used by subclasses
        """Return a digest of all rows; None if `inputs` is enough to detect changes."""
        return None

    @abstractmethod
    def read(self, index: int, columns: Columns, skip: int = 0) -> Iterator[Any]:
        """Read an input.

        Args:
            index: Number of the input.
            columns: The columns to read.
            skip: Number of rows to skip at the beginning.

        Yields:
            Record batches of the columns, in the order of the rows.

        Raises:
            ArgumentError: A column is missing, or the input can't be read; the message names it.
        """

    @abstractmethod
    def empty(self, columns: Columns) -> Any:
        """Return an empty record batch with the columns of the first input.

        Columns whose type is only known from rows have the type null.
        """


class Files(Source):
    """Files of one format, each an input.

    Args:
        filesystem: The `pyarrow.fs.FileSystem` of the files.
        paths: Paths of the files in it, in order.
        format: `parquet`, `csv`, `tsv`, `ndjson`, `arrow` or `lines`; None to infer it from each
            file's extension.
    """

    can_repeat = True

    def __init__(self, filesystem: Any, paths: Sequence[str], format: str | None) -> None:
        self._filesystem, self._paths = filesystem, list(paths)
        self._formats = [format or _format(path) for path in self._paths]

    def inputs(self) -> list[dict[str, Any]]:
        """Describe each file by path, size and time of the last change."""
        found = self._filesystem.get_file_info(self._paths)
        missing = [info.path for info in found if not info.is_file]
        if missing:
            raise ArgumentError(f"source names {missing[0]!r}, which is not a file", "source")
        return [{"path": info.path, "size": info.size, "modified": info.mtime_ns} for info in found]

    def empty(self, columns: Columns) -> Any:
        """Return an empty record batch with the columns of the first file."""
        pa, format_ = require("pyarrow", "tables"), self._formats[0]
        schema = pa.schema([])
        if format_ not in ("ndjson", "lines"):
            with self._filesystem.open_input_file(self._paths[0]) as file:
                if format_ == "parquet":
                    schema = require("pyarrow.parquet", "tables").read_schema(file)
                elif format_ in DELIMITERS:
                    schema = _open_csv(file, columns, DELIMITERS[format_]).schema
                else:
                    schema = _open_arrow(file).schema
        return _empty(schema, columns)

    def read(self, index: int, columns: Columns, skip: int = 0) -> Iterator[Any]:
        """Read a file; skipped parts of Parquet and Arrow files are not decoded."""
        path = self._paths[index]
        readers: dict[str, Callable[[Any, Columns, int], Iterator[Any]]] = {
            "parquet": _read_parquet,
            "csv": partial(_read_csv, delimiter=DELIMITERS["csv"]),
            "lines": _read_lines,
            "tsv": partial(_read_csv, delimiter=DELIMITERS["tsv"]),
            "ndjson": _read_ndjson,
            "arrow": _read_arrow,
        }
        pa = require("pyarrow", "tables")
        try:
            with self._filesystem.open_input_file(path) as file:
                yield from readers[self._formats[index]](file, columns, skip)
        except (pa.ArrowInvalid, pa.ArrowKeyError, KeyError, ValueError) as failure:
            if isinstance(failure, ArgumentError):
                raise ArgumentError(f"{path}: {failure}", failure.argument) from None
            raise ArgumentError(f"{path} can't be read: {failure}", "source") from failure


class Batches(Source):
    """Record batches from a function, as the only input.

    Args:
        batches: Function that returns the batches.
        can_repeat: True if the function can be called again.
        rows: Number of rows, if known.
        schema: Function that returns the schema, if it is known before reading.
    """

    def __init__(
        self,
        batches: Callable[[], Iterable[Any]],
        *,
        can_repeat: bool,
        rows: int | None = None,
        schema: Callable[[], Any] | None = None,
    ) -> None:
        self._batches, self._rows, self._schema = batches, rows, schema
        self.can_repeat = can_repeat  # type: ignore[misc]  # varies by object here
        self._is_used = False

    def inputs(self) -> list[dict[str, Any]]:
        """Describe the only input by its number of rows."""
        return [{"path": None, "rows": self._rows}]

    def digest(self, columns: Columns) -> str | None:
        """Return a digest of all rows, if they can be read again."""
        if not self.can_repeat:
            return None
        found = hashlib.sha256()
        for batch in self.read(0, columns):
            found.update(row_bytes(batch))
        return found.hexdigest()

    def empty(self, columns: Columns) -> Any:
        """Return an empty record batch."""
        pa = require("pyarrow", "tables")
        return _empty(pa.schema([]) if self._schema is None else self._schema(), columns)

    def read(self, index: int, columns: Columns, skip: int = 0) -> Iterator[Any]:  # noqa: ARG002  # there is only one
        """Read the batches, divided into pieces of up to `ROWS` rows.

        Raises:
            ArgumentError: The batches were already read and can't be again, or a column is missing.
        """
        if self._is_used and not self.can_repeat:
            raise ArgumentError(
                "source was already read, and can be read only once: prepare the job again with a "
                "new source of the same rows",
                "source",
            )
        self._is_used = True
        for batch in self._batches():
            _check_columns(batch.schema.names, columns.names)
            picked = batch.select(columns.names)
            for start in range(0, picked.num_rows, ROWS):
                piece = picked.slice(start, ROWS)
                if skip >= piece.num_rows:
                    skip -= piece.num_rows
                    continue
                yield piece.slice(skip)
                skip = 0


def source_of(given: Any, filesystem: Any = None, format: str | None = None) -> Source:
    """Return a source for an argument of a user.

    Args:
        given: Paths, globs or URLs of files or directories; a `pyarrow` table, batch, reader or
            dataset; an object with `__arrow_c_stream__` (polars, pandas, DuckDB); a DB-API cursor;
            or an iterable of record batches, tables, dicts (one per row) or lists of dicts.
        filesystem: A `pyarrow.fs` or fsspec filesystem that opens the paths.
        format: Format of the files; None to infer it from their extensions.

    Raises:
        ArgumentError: `given` is none of these, or a file does not exist.
        ImportError: pyarrow is not installed.
    """
    pa = require("pyarrow", "tables")
    formats = sorted({*FORMATS.values(), *BY_NAME})
    if format is not None and format not in formats:
        raise ArgumentError(
            f"format must be one of {', '.join(formats)}, not {format!r}",
            "format",
        )
    if _is(given, str, os.PathLike):
        return _files([given], filesystem, format)
    if _is(given, list, tuple) and given and all(_is(item, str, os.PathLike) for item in given):
        return _files(given, filesystem, format)
    if _is(given, pa.Table, pa.RecordBatch):
        table = given if _is(given, pa.Table) else pa.Table.from_batches([given])
        return Batches(
            table.to_batches, can_repeat=True, rows=table.num_rows, schema=lambda: table.schema
        )
    dataset = require("pyarrow.dataset", "tables")
    if _is(given, dataset.Dataset):
        return Batches(
            lambda: given.to_batches(batch_size=ROWS, batch_readahead=2, fragment_readahead=1),
            can_repeat=True,
            rows=given.count_rows(),
            schema=lambda: given.schema,
        )
    if _is(given, pa.RecordBatchReader):
        return Batches(lambda: given, can_repeat=False, schema=lambda: given.schema)
    if hasattr(given, "__arrow_c_stream__"):
        # A data frame can be read again; a stream that can be read only once is a reader.
        open_stream = pa.RecordBatchReader.from_stream
        return Batches(
            lambda: open_stream(given), can_repeat=True, schema=lambda: open_stream(given).schema
        )
    if hasattr(given, "fetchmany") and hasattr(given, "description"):
        return Batches(lambda: _batches_of_rows(_cursor_rows(given)), can_repeat=False)
    if _is(given, Iterable) and not _is(given, bytes, Mapping):
        can_repeat = _is(given, Sequence)
        return Batches(lambda: _batches_of_items(given), can_repeat=can_repeat)
    raise ArgumentError(
        "source must be a path, a pyarrow table, reader or dataset, a data frame, a cursor, or an "
        f"iterable of batches, not {type(given).__name__}",
        "source",
    )


def row_bytes(batch: Any) -> bytes:
    """Return bytes that identify rows, however they are divided into batches."""
    rows = zip(*(_values(column) for column in batch.columns), strict=True)
    return "".join(map(repr, rows)).encode("utf-8", "surrogatepass")


def _values(column: Any) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:  # a text that is not valid Unicode
        return [value.as_buffer().to_pybytes() if value.is_valid else None for value in column]
    return values


def _is(value: Any, *kinds: Any) -> bool:
    """Return `isinstance`, without narrowing `Any` to a type with unknown parameters."""
    return isinstance(value, kinds)


def _files(given: Sequence[Any], filesystem: Any, format: str | None) -> Files:
    fs = require("pyarrow.fs", "tables")
    paths: list[str] = []
    if filesystem is not None and not isinstance(filesystem, fs.FileSystem):
        filesystem = fs.PyFileSystem(fs.FSSpecHandler(filesystem))
    for path in map(os.fspath, given):
        item = path
        if "://" in path:
            if filesystem is None:
                filesystem, _ = fs.FileSystem.from_uri(path)
            item = path.partition("://")[2]
        found = _local(item, format) if filesystem is None else _remote(item, filesystem, format)
        if not found:
            raise ArgumentError(
                f"source: there is no file {item!r}"
                if not any(mark in item for mark in "*?[")
                else f"source: no file matches {item!r}",
                "source",
            )
        paths += found
    return Files(filesystem or fs.LocalFileSystem(), paths, format)


def _local(item: str, format: str | None) -> list[str]:
    path = Path(item)
    if path.is_dir():
        inside = [str(found) for found in sorted(path.rglob("*")) if found.is_file()]
        return [found for found in inside if _is_data_file(found, item, format)]
    if path.is_file():
        return [str(path.absolute())]
    return [str(Path(found).absolute()) for found in sorted(glob.glob(item, recursive=True))]  # noqa: PTH207  # takes absolute patterns


def _remote(item: str, filesystem: Any, format: str | None) -> list[str]:
    fs = require("pyarrow.fs", "tables")
    wild = next((place for place, char in enumerate(item) if char in "*?["), None)
    if wild is None:
        info = filesystem.get_file_info(item)
        if info.is_file:
            return [item]
        base, pattern = item, None
    else:
        base, pattern = item[:wild].rpartition("/")[0], item
    selector = fs.FileSelector(base, recursive=True, allow_not_found=True)
    found = sorted(info.path for info in filesystem.get_file_info(selector) if info.is_file)
    if pattern is not None:
        return [path for path in found if _matches(path.split("/"), pattern.split("/"))]
    return [path for path in found if _is_data_file(path, base, format)]


def _matches(parts: list[str], patterns: list[str]) -> bool:
    """Match the parts of a path as `glob` does: `*` matches no slash and no hidden name."""
    if not parts or not patterns:
        return not parts and not patterns
    first, rest = parts[0], patterns[1:]
    hidden = first.startswith(".") and not patterns[0].startswith(".")
    if patterns[0] == "**":
        return _matches(parts, rest) or (not hidden and _matches(parts[1:], patterns))
    return not hidden and fnmatch.fnmatchcase(first, patterns[0]) and _matches(parts[1:], rest)


def _is_data_file(path: str, base: str, format: str | None) -> bool:
    """Return whether a file below a directory is data: not hidden, and of a known format."""
    hidden = any(part.startswith((".", "_")) for part in Path(path).relative_to(base).parts)
    return not hidden and (format is not None or Path(path).suffix.lower() in FORMATS)


def _format(path: str) -> str:
    found = FORMATS.get(Path(path).suffix.lower())
    if found is None:
        raise ArgumentError(
            f"the extension of {path!r} does not show its format; pass it, such as format='csv'",
            "format",
        )
    return found


def _empty(schema: Any, columns: Columns) -> Any:
    """Return an empty record batch with columns of a schema, which may be empty too."""
    pa = require("pyarrow", "tables")
    if schema.names:
        _check_columns(schema.names, columns.names)
    types = [schema.field(name).type if schema.names else pa.null() for name in columns.names]
    return pa.RecordBatch.from_arrays([pa.array([], type_) for type_ in types], columns.names)


def _check_columns(present: Sequence[str], wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in present:
            shown = ", ".join(present[:20])
            raise ArgumentError(f"there is no column {name!r}; there are {shown}", "source")


def _read_parquet(file: Any, columns: Columns, skip: int) -> Iterator[Any]:
    names = columns.names
    pq = require("pyarrow.parquet", "tables")
    # With buffering it would keep the bytes of every row group that it reads.
    opened = pq.ParquetFile(file, pre_buffer=False, buffer_size=READ_AHEAD)
    _check_columns(opened.schema_arrow.names, names)
    first = 0
    for first in range(opened.num_row_groups):
        rows = opened.metadata.row_group(first).num_rows
        if skip < rows:
            break
        skip -= rows
    else:
        return
    groups = range(first, opened.num_row_groups)
    found = opened.iter_batches(ROWS, groups, columns=names, use_threads=False)
    yield from _skip_rows(found, skip, names)


def _open_csv(file: Any, columns: Columns, delimiter: str) -> Any:
    pa, csv = require("pyarrow", "tables"), require("pyarrow.csv", "tables")
    texts = csv.ConvertOptions(column_types=dict.fromkeys(columns.values, pa.string()))
    lines = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    threads = csv.ReadOptions(use_threads=False)
    return csv.open_csv(file, threads, lines, texts)


def _read_csv(file: Any, columns: Columns, skip: int, delimiter: str) -> Iterator[Any]:
    names = columns.names
    with _open_csv(file, columns, delimiter) as reader:
        _check_columns(reader.schema.names, names)
        yield from _skip_rows(_split(reader), skip, names)


def _open_arrow(file: Any) -> Any:
    ipc = require("pyarrow.ipc", "tables")
    magic = file.read(6)
    file.seek(0)
    return ipc.open_file(file) if magic == b"ARROW1" else ipc.open_stream(file)


def _read_arrow(file: Any, columns: Columns, skip: int) -> Iterator[Any]:
    names = columns.names
    opened = _open_arrow(file)
    if hasattr(opened, "num_record_batches"):
        found = (opened.get_batch(number) for number in range(opened.num_record_batches))
    else:
        found = iter(opened)
    _check_columns(opened.schema.names, names)
    yield from _skip_rows(_split(found), skip, names)


def _read_lines(file: Any, columns: Columns, skip: int) -> Iterator[Any]:
    """Read one text per line, without a byte order mark and line ends, as the column `text`."""
    import io

    _check_columns([LINE], columns.names)
    lines: Iterator[bytes] = io.BufferedReader(file)
    texts = (line.removesuffix(b"\n").removesuffix(b"\r") for line in lines)
    decoded = (
        (text if row else text.removeprefix(codecs.BOM_UTF8)).decode("utf-8", "surrogateescape")
        for row, text in enumerate(texts)
    )
    yield from _batches_of_rows({LINE: text} for text in islice(decoded, skip, None))


def _read_ndjson(file: Any, columns: Columns, skip: int) -> Iterator[Any]:
    rows = _json_rows(file, columns.names)
    for _ in islice(rows, skip):
        pass
    yield from _batches_of_rows(rows)


def _json_rows(file: Any, names: list[str]) -> Iterator[dict[str, Any]]:
    import io

    checked = False
    for number, line in enumerate(io.BufferedReader(file), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as failure:
            raise ArgumentError(f"line {number} is not JSON: {failure}", "source") from None
        if not _is(row, dict):
            raise ArgumentError(f"line {number} is not an object", "source")
        if not checked:
            _check_columns(list(row), names)
            checked = True
        yield {name: row.get(name) for name in names}


def _split(batches: Iterable[Any]) -> Iterator[Any]:
    for batch in batches:
        for start in range(0, batch.num_rows, ROWS):
            yield batch.slice(start, ROWS)


def _skip_rows(batches: Iterable[Any], skip: int, names: list[str]) -> Iterator[Any]:
    """Yield batches without the first `skip` rows."""
    for batch in batches:
        if skip >= batch.num_rows:
            skip -= batch.num_rows
            continue
        yield batch.select(names).slice(skip)
        skip = 0


def _cursor_rows(cursor: Any) -> Iterator[dict[str, Any]]:
    names = [column[0] for column in cursor.description]
    while rows := cursor.fetchmany(ROWS):
        for row in rows:
            yield dict(row) if _is(row, Mapping) else dict(zip(names, row, strict=True))


def _batches_of_items(items: Iterable[Any]) -> Iterator[Any]:
    """Yield the record batches of an iterable of batches, tables, rows or lists of rows."""
    pa = require("pyarrow", "tables")
    rows: list[dict[str, Any]] = []
    schema: Any = None
    for item in items:
        if _is(item, pa.RecordBatch):
            yield item
        elif _is(item, pa.Table):
            yield from item.to_batches()
        elif _is(item, Mapping) or (
            _is(item, list, tuple) and all(_is(row, Mapping) for row in item)
        ):
            rows += [dict(item)] if _is(item, Mapping) else map(dict, item)
            while len(rows) >= ROWS:
                batch = _batch(rows[:ROWS], schema)
                schema, rows = batch.schema, rows[ROWS:]
                yield batch
        else:
            raise ArgumentError(
                "source yields an unsupported item: each must be a pyarrow RecordBatch or Table, "
                f"a dict or a list of dicts, not {type(item).__name__}",
                "source",
            )
    if rows:
        yield _batch(rows, schema)


def _batches_of_rows(rows: Iterator[dict[str, Any]]) -> Iterator[Any]:
    schema: Any = None
    while chunk := list(islice(rows, ROWS)):
        batch = _batch(chunk, schema)
        schema = batch.schema
        yield batch


def _batch(rows: Sequence[Mapping[str, Any]], schema: Any) -> Any:
    """Return rows as a record batch, with the schema of earlier rows if there is one."""
    pa = require("pyarrow", "tables")
    names = list(dict.fromkeys(chain.from_iterable(rows))) if schema is None else schema.names
    arrays: list[Any] = []
    for name in names:
        type_ = None if schema is None else schema.field(name).type
        values = [row.get(name) for row in rows]
        try:
            arrays.append(_array(values, type_))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as failure:
            raise ArgumentError(f"column {name!r} is of mixed types: {failure}", "source") from None
    return pa.RecordBatch.from_arrays(arrays, names)


def _array(values: list[Any], type_: Any) -> Any:
    pa = require("pyarrow", "tables")
    if type_ is not None and pa.types.is_null(type_):
        type_ = None
    try:
        return pa.array(values, type_)
    except UnicodeEncodeError:
        # A text that is not valid Unicode is kept as bytes: its row fails, but no other.
        raw = [
            None if value is None else value.encode("utf-8", "surrogatepass") for value in values
        ]
        offsets_and_data = pa.array(raw, pa.binary()).buffers()
        return pa.StringArray.from_buffers(len(raw), *offsets_and_data[1:], offsets_and_data[0])
