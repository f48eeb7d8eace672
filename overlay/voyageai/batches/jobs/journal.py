"""The journal of a job: its events, one line of JSON each, appended and never changed.

Each line ends with a checksum of itself and all lines before it, so that a change of any of them is
noticed. An older release wrote none: such lines are taken as they are.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from .directory import damaged
from .lines import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from .directory import JobDirectory

__all__ = ["Event", "Journal"]

Event = dict[str, Any]
SHOWN = 80
"""Bytes of a damaged line that are shown."""
LONGEST = 67_108_864
"""Bytes of a line that are read. Chosen: more than any has."""
SUM = b', "sum": "'
DIGITS = 16
"""Hexadecimal digits of a checksum that are written."""


class Journal:
    """The journal of a job.

    An action that must not be done twice is written down before it is done, and its outcome after.
    Each line is on the disk before `add` returns.

    Args:
        directory: The job's directory.
        now: Returns the time.
    """

    def __init__(self, directory: JobDirectory, now: Callable[[], datetime]) -> None:
        self._directory, self._path = directory, directory.journal
        self._now = now
        self._length = 0
        """Bytes of its complete lines."""
        self._digest = hashlib.sha256()
        """Digest of these bytes."""

    def read(self) -> Iterator[tuple[int, Event]]:
        """Read all events. A last line that a crash has cut off is left out: it says nothing yet.

        Returns:
            Each event with the number of its line.

        Raises:
            JobDirectoryError: The journal was changed by something else.
        """
        if not os.path.lexists(self._path):
            return
        least = self._directory.journal_length()
        with self._directory.open(self._path) as file:
            number = 0
            while (line := file.readline(LONGEST)).endswith(b"\n"):
                number += 1
                if line != b"\n":
                    yield number, self._event(line, number)
                self._length += len(line)
                self._digest.update(line)
        if len(line) == LONGEST:
            raise damaged(self._path, f"it is longer than {LONGEST:,} bytes", number + 1)
        if self._length < least:
            raise damaged(
                self._path,
                f"it was cut off after {self._length:,} of {least:,} bytes, and only it tells what "
                "was sent and paid for",
                number + 1,
            )

    def add(self, event: str, **facts: Any) -> Event:
        """Append an event to those that were read, and return it as it was written."""
        entry: Event = {"at": self._now().isoformat(), "event": event, **facts}
        body = dumps(entry).removesuffix(b"}\n")
        line = body + SUM + self._sum(body) + b'"}\n'
        with self._directory.open(self._path, "ab") as file:
            file.truncate(self._length)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._length += len(line)
        self._digest.update(line)
        self._directory.note_journal_length(self._length)
        return entry

    def _event(self, line: bytes, number: int) -> Event:
        body, has_sum, end = line.rpartition(SUM)
        try:
            event = dict(loads(line))
        except (ValueError, TypeError):
            raise damaged(self._path, repr(line[:SHOWN]), number) from None
        if has_sum and end != self._sum(body) + b'"}\n':
            raise damaged(self._path, "it is not as it was written", number)
        return event

    def _sum(self, body: bytes) -> bytes:
        """Return the checksum of all lines so far and this one."""
        digest = self._digest.copy()
        digest.update(body)
        return digest.hexdigest()[:DIGITS].encode()
