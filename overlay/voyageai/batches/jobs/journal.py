"""What has happened to a job, one line of JSON each, added and never changed.

Each line ends with a sum of itself and all before it, so that a change of any of them is noticed.
An older release wrote none: such lines are taken as they are.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from .lines import damaged, dumps, loads
from .lock import journal_length, note_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from .folder import Folder

__all__ = ["Journal"]

Event = dict[str, Any]
SHOWN = 80
"""Bytes of a damaged line that are shown."""
LONGEST = 67_108_864
"""Bytes of a line that are read. Chosen: more than any has."""
SUM = b', "sum": "'
DIGITS = 16
"""How many of a sum are written."""


class Journal:
    """The journal of a job.

    What is to be done that must not be done twice is written down before it is done, and its
    outcome after. Each line is on the disk before `add` returns.

    Args:
        folder: The job's directory.
        now: Tells the time.
    """

    def __init__(self, folder: Folder, now: Callable[[], datetime]) -> None:
        self._folder, self._path = folder, folder.journal
        self._now = now
        self._whole = 0
        """Bytes of it that are whole lines."""
        self._digest = hashlib.sha256()
        """Of these bytes."""

    def read(self) -> Iterator[tuple[int, Event]]:
        """All that has happened, but for a line that a crash has torn: it says nothing yet.

        Returns:
            Each event with the number of its line.

        Raises:
            JobDirectoryError: It was changed by something else.
        """
        if not os.path.lexists(self._path):
            return
        least = journal_length(self._folder)
        with self._folder.open(self._path) as file:
            number = 0
            while (line := file.readline(LONGEST)).endswith(b"\n"):
                number += 1
                if line != b"\n":
                    yield number, self._event(line, number)
                self._whole += len(line)
                self._digest.update(line)
        if len(line) == LONGEST:
            raise damaged(self._path, f"it is longer than {LONGEST:,} bytes", number + 1)
        if self._whole < least:
            raise damaged(
                self._path,
                f"it was cut off after {self._whole:,} of {least:,} bytes, and only it tells what "
                "was sent and paid for",
                number + 1,
            )

    def _event(self, line: bytes, number: int) -> Event:
        body, has_sum, told = line.rpartition(SUM)
        try:
            event = dict(loads(line))
        except (ValueError, TypeError):
            raise damaged(self._path, repr(line[:SHOWN]), number) from None
        if has_sum and told != self._sum(body) + b'"}\n':
            raise damaged(self._path, "it is not as it was written", number)
        return event

    def _sum(self, body: bytes) -> bytes:
        digest = self._digest.copy()
        digest.update(body)
        return digest.hexdigest()[:DIGITS].encode()

    def add(self, event: str, **facts: Any) -> Event:
        """Write down what happens, after what was read, and give it back as it was written."""
        entry: Event = {"at": self._now().isoformat(), "event": event, **facts}
        body = dumps(entry).removesuffix(b"}\n")
        line = body + SUM + self._sum(body) + b'"}\n'
        with self._folder.open(self._path, "ab") as file:
            file.truncate(self._whole)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._whole += len(line)
        self._digest.update(line)
        note_length(self._folder, self._whole)
        return entry
