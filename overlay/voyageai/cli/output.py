r"""Write results in the format that the user chose, and notes on standard error.

`Console` writes what is not a result. `write_rows` and `write_object` write short results;
`Destination` takes bytes, for commands that stream. All output is UTF-8 with `\n`.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import unicodedata
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TextIO

import click

__all__ = [
    "VECTOR_FORMATS",
    "Console",
    "Declined",
    "Destination",
    "choose_format",
    "confirm",
    "object_text",
    "open_destination",
    "pass_console",
    "quantity",
    "table",
    "write_estimate",
    "write_object",
    "write_rows",
]

VECTOR_FORMATS = ("jsonl", "json", "csv", "parquet", "npy", "raw", "base64", "table")
"""Formats of vectors, which `vectors.py` writes."""
BINARY = ("parquet", "npy", "raw")
MAX_CELL = 60
SUFFIXES = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".npy": "npy",
    ".bin": "raw",
    ".b64": "base64",
    ".txt": "table",
}


class Console:
    """Write notes, warnings and errors to standard error, beside the results.

    Attributes:
        as_json: True if results and errors are JSON.
        quiet: True if notes are left out; warnings and errors are not.
        verbosity: Number of `-v` options.
        command: The running command, once its options are parsed.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.quiet = False
        self.verbosity = 0
        self.command: click.Command | None = None

    def note(self, text: str) -> None:
        """Write a note, unless `-q` was given."""
        if not self.quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Write a message even with `-q`; control characters are replaced."""
        text = "".join(char if char in "\n\t" else _printable(char) for char in text)
        with suppress(OSError, ValueError):  # standard error may be closed
            click.echo(text, err=True)

    def show_warning(
        self,
        message: Warning | str,
        category: type[Warning],  # noqa: ARG002
        filename: str,  # noqa: ARG002
        lineno: int,  # noqa: ARG002
        file: TextIO | None = None,  # noqa: ARG002
        line: str | None = None,  # noqa: ARG002
    ) -> None:
        """Write a Python warning on one line; the signature is that of `warnings.showwarning`."""
        self.error(f"voyageai: warning: {message}")

    @property
    def progress(self) -> bool | None:
        """Value of `progress` for the client's jobs."""
        return False if self.quiet else None


pass_console = click.make_pass_decorator(Console, ensure=True)


def choose_format(
    chosen: str | None, path: str | None, known: Sequence[str], piped: str = "jsonl"
) -> str:
    """Return the format of an output.

    Args:
        chosen: Value of `--out`.
        path: Value of `-O`; without `--out` its suffix chooses the format.
        known: Formats that the command writes.
        piped: Format without either option, if standard output is no terminal.

    Raises:
        click.UsageError: The suffix has no format, the command does not write the format, the
            format is binary and goes to a terminal, or the folder of `path` does not exist.
    """
    to_file = path not in (None, "-")
    if to_file:
        _check_folder(Path(str(path)))
    if chosen is None and to_file:
        suffix = Path(str(path)).suffix.lower()
        chosen = SUFFIXES.get(suffix)
        if chosen is None:
            raise click.UsageError(
                f"the suffix of {path} has no format; choose one with --out: {', '.join(known)}"
            )
    if chosen is None:
        chosen = "table" if is_terminal(sys.stdout) else piped
    if chosen not in known:
        raise click.UsageError(f"this command writes {', '.join(known)}, not {chosen}")
    if chosen in BINARY and not to_file and is_terminal(sys.stdout):
        raise click.UsageError(
            f"{chosen} can't be written to a terminal; name a file with -O, or use a pipe"
        )
    return chosen


def is_terminal(stream: IO[Any] | None) -> bool:
    """Return True if a stream is open and is a terminal."""
    return stream is not None and stream.isatty()


class Destination:
    """Destination of results: standard output, or a file that appears when it is complete.

    Attributes:
        write: Write some bytes.
        flush: Pass buffered bytes on to the reader of a pipe.
    """

    def __init__(self, write: Callable[[bytes], object], flush: Callable[[], object]) -> None:
        self.write = write
        self.flush = flush


@contextmanager
def open_destination(path: str | None) -> Generator[Destination]:
    """Open standard output, or a file that is replaced at the end, unless an exception is raised.

    Args:
        path: Path of the file; None or `-` for standard output.

    Raises:
        click.UsageError: Standard output is closed, or the file's folder does not exist.
    """
    if path in (None, "-"):
        if sys.stdout is None:
            raise click.UsageError("standard output is closed; name a file with -O")
        stream = sys.stdout.buffer
        yield Destination(stream.write, stream.flush)
        stream.flush()
        return
    target = Path(str(path))
    _check_folder(target)
    if target.exists() and not target.is_file() and not target.is_dir():  # /dev/null, a pipe
        with target.open("wb") as device:
            yield Destination(device.write, device.flush)
        return
    from ..files.writing import AtomicFile

    with AtomicFile(target.resolve()) as file:
        file.open(0)
        yield Destination(file.write, lambda: None)
        file.complete()


def _check_folder(target: Path) -> None:
    if not target.parent.is_dir():
        raise click.UsageError(
            f"there is no folder {target.parent} for {target.name}; make it first"
        )


