"""Read the rows that commands work on: arguments, files and standard input, one at a time.

A row is a text with its place, and with its id and other columns if its format has them. A row that
can't be sent is yielded with the reason, so that later rows are read and keep their places.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

import click

from .output import is_terminal

__all__ = [
    "EMPTY",
    "FORMATS",
    "STDIN",
    "Row",
    "RowReader",
    "check_readable",
    "column_of",
    "first_names",
    "format_of",
    "input_options",
]

F = TypeVar("F", bound=Callable[..., Any])
FORMATS = ("lines", "jsonl", "csv", "tsv", "parquet", "arrow", "file")
SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
TEXT_COLUMNS = ("text", "content")
"""Column with the texts, if none is given: the first of these that exists."""
ID = "id"
STDIN = "-"
BOM = b"\xef\xbb\xbf"
NOT_TEXT = "it is not valid UTF-8"
EMPTY = "it is empty"
OUTPUT_COLUMNS = ("id", "index", "embedding", "error")
"""Columns of an output, which no other column may have the names of."""
MAX_CELL_CHARACTERS = 2**31 - 1
"""Maximum length of a cell of CSV; Python's own, 128 Ki, is less than a document."""


class Row(NamedTuple):
    """A row of the input.

    Attributes:
        index: Its place in the input, from 0.
        id: Its id; None if the input has none.
        text: The text; empty if `error` is set.
        others: Its other columns, if they are kept.
        error: The reason why it can't be sent; None if it can.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which is not used
    id: Any
    text: str
    others: Mapping[str, Any]
    error: str | None


def input_options(function: F) -> F:
    """Add `-f`, `--in`, `--column` and `--id-column`: arguments of `RowReader`."""
    for option in (
        click.option(
            "--id-column",
            metavar="NAME",
            help="Column with the ids; by default `id`, if it exists.",
        ),
        click.option(
            "--column",
            metavar="NAME",
            help="Column with the texts; by default `text`, else `content`, else the only column.",
        ),
        click.option(
            "--in",
            "in_",
            type=click.Choice(FORMATS),
            help="Format of the input; by default the suffix's, else lines. With `file` each "
            "file is one text.",
        ),
        click.option(
            "-f",
            "--file",
            "files",
            multiple=True,
            metavar="FILE",
            help="Read this file, or - for standard input. Repeatable.",
        ),
    ):
        function = option(function)
    return function


class RowReader:
    """Reads the rows that the arguments of a command give.

    Args:
        texts: Texts given as arguments.
        files: Paths of files; `-` is standard input, which is read too if nothing is given.
        in_: Format of the files; None to choose by suffix.
        column: Column with the texts; None to find it.
        id_column: Column with the ids; None for `id`, if it exists.
        keep: True to keep the other columns.

    Raises:
        click.UsageError: There is nothing to read, or both texts and files are given.
    """

    def __init__(
        self,
        texts: Sequence[str],
        files: Sequence[str] = (),
        in_: str | None = None,
        column: str | None = None,
        id_column: str | None = None,
        *,
        keep: bool = False,
    ) -> None:
        if texts and files:
            raise click.UsageError("give texts as arguments, or files with -f, not both")
        if not texts and not files:
            if sys.stdin is None or is_terminal(sys.stdin):
                raise click.UsageError(
                    "there is nothing to read: give texts, name files with -f, or pipe lines in"
                )
            files = (STDIN,)
        if [*files].count(STDIN) > 1:
            raise click.UsageError("-f - is given twice, but standard input can be read once")
        for path in files:
            check_readable(path)
        self._texts, self._files, self._format = texts, files, in_
        self._column, self._id_column, self._keep = column, id_column, keep

    @property
    def can_repeat(self) -> bool:
        """True if the rows can be read more than once, which a pipe's can't."""
        return all(path != STDIN and Path(path).is_file() for path in self._files)

    def __iter__(self) -> Iterator[Row]:
        number = 0
        for text in self._texts:
            yield Row(number, None, text, {}, fault(text))
            number += 1
        for path in self._files:
            for id_, text, others, error in self._read(path):
                yield Row(number, id_, text, others, error)
                number += 1

    def _read(self, path: str) -> Iterator[tuple[Any, str, Mapping[str, Any], str | None]]:
        format = format_of(path, self._format)
        if format in ("lines", "file"):
            with opened(path) as file:
                pieces = [file.read()] if format == "file" else lines(file)
                name = _named(path) if format == "file" and path != STDIN else None
                for piece in pieces:
                    text, error = decoded(piece)
                    yield name, text, {}, error
            return
        column = id_column = ""
        for values, error in records(path, format):
            if not column and values:
                names = list(values)
                column = column_of(names, self._column, path)
                id_column = self._id_column or (ID if ID in names else "")
                if self._id_column and self._id_column not in names:
                    raise _no_column(path, self._id_column, names, "--id-column")
            value = values.get(column)
            text = value if isinstance(value, str) else ""
            others: Mapping[str, Any] = {}
            if self._keep:
                left_out = (column, id_column)
                others = {name: each for name, each in values.items() if name not in left_out}
                if taken := [name for name in OUTPUT_COLUMNS if name in others]:
                    raise click.UsageError(
                        f"--keep: {_named(path)} has a column {taken[0]!r}, a name that the output "
                        "uses; rename the column, or omit --keep"
                    )
            yield values.get(id_column), text, others, error or fault(value)


def check_readable(path: str, option: str = "-f") -> None:
    """Refuse a missing file and a folder; standard input, pipes and devices are accepted.

    Args:
        path: A path, or `-`.
        option: Option that gave the path, for the message.

    Raises:
        click.UsageError: The path does not exist, or is a folder.
    """
    if path != STDIN and (Path(path).is_dir() or not Path(path).exists()):
        problem = "is a folder" if Path(path).is_dir() else "does not exist"
        raise click.UsageError(f"{option} names {_named(path)}, which {problem}")


def format_of(path: str, chosen: str | None) -> str:
    """Return the format of a file: the chosen one, else its suffix's, else `lines`."""
    return chosen or SUFFIXES.get(Path(path).suffix.lower(), "lines")


