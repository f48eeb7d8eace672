"""Uploads: lines are read once to be checked, and again to be sent, in pieces."""

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
"""Bytes that are processed between two points where a caller may stop."""
ENDING = ".jsonl"
UNNAMED = f"lines{ENDING}"

Rows = Iterable[Mapping[str, Any]]
UploadSource = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Rows
"""The types of the argument `source` of `upload`."""


class Source:
    """The lines of an upload, as a binary file from 0 to `size`.

    What can't be read twice is copied to a temporary file first, as the bytes that are sent must be
    those that were checked.

    Args:
        given: A path, bytes, a binary file from where it stands, or rows.
        filename: The name of the stored file; by default that of the path or the file.

    Attributes:
        filename: The name of the stored file.
        size: Its bytes; known once it is prepared.
        position: Bytes that were read since its beginning.

    Raises:
        ArgumentError: It is none of these, or its name does not end in `.jsonl`.
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
            self._file = Path(given).open("rb")  # noqa: SIM115  # closed with the others
            self._owned.enter_context(self._file)
        elif isinstance(given, (bytes, bytearray, memoryview)):
            self._file = io.BytesIO(given)
        elif hasattr(given, "read"):
            self._file = _binary(given)
        else:
            self._rows = _rows(given)
            self._file = self._temporary()

    def prepare(self, lines: LineCheck | None) -> Generator[None]:
        """Make it ready to be sent, in steps that take little time each.

        Args:
            lines: Checks the lines; None for no check.

        Raises:
            ArgumentError: A line is wrong; says which and why.
            OSError: It can't be read, or there is no space for the temporary file.
        """
        if self._rows is not None:
            yield from self._write(self._rows, lines)
            lines = None  # as they came
        elif not self._seekable():
            yield from self._spool()
        self.size = self._file.seek(0, os.SEEK_END) - self._start
        self.seek(0)
        if lines is not None:
            yield from self._check(lines)
            self.seek(0)
        if not self.size:
            raise ArgumentError("there is nothing to upload: it is empty", "source")

    def _seekable(self) -> bool:
        """Return whether it can be read twice, and its end is known."""
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
        """Copy a file that can be read only once to a temporary one."""
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

    # The methods of a file that the HTTP library uses.

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes.

        Raises:
            ArgumentError: The file is no longer as long as it was.
        """
        left = self.size - self.position
        wanted = left if size < 0 else min(size, left)
        piece = self._file.read(wanted)
        shrunk, grown = wanted and not piece, not left and self._file.read(1)
        if shrunk or grown:
            raise ArgumentError(
                f"{self.filename} was changed by something else while it was uploaded", "source"
            )
        self.position += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position, and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.size}[whence]
        self.position = base + offset
        self._file.seek(self._start + self.position)
        return self.position

    def tell(self) -> int:
        """Return the position."""
        return self.position

    def seekable(self) -> bool:
        """Return True: it can be read again."""
        return True

    def close(self) -> None:
        """Close the path that was opened, and remove the temporary file."""
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
            f"pass filename={UNNAMED!r} if that is what it holds",
            "filename",
        )
    return name


def _rows(given: object) -> Iterable[Any]:
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise ArgumentError(
            "source must be a path, bytes, a file opened with 'rb', or an iterable of rows, "
            f"not a {type(given).__name__}",  # pyright: ignore[reportUnknownArgumentType]  # anything
            "source",
        )
    rows: Iterable[Any] = given  # pyright: ignore[reportUnknownVariableType]  # items are looked at one by one
    return rows


def _binary(file: Any) -> IO[bytes]:
    if not isinstance(file.read(0), bytes):
        raise ArgumentError(
            f"a {type(file).__name__} gives text, not bytes; open the file with 'rb'", "source"
        )
    binary: IO[bytes] = file
    return binary
