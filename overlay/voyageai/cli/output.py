r"""Write results in a format of the user's choice, and notes on standard error.

`Console` says what is not a result. `write_rows` and `write_object` write results of commands that
have few; `Destination` takes bytes, for commands that stream. All of them write UTF-8 with `\n`.
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
    "counted",
    "object_text",
    "open_destination",
    "pass_console",
    "table",
    "write_estimate",
    "write_object",
    "write_rows",
]

VECTOR_FORMATS = ("jsonl", "json", "csv", "parquet", "npy", "raw", "base64", "table")
"""Formats of vectors, which `vectors.py` writes."""
BINARY = ("parquet", "npy", "raw")
TEXT_SHOWN = 60
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
    """Notes, warnings and errors beside the results, on standard error.

    Attributes:
        as_json: Whether results and errors are JSON.
        quiet: Whether notes are left out; warnings and errors are not.
        verbosity: 0, or how often `-v` was given.
        command: The command that runs, once its options are read.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.quiet = False
        self.verbosity = 0
        self.command: click.Command | None = None

    def note(self, text: str) -> None:
        """Say something that is worth knowing, unless `-q` was given."""
        if not self.quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Say something in any case: what would move the terminal's cursor is replaced."""
        text = "".join(char if char in "\n\t" else _printable(char) for char in text)
        with suppress(OSError, ValueError):  # standard error is closed
            click.echo(text, err=True)

    def show_warning(
        self,
        message: Warning | str,
        category: type[Warning],  # noqa: ARG002  # those of `warnings.showwarning`
        filename: str,  # noqa: ARG002
        lineno: int,  # noqa: ARG002
        file: TextIO | None = None,  # noqa: ARG002
        line: str | None = None,  # noqa: ARG002
    ) -> None:
        """Say a warning of Python's in a line."""
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
        chosen: What `--out` says.
        path: What `-O` says; without `--out` its suffix chooses.
        known: The formats that the command has.
        piped: The format without any of these, unless standard output is a terminal.

    Raises:
        click.UsageError: The suffix says nothing, or the command has no such format, or it is not
            for a terminal; or the file's folder is not there.
    """
    to_file = path not in (None, "-")
    if to_file:
        _check_folder(Path(str(path)))
    if chosen is None and to_file:
        suffix = Path(str(path)).suffix.lower()
        chosen = SUFFIXES.get(suffix)
        if chosen is None:
            raise click.UsageError(
                f"the suffix of {path} names no format; name one with --out: {', '.join(known)}"
            )
    if chosen is None:
        chosen = "table" if is_terminal(sys.stdout) else piped
    if chosen not in known:
        raise click.UsageError(f"this writes {', '.join(known)}, not {chosen}")
    if chosen in BINARY and not to_file and is_terminal(sys.stdout):
        raise click.UsageError(
            f"{chosen} is not for a terminal; name a file with -O, or use a pipe"
        )
    return chosen


def is_terminal(stream: IO[Any] | None) -> bool:
    """Return whether a stream is open, and is a terminal."""
    return stream is not None and stream.isatty()


class Destination:
    """Destination of results: standard output, or a file that is there when it is complete.

    Attributes:
        write: Takes bytes.
        flush: Makes sure that a reader at the other end of a pipe gets them.
    """

    def __init__(self, write: Callable[[bytes], object], flush: Callable[[], object]) -> None:
        self.write = write
        self.flush = flush


@contextmanager
def open_destination(path: str | None) -> Generator[Destination]:
    """Open standard output, or a file, which is replaced at the end if nothing was raised.

    Args:
        path: Path of the file; None or `-` for standard output.

    Raises:
        click.UsageError: Standard output is closed, or the file's folder is not there.
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
        raise click.UsageError(f"there is no folder {target.parent} for {target.name}")


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
        rows: The rows; for `jsonl` and `csv` they are written as they come.
        format: The format.
        path: Where to; standard output by default.
        columns: Headings of `csv` and `table`; by default the keys of the first row.
        cells: Makes the cells of a row of a table; by default its values.
    """
    with open_destination(path) as out:
        if format == "jsonl":
            for row in rows:
                out.write(to_json(row).encode() + b"\n")
                out.flush()
            return
        if format == "json":
            found = [to_json(row) for row in rows]
            out.write(b"[" + ",\n ".join(found).encode() + b"]\n")
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
    """Return what `write_object` writes."""
    if format == "table":
        width = max(map(len, value), default=0)
        lines = [f"{name:{width}}  {shown(found)}\n" for name, found in value.items()]
        return "".join(lines).encode()
    return to_json(value, indent=1 if format == "json" else None).encode() + b"\n"


def write_estimate(found: Any, out: str | None, path: str | None, **more: Any) -> None:
    """Write an estimate of a table or a job."""
    format = choose_format(out, path, ("json", "jsonl", "table"))
    least, most = found.cost_range or (None, None)
    value = {
        "model": found.model,
        "rows": found.rows,
        "tokens": found.tokens,
        "most_tokens": found.most_tokens,
        **more,
        "cost_usd": found.cost,
        "least_cost_usd": least,
        "most_cost_usd": most,
    }
    write_object(value, format, path)


class Declined(click.ClickException):
    """The answer to a question was no."""

    exit_code = 6  # as of what would cost more than --max-cost


def confirm(question: str, declined: str, *, yes: bool) -> None:
    """Ask on a terminal whether to go on.

    Args:
        question: The question.
        declined: Message if the answer is no: what was not done.
        yes: Whether to go on without asking.

    Raises:
        Declined: The answer is no.
        click.UsageError: Nobody can be asked.
    """
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise click.UsageError("this needs --yes where nobody can be asked")
    if not click.confirm(question, err=True):
        raise Declined(declined)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number of things as text, such as `1 row` or `2,000 rows`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def to_json(value: object, indent: int | None = None) -> str:
    """Return JSON, with letters of any script as they are, and times as text."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def csv_line(cells: Iterable[object]) -> bytes:
    """Return a line of CSV; what is no text or number is JSON in it."""
    line = io.StringIO()
    plain = [
        cell if cell is None or isinstance(cell, (str, int, float)) else to_json(cell)
        for cell in cells
    ]
    csv.writer(line, lineterminator="\n").writerow(plain)
    return line.getvalue().encode()


def shown(value: object) -> str:
    """Return a value as a cell of a table, without what would move a terminal's cursor."""
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
    """Return how a text begins, for a cell of a table."""
    found = shown(text)
    return found if len(found) <= TEXT_SHOWN else f"{found[:TEXT_SHOWN]}…"


def table(heading: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Return rows as a table for people: numbers to the right, the last column cut to the width.

    Args:
        heading: The names of the columns.
        rows: The cells.
        width: Columns of the terminal; by default as it has, and none where there is none.
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
    # Surrogates stand for bytes of a name that is no UTF-8: the stream escapes them.
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