def column_of(names: Sequence[str], chosen: str | None, path: str) -> str:
    """Return the name of the column with the texts.

    Raises:
        click.UsageError: The chosen column does not exist, or none is chosen and several columns
            may have the texts.
    """
    if chosen is not None:
        if chosen not in names:
            raise _no_column(path, chosen, names, "--column")
        return chosen
    usual = [name for name in TEXT_COLUMNS if name in names]
    if usual or len(names) == 1:
        return (*usual, *names)[0]
    shown = ", ".join(names[:20]) or "no columns"
    raise click.UsageError(
        f"{_named(path)} has {shown}; name the one with the texts: --column NAME"
    )


def first_names(path: str, format: str) -> list[str]:
    """Return the columns of a file's first row; an empty list without rows."""
    if format in ("lines", "file"):
        return ["text"]
    empty: list[str] = []
    return next(([*values] for values, error in records(path, format) if error is None), empty)


def fault(text: object) -> str | None:
    """Return the reason why a value can't be sent as a text; None if it can."""
    if isinstance(text, str):
        if not text:
            return EMPTY
        return None if text.isascii() or _is_unicode(text) else NOT_TEXT
    return "it is null" if text is None else f"it is not a text, but of type {type(text).__name__}"


def decoded(piece: bytes) -> tuple[str, str | None]:
    """Decode UTF-8; return the text, and the reason why it can't be sent."""
    try:
        text = piece.decode()
    except UnicodeDecodeError:
        return "", NOT_TEXT
    return text, fault(text)