def write_rows(
    rows: Iterable[Mapping[str, Any]],
    format: str,
    path: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    cells: Callable[[Mapping[str, Any]], Sequence[object]] | None = None,
) -> None:
    """Write rows as `json`, `jsonl`, `csv` or `table`.

    Args:
        rows: The rows; `jsonl` and `csv` are written row by row.
        format: Format of the output.
        path: Path of the file; standard output by default.
        columns: Headings of `csv` and `table`; by default the keys of the first row.
        cells: Function that returns the cells of a row of a table; by default its values.
    """
    with open_destination(path) as out:
        if format == "jsonl":
            for row in rows:
                out.write(to_json(row).encode() + b"\n")
                out.flush()
            return
        if format == "json":
            texts = [to_json(row) for row in rows]
            out.write(b"[" + ",\n ".join(texts).encode() + b"]\n")
            return
        if format == "csv":
            heading: Sequence[str] | None = columns
            for row in rows:
                if heading is None or heading is columns:
                    heading = list(columns or row)
                    out.write(csv_line(heading))
                out.write(csv_line([row.get(name) for name in heading]))
            return
        found_rows = list(rows)
        heading = list(columns or (found_rows[0] if found_rows else ()))
        lines = [
            [*map(str, cells(row))] if cells else [shown(row.get(name)) for name in heading]
            for row in found_rows
        ]
        out.write(table(heading, lines).encode())


def write_object(value: Mapping[str, Any], format: str, path: str | None = None) -> None:
    """Write one object: as `json` or `jsonl`, or as a `table` of names and values."""
    with open_destination(path) as out:
        out.write(object_text(value, format))


def object_text(value: Mapping[str, Any], format: str) -> bytes:
    """Return the bytes that `write_object` writes."""
    if format == "table":
        width = max(map(len, value), default=0)
        lines = [f"{name:{width}}  {shown(found)}\n" for name, found in value.items()]
        return "".join(lines).encode()
    return to_json(value, indent=1 if format == "json" else None).encode() + b"\n"


def write_estimate(found: Any, out: str | None, path: str | None, **more: Any) -> None:
    """Write an estimate of a table or a job."""
    format = choose_format(out, path, ("json", "jsonl", "table"))
    lower, upper = found.cost_range or (None, None)
    value = {
        "model": found.model,
        "rows": found.rows,
        "tokens": found.tokens,
        "most_tokens": found.most_tokens,
        **more,
        "cost_usd": found.cost,
        "least_cost_usd": lower,
        "most_cost_usd": upper,
    }
    write_object(value, format, path)


class Declined(click.ClickException):
    """The user answered no to a question."""

    exit_code = 6  # that of exceeding --max-cost


def confirm(question: str, declined: str, *, yes: bool) -> None:
    """Ask on a terminal whether to continue.

    Args:
        question: The question.
        declined: Message for the answer no: what was not done.
        yes: True to continue without asking.

    Raises:
        Declined: The answer is no.
        click.UsageError: Standard input is no terminal.
    """
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise click.UsageError("this needs --yes without a terminal to ask on")
    if not click.confirm(question, err=True):
        raise Declined(declined)


def quantity(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number of things in words, such as `1 row` or `2,000 rows`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def to_json(value: object, indent: int | None = None) -> str:
    """Return JSON without escaping letters of any script; times become text."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def csv_line(cells: Iterable[object]) -> bytes:
    """Return a line of CSV; values other than text and numbers are written as JSON."""
    line = io.StringIO()
    plain = [
        cell if cell is None or isinstance(cell, (str, int, float)) else to_json(cell)
        for cell in cells
    ]
    csv.writer(line, lineterminator="\n").writerow(plain)
    return line.getvalue().encode()


def shown(value: object) -> str:
    """Return a value as a cell of a table, with control characters replaced."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = value if isinstance(value, str) else to_json(value)
    text = " ".join(text.split())
    return "".join(map(_printable, text))


def beginning(text: str) -> str:
    """Return the beginning of a text, for a cell of a table."""
    found = shown(text)
    return found if len(found) <= MAX_CELL else f"{found[:MAX_CELL]}…"


def table(heading: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Lay out rows as a table: numbers right-aligned, lines cut to the width.

    Args:
        heading: Names of the columns.
        rows: Cells of each row, as many as there are columns.
        width: Columns of the terminal to cut lines to; by default its own, and no limit without
            one.
    """
    if width is None and is_terminal(sys.stdout):
        width = shutil.get_terminal_size().columns
    lines = [list(heading), *map(list, rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    right = [
        bool(rows) and all(_is_number(row[place]) for row in rows) for place in range(len(heading))
    ]
    found: list[str] = []
    for number, line in enumerate(lines):
        padded = [
            " " * (size - _width(cell)) + cell if to_right else cell + " " * (size - _width(cell))
            for cell, size, to_right in zip(line, widths, right, strict=True)
        ]
        text = "  ".join(padded).rstrip()
        text = text if width is None else _cut(text, width)
        found.append(click.style(text, bold=True) if number == 0 and _colored() else text)
    return "".join(line + "\n" for line in found)


def _printable(char: str) -> str:
    # Surrogates stand for bytes of a file name that is not UTF-8; the stream escapes them.
    if char.isprintable() or "\ud800" <= char <= "\udfff":
        return char
    return "\N{REPLACEMENT CHARACTER}"


def _colored() -> bool:
    ctx = click.get_current_context(silent=True)
    chosen = None if ctx is None else ctx.color
    return is_terminal(sys.stdout) if chosen is None else chosen


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.lstrip("-$").replace(",", "")[:1].isdigit()


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) >= width:
        text = text[:-1]
    return text.rstrip() + "…"
