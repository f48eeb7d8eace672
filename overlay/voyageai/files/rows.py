"""Lines of a file that arrives in pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from ..error import MalformedResponseError


class Rows:
    """Makes rows of pieces of JSON Lines.

    Args:
        file_id: Id of the file, for errors.
    """

    def __init__(self, file_id: str) -> None:
        self._file_id = file_id
        self._number = 0
        self._begun: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """The rows that a piece ends.

        Raises:
            MalformedResponseError: A line is not a JSON object; says which.
        """
        *ended, rest = piece.split(b"\n")
        for line in ended:
            whole = b"".join((*self._begun, line)) if self._begun else line
            self._begun.clear()
            yield from self._row(whole)
        if rest:
            self._begun.append(rest)

    def end(self) -> Iterator[dict[str, Any]]:
        """The last row, if no newline ended it.

        Raises:
            MalformedResponseError: It is not a JSON object.
        """
        yield from self._row(b"".join(self._begun))

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
        start = line[:80].decode("utf-8", "replace")
        return MalformedResponseError(f"line {self._number} of {self._file_id} {reason}: {start!r}")
