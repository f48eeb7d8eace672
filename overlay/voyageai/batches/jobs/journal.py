"""The journal of a job: its events, which record what must not be done twice."""

from __future__ import annotations

import hashlib
import os
from typing import IO, TYPE_CHECKING, Any

from .directory import damaged
from .lines import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .directory import JobDirectory

__all__ = ["Event", "Journal"]

SHOWN = 80
"""Bytes of a damaged line that are shown."""
MAX_LINE_BYTES = 67_108_864
"""Most bytes of a line of the journal. Chosen: more than any has."""
CHECKSUM = b', "sum": "'
CHECKSUM_DIGITS = 16
"""Hexadecimal digits of a checksum."""

Event = dict[str, Any]
"""A decoded line of the journal."""


class Journal:
    """The journal of a job: its events, one JSON object per line, only ever appended.

    Each line ends with a checksum of itself and all lines before it, which reveals any change.
    Lines of older releases have no checksum and are accepted.

    An action that must not be repeated is recorded before it is done, and its outcome afterwards.
    Each line is flushed to disk before `add` returns.

    Args:
        directory: The job's directory.
    """

    def __init__(self, directory: JobDirectory) -> None:
        self._directory, self._path = directory, directory.journal
        self._length = 0
        """Bytes of all complete lines."""
        self._digest = hashlib.sha256()
        """Digest of these bytes."""
        self._file: IO[bytes] | None = None
        """The open file, from the first write on."""

    def read(self) -> Iterator[tuple[int, Event]]:
        """Yield all events, each with the number of its line.

        An incomplete last line, cut off by a crash, is ignored.

        Raises:
            JobDirectoryError: The journal was changed or truncated.
        """
        if not os.path.lexists(self._path):
            return
        min_length = self._directory.journal_length()
        with self._directory.open(self._path) as file:
            number = 0
            while (line := file.readline(MAX_LINE_BYTES)).endswith(b"\n"):
                number += 1
                if line != b"\n":
                    yield number, self._event(line, number)
                self._length += len(line)
                self._digest.update(line)
        if len(line) == MAX_LINE_BYTES:
            raise damaged(self._path, f"it is longer than {MAX_LINE_BYTES:,} bytes", number + 1)
        if self._length < min_length:
            raise damaged(
                self._path,
                f"it was cut off after {self._length:,} of {min_length:,} bytes, and is the only "
                "record of what was sent and paid for",
                number + 1,
            )

    def add(self, at: datetime, event: str, **facts: Any) -> Event:
        """Append an event after those that were read, and return it as written.

        The job's lock is held.

        Args:
            at: Time of the event.
            event: Name of the event.
            facts: Fields of the event.
        """
        entry: Event = {"at": at.isoformat(), "event": event, **facts}
        body = dumps(entry).removesuffix(b"}\n")
        line = body + CHECKSUM + self._checksum(body) + b'"}\n'
        if self._file is not None and not os.fstat(self._file.fileno()).st_nlink:
            self._file.close()  # the file was removed or replaced: write to the new one
            self._file = None
        if self._file is None:
            self._file = self._directory.hold_open(self._path, "ab")
        self._file.truncate(self._length)
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._length += len(line)
        self._digest.update(line)
        self._directory.note_journal_length(self._length)
        return entry

    def _event(self, line: bytes, number: int) -> Event:
        body, has_checksum, end = line.rpartition(CHECKSUM)
        try:
            event = dict(loads(line))
        except (ValueError, TypeError):
            raise damaged(self._path, repr(line[:SHOWN]), number) from None
        if has_checksum and end != self._checksum(body) + b'"}\n':
            raise damaged(self._path, "its checksum is wrong", number)
        return event

    def _checksum(self, body: bytes) -> bytes:
        """Return the checksum of all lines so far and a further one."""
        digest = self._digest.copy()
        digest.update(body)
        return digest.hexdigest()[:CHECKSUM_DIGITS].encode()
