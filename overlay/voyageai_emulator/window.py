"""What was used in the last minute."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

__all__ = ["Window"]

SECONDS = 60
MOST = 10_000
"""Entries to keep apart. Beyond them requests are counted as one entry, which lasts as long as the
latest of them."""


class _Entry(NamedTuple):
    """Requests that count until some time."""

    until: float
    requests: int
    tokens: int


class Window:
    """Counts requests and their tokens, each for a minute.

    Attributes:
        requests: Those that count, as of the last `roll`.
        tokens: Theirs.

    Example:
        >>> window = Window()
        >>> window.add(100.0, tokens=7)
        >>> window.roll(159.0)
        >>> window.requests, window.tokens
        (1, 7)
        >>> window.roll(160.0)
        >>> window.requests, window.tokens
        (0, 0)
    """

    def __init__(self) -> None:
        self.requests = 0
        self.tokens = 0
        self._entries: deque[_Entry] = deque()

    def add(self, now: float, tokens: int) -> None:
        """Count a request."""
        entry = _Entry(now + SECONDS, 1, tokens)
        if len(self._entries) >= MOST:
            last = self._entries.pop()
            entry = _Entry(entry.until, last.requests + 1, last.tokens + tokens)
        self._entries.append(entry)
        self.requests += 1
        self.tokens += tokens

    def roll(self, now: float) -> None:
        """Stop counting what is a minute old."""
        while self._entries and self._entries[0].until <= now:
            entry = self._entries.popleft()
            self.requests -= entry.requests
            self.tokens -= entry.tokens

    def wait(self, now: float, requests: int, tokens: int) -> float | None:
        """Seconds until so many fewer requests and tokens count; None if that is never."""
        until = now
        for entry in self._entries:
            if requests <= 0 and tokens <= 0:
                break
            requests -= entry.requests
            tokens -= entry.tokens
            until = entry.until
        return None if requests > 0 or tokens > 0 else until - now
