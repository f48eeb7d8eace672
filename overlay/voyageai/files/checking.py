"""Lines of a file for batch jobs, looked at before they are uploaded."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, NoReturn

from voyageai_rest.catalogue import BATCH
from voyageai_rest.errors import ShapeError
from voyageai_rest.models import BatchInputLine

from ..error import ArgumentError

LONGEST = 64 * 1024 * 1024
"""Bytes of a line that are read; more would not stay within a reasonable memory."""
SHOWN = 80
"""Characters of a line that an error shows."""


class LineCheck:
    """Checks lines one after another, and keeps 16 bytes of each: its `custom_id` is unique."""

    def __init__(self) -> None:
        self.lines = 0
        self._seen: dict[bytes, int] = {}

    def raw(self, line: bytes) -> None:
        """Check a line as it stands in a file.

        Raises:
            ArgumentError: Says which line is wrong, and why.
        """
        if len(line) > LONGEST:
            self.lines += 1
            self._refuse(f"is longer than {LONGEST} bytes")
        try:
            row = json.loads(line.decode(), parse_constant=_no_number)
        except (ValueError, RecursionError) as failure:
            self.lines += 1
            self._refuse(_not_json(line, failure))
        self.row(row)

    def row(self, row: object) -> None:
        """Check a line as an object.

        Raises:
            ArgumentError: Says which line is wrong, and why.
        """
        self.lines += 1
        if self.lines > BATCH.max_inputs:
            raise ArgumentError(
                f"the file has more than {BATCH.max_inputs:,} lines, the most that a batch takes; "
                "split it into several files",
                "source",
            )
        try:
            name = BatchInputLine.from_dict(row).custom_id
        except ShapeError as failure:
            self._refuse(f"is no line of a batch: {failure}")
        if not name:
            self._refuse("has an empty custom_id; give each line a name of its own")
        digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        first = self._seen.setdefault(digest, self.lines)
        if first != self.lines:
            self._refuse(f"has the same custom_id as line {first}: {name[:SHOWN]!r}")

    def _refuse(self, reason: str) -> NoReturn:
        raise ArgumentError(f"line {self.lines} {reason}", f"source[{self.lines - 1}]")


def _not_json(line: bytes, failure: Exception) -> str:
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
    """A row as a line.

    Args:
        row: A mapping, or a model of `voyageai_rest`.
        number: Of the line, from 1.

    Raises:
        ArgumentError: It can't be one.
    """
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except UnicodeEncodeError as failure:
        reason = f"holds a lone surrogate ({failure.object[failure.start]!r})"
    except (TypeError, ValueError, RecursionError) as failure:
        reason = f"can't be written as JSON: {failure}"
    raise ArgumentError(f"line {number} {reason}", f"source[{number - 1}]")