@contextmanager
def opened(path: str) -> Generator[IO[bytes]]:
    """Open a file or standard input for reading bytes, and skip a byte order mark.

    Raises:
        click.UsageError: Standard input is closed.
    """
    if path != STDIN:
        with Path(path).open("rb") as file:
            yield _without_bom(file)
        return
    if sys.stdin is None:
        raise click.UsageError("standard input is closed; name a file with -f")
    try:
        number = sys.stdin.fileno()
    except (OSError, ValueError):  # a stream of a test, without a file descriptor
        yield _without_bom(sys.stdin.buffer)
        return
    # Not `sys.stdin.buffer`: Python could not exit while another thread waits for it.
    yield _without_bom(open(number, "rb", closefd=False))  # noqa: SIM115  # a file descriptor


def lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines without their line ends."""
    for line in file:
        yield line.rstrip(b"\n").rstrip(b"\r")


def records(path: str, format: str) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Yield the columns of each row, and the reason why it can't be read or None.

    Raises:
        click.UsageError: The file is not in the format.
    """
    if format in ("parquet", "arrow"):
        yield from _columnar(path, format)
        return
    with opened(path) as file:
        rows = _json(file, path) if format == "jsonl" else _csv(file, path, format)
        yield from rows


def _json(file: IO[bytes], path: str) -> Iterator[tuple[dict[str, Any], str | None]]:
    has_rows = False
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            value: Any = json.loads(line)
            error = None if isinstance(value, dict) else f"line {number} is not an object"
        except (ValueError, RecursionError) as failure:
            value, error = None, f"line {number} is not JSON: {failure}"
        if error is not None and not has_rows:
            raise click.UsageError(
                f"{_named(path)}: {error}; if it has another format, name it with --in: "
                f"{', '.join(FORMATS)}"
            )
        has_rows = True
        yield ({}, error) if error else (value, None)


def _csv(file: IO[bytes], path: str, format: str) -> Iterator[tuple[dict[str, Any], str | None]]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    text = io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter="\t" if format == "tsv" else ",")
    try:
        empty: list[str] = []
        names = next(reader, empty)
        if len(set(names)) < len(names):
            raise click.UsageError(f"{_named(path)}: the first line names a column twice: {names}")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(names):
                problem = f"line {reader.line_num} has {len(cells)} cells, not {len(names)}"
                yield dict.fromkeys(names), problem
                continue
            yield dict(zip(names, cells, strict=True)), None
    except csv.Error as failure:
        raise click.UsageError(f"{_named(path)}: line {reader.line_num}: {failure}") from None
    finally:
        text.detach()


def _columnar(path: str, format: str) -> Iterator[tuple[dict[str, Any], str | None]]:
    from ..error import ArgumentError
    from ..extras import require
    from ..tables.sources import Columns, source_of

    if path == STDIN or not Path(path).is_file():
        raise click.UsageError(f"{format} can't be read from a pipe; name a file with -f")
    dataset, pa = require("pyarrow.dataset", "tables"), require("pyarrow", "tables")
    try:
        kind = "ipc" if format == "arrow" else format
        names = dataset.dataset(path, format=kind).schema.names
        batches = source_of(path, format=format).read(0, Columns(None, (), keep=tuple(names)))
        for batch in batches:
            for values in batch.to_pylist():
                yield values, None
    except (pa.ArrowInvalid, ArgumentError) as failure:
        raise click.UsageError(f"{path} can't be read as {format}: {failure}") from None


def _without_bom(file: IO[bytes]) -> IO[bytes]:
    raw: Any = file
    reader: Any = raw if hasattr(raw, "peek") else io.BufferedReader(raw)
    if reader.peek(len(BOM))[: len(BOM)] == BOM:
        reader.read(len(BOM))
    result: IO[bytes] = reader
    return result


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_column(path: str, name: str, names: Sequence[str], option: str) -> click.UsageError:
    shown = ", ".join(names[:20])
    return click.UsageError(f"{option}: {_named(path)} has no column {name!r}; it has {shown}")


def _named(path: str) -> str:
    """Return a path for messages; bytes that are not UTF-8 are escaped."""
    if path == STDIN:
        return "standard input"
    return os.fsencode(path).decode("utf-8", "backslashreplace")
