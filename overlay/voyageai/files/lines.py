"""JSON Lines: checked and encoded for uploads, decoded as downloads arrive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, NoReturn, cast

from voyageai_rest.catalogue import BATCH
from voyageai_rest.errors import ShapeError
from voyageai_rest.models import BatchInputLine

from ..error import ArgumentError, MalformedResponseError

MAX_LINE_BYTES = 64 * 1024 * 1024
"""Most bytes of a line, to bound the memory."""
SHOWN = 80
"""Characters of a line that errors show."""


class LineCheck:
    """Checks the lines of a batch's input file, one after another.

    It keeps 16 bytes per line, to find duplicates of `custom_id`.

    Args:
        max_lines: Most lines of a file.
        max_bytes: Most bytes of a line.

    Attributes:
        lines: Number of lines that were checked.
        max_bytes: Most bytes of a line.
    """

    def __init__(self, max_lines: int = BATCH.max_inputs, max_bytes: int = MAX_LINE_BYTES) -> None:
        self.lines = 0
        self.max_bytes = max_bytes
        self._max_lines = max_lines
        self._seen: dict[bytes, int] = {}

    def raw(self, line: bytes) -> None:
        """Check an encoded line.

        Raises:
            ArgumentError: The line is wrong; the message has its number and the reason.
        """
        if len(line) > self.max_bytes:
            self.lines += 1
            self._fail(f"is longer than {self.max_bytes} bytes")
        try:
            row = json.loads(line.decode(), parse_constant=_no_number)
        except (ValueError, RecursionError) as failure:
            self.lines += 1
            self._fail(_not_json(line, failure))
        self.row(row)

    def row(self, row: object) -> None:
        """Check a decoded line.

        Raises:
            ArgumentError: The line is wrong; the message has its number and the reason.
        """
        self.lines += 1
        if self.lines > self._max_lines:
            raise ArgumentError(
                f"the file has more than {self._max_lines:,} lines, the most that a batch takes; "
                "split it into several files",
                "source",
            )
        try:
            name = BatchInputLine.from_dict(row).custom_id
        except ShapeError as failure:
            self._fail(f"is no line of a batch: {failure}")
        if not name:
            self._fail("has an empty custom_id; give each line a name of its own")
        digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        first = self._seen.setdefault(digest, self.lines)
        if first != self.lines:
            self._fail(f"has the same custom_id as line {first}: {name[:SHOWN]!r}")

    def _fail(self, reason: str) -> NoReturn:
        raise ArgumentError(f"line {self.lines} {reason}", f"source[{self.lines - 1}]")


def _not_json(line: bytes, failure: Exception) -> str:
    """Return why a line is not JSON, with plain words for the most common reasons."""
    if not line.strip():
        return "is empty; remove it"
    if line.startswith(b"\xef\xbb\xbf"):
        return "begins with a byte order mark; save the file as UTF-8 without one"
    if isinstance(failure, UnicodeDecodeError):
        return f"is not UTF-8 ({failure})"
    start = line[:SHOWN].decode("utf-8", "replace").rstrip()
    return f"is not JSON ({failure}): {start!r}"


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def encode(row: Any, number: int) -> bytes:
    """Encode a row as a line, with its newline.

    Args:
        row: The row, as JSON values.
        number: Number of the line, from 1, for errors.

    Raises:
        ArgumentError: The row can't be encoded as JSON.
    """
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except UnicodeEncodeError as failure:
        reason = f"holds a lone surrogate ({failure.object[failure.start]!r})"
    except (TypeError, ValueError, RecursionError) as failure:
        reason = f"can't be written as JSON: {failure}"
    raise ArgumentError(f"line {number} {reason}", f"source[{number - 1}]")


class LineReader:
    """Decodes the lines of a file that arrives in pieces.

    Args:
        file_id: Id of the file, for errors.
    """

    def __init__(self, file_id: str) -> None:
        self._file_id = file_id
        self._number = 0
        self._incomplete: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """Yield the rows that end in a piece.

        Raises:
            MalformedResponseError: A line is not a JSON object; the message has its number.
        """
        *ended, rest = piece.split(b"\n")
        for line in ended:
            whole = b"".join((*self._incomplete, line)) if self._incomplete else line
            self._incomplete.clear()
            yield from self._row(whole)
        if rest:
            self._incomplete.append(rest)

    def end(self) -> Iterator[dict[str, Any]]:
        """Yield the last row, if it has no newline.

        Raises:
            MalformedResponseError: The last line is not a JSON object.
        """
        yield from self._row(b"".join(self._incomplete))

    def _row(self, line: bytes) -> Iterator[dict[str, Any]]:
        self._number += 1
        if not line.strip():
            return
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as failure:
            raise self._error(f"is not JSON ({failure})", line) from None
        if not isinstance(row, dict):
            raise self._error("is not a JSON object", line)
        yield cast("dict[str, Any]", row)

    def _error(self, reason: str, line: bytes) -> MalformedResponseError:
        start = line[:SHOWN].decode("utf-8", "replace")
        return MalformedResponseError(f"line {self._number} of {self._file_id} {reason}: {start!r}")
