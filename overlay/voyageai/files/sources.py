"""Sources of uploads: lines that are read once to be checked, and again to be sent."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from voyageai_rest.types import to_json

from ..error import ArgumentError
from .lines import LineCheck, encode

STEP = 1024 * 1024
"""Bytes that are processed per step of `Source.prepare`."""
ENDING = ".jsonl"
UNNAMED = f"lines{ENDING}"

Rows = Iterable[Mapping[str, Any]]
UploadSource = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Rows
"""The types of the argument `source` of `upload`."""


class Source:
    """The lines of an upload, with the interface of a binary file.

    A source that can't be read twice is copied to a temporary file first, so that the bytes that
    are sent are those that were checked.

    Args:
        given: A path, bytes, a binary file (read from its current position), or rows.
        filename: Name of the stored file; by default that of the path or the file.

    Attributes:
        filename: Name of the stored file.
        size: Size in bytes, once prepared.
        position: Current position, from 0 to `size`.

    Raises:
        ArgumentError: `given` is none of these, or the name does not end in `.jsonl`.
        OSError: The path can't be opened.
    """

    def __init__(self, given: UploadSource, filename: str | None = None) -> None:
        self.size = 0
        self.position = 0
        self._start = 0
        self._rows: Iterable[Any] | None = None
        self._file: IO[bytes]
        self._owned = ExitStack()
        self.filename = _name(given, filename)
        if isinstance(given, (str, os.PathLike)):
            self._file = Path(given).open("rb")  # noqa: SIM115  # closed by `close`
            self._owned.enter_context(self._file)
        elif isinstance(given, (bytes, bytearray, memoryview)):
            self._file = io.BytesIO(given)
        elif hasattr(given, "read"):
            self._file = _binary(given)
        else:
            self._rows = _rows(given)
            self._file = self._temporary()

    def prepare(self, lines: LineCheck | None) -> Generator[None]:
        """Prepare the source for sending, in short steps between which a caller may stop.

        Args:
            lines: The check of the lines; None for no check.

        Raises:
            ArgumentError: A line is wrong; the message has its number and the reason.
            OSError: The source can't be read, or there is no space for the temporary file.
        """
        if self._rows is not None:
            yield from self._write(self._rows, lines)
            lines = None  # checked while they were written
        elif not self._seekable():
            yield from self._spool()
        self.size = self._file.seek(0, os.SEEK_END) - self._start
        self.seek(0)
        if lines is not None:
            yield from self._check(lines)
            self.seek(0)
        if not self.size:
            raise ArgumentError("source is empty; it needs at least one line", "source")

    def _seekable(self) -> bool:
        """Return whether the file can be read twice."""
        try:
            if not self._file.seekable():
                return False
            self._start = self._file.tell()
            self._file.seek(0, os.SEEK_END)
            self._file.seek(self._start)
        except (AttributeError, OSError, ValueError):  # ValueError: a compressed file
            return False
        return True

    def _write(self, rows: Iterable[Any], lines: LineCheck | None) -> Generator[None]:
        """Write rows to the temporary file."""
        written = 0
        for number, given in enumerate(rows, 1):
            row = to_json(given)
            if lines is not None:
                lines.row(row)
            elif not isinstance(row, Mapping):
                raise ArgumentError(
                    f"line {number} must be a mapping, not a {type(given).__name__}",
                    f"source[{number - 1}]",
                )
            written += self._file.write(encode(row, number))
            if written >= STEP:
                written = 0
                yield

    def _spool(self) -> Generator[None]:
        """Copy a file that can be read only once to a temporary file."""
        original, self._start = self._file, 0
        self._file = self._temporary()
        while piece := original.read(STEP):
            self._file.write(piece)
            yield

    def _check(self, lines: LineCheck) -> Generator[None]:
        seen = 0
        while line := self._file.readline(lines.max_bytes + 1):
            lines.raw(line)
            seen += len(line)
            if seen >= STEP:
                seen = 0
                yield

    def _temporary(self) -> IO[bytes]:
        return self._owned.enter_context(tempfile.TemporaryFile(prefix="voyageai-"))

    # The methods of a file that the HTTP library calls.

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes.

        Raises:
            ArgumentError: The size of the file has changed.
        """
        left = self.size - self.position
        wanted = left if size < 0 else min(size, left)
        piece = self._file.read(wanted)
        shrunk, grown = wanted and not piece, not left and self._file.read(1)
        if shrunk or grown:
            raise ArgumentError(
                f"{self.filename} changed while it was uploaded; upload it again", "source"
            )
        self.position += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.size}[whence]
        self.position = base + offset
        self._file.seek(self._start + self.position)
        return self.position

    def tell(self) -> int:
        """Return the position."""
        return self.position

    def seekable(self) -> bool:
        """Return True: the source can be read again."""
        return True

    def close(self) -> None:
        """Close an opened path, and remove the temporary file."""
        self._owned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _name(given: UploadSource, filename: str | None) -> str:
    own: object = given if isinstance(given, (str, os.PathLike)) else getattr(given, "name", None)
    name: Any = filename
    if name is None:
        name = Path(own).name if isinstance(own, (str, Path)) else UNNAMED
    if not isinstance(name, str) or not name.lower().endswith(ENDING):
        raise ArgumentError(
            f"files are JSON Lines with a name that ends in {ENDING}, not {name!r}; "
            f"pass filename={UNNAMED!r} if the source is JSON Lines",
            "filename",
        )
    return name


def _rows(given: object) -> Iterable[Any]:
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise ArgumentError(
            "source must be a path, bytes, a file opened with 'rb', or an iterable of rows, "
            f"not a {type(given).__name__}",  # pyright: ignore[reportUnknownArgumentType]  # may be anything
            "source",
        )
    rows: Iterable[Any] = given  # pyright: ignore[reportUnknownVariableType]  # checked one by one
    return rows


def _binary(file: Any) -> IO[bytes]:
    if not isinstance(file.read(0), bytes):
        raise ArgumentError(
            f"source is a text file ({type(file).__name__}); open it with 'rb'", "source"
        )
    binary: IO[bytes] = file
    return binary
