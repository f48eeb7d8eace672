"""What has happened to a job, one line of JSON each, added and never changed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from .disk import dumps
from .errors import JobDirectoryError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

__all__ = ["Journal"]

Event = dict[str, Any]
SHOWN = 80
"""Bytes of a damaged line that are shown."""


class Journal:
    """The journal of a job.

    What is to be done that must not be done twice is written down before it is done, and its
    outcome after. Each line is on the disk before `add` returns.

    Args:
        path: Where it is kept.
        now: Tells the time.
    """

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self._whole = 0
        """Bytes of it that are whole lines."""

    def read(self) -> list[Event]:
        """All that has happened, but for a line that a crash has torn: it says nothing yet.

        Raises:
            JobDirectoryError: It was changed by something else.
        """
        if not self._path.is_file():
            return []
        content = self._path.read_bytes()
        self._whole = content.rfind(b"\n") + 1
        lines = content[: self._whole].splitlines()
        return [self._event(line, number) for number, line in enumerate(lines, 1) if line]

    def _event(self, line: bytes, number: int) -> Event:
        try:
            return dict(json.loads(line))
        except (ValueError, TypeError) as failure:
            raise JobDirectoryError(
                f"line {number} of {self._path} was damaged: {line[:SHOWN]!r}"
            ) from failure

    def add(self, event: str, **facts: Any) -> Event:
        """Write down what happens, after what was read, and give it back as it was written."""
        entry: Event = {"at": self._now().isoformat(), "event": event, **facts}
        with self._path.open("ab") as file:
            file.truncate(self._whole)
            self._whole += file.write(dumps(entry))
            file.flush()
            os.fsync(file.fileno())
        return entry
