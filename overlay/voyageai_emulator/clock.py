"""The emulator's clock: rate limits, expiry and windows go by it, and it can be moved."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clock"]

LATEST = 221_845_392_000
"""The year 9000: what expires later than that still has a date."""


class Clock:
    """Seconds since 1970: another clock, and what it was advanced by. Safe to share.

    Args:
        source: The other clock; by default the machine's.

    Example:
        >>> clock = Clock(lambda: 100.0)
        >>> clock.advance(60)
        >>> clock()
        160.0
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._ahead = 0.0
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def __call__(self) -> float:
        """The time."""
        return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move forward; time goes on from there.

        Raises:
            ValueError: Backward, which time does not go, or beyond the year 9000.
        """
        if not seconds >= 0:
            raise ValueError(f"a clock is advanced by 0 seconds or more, not by {seconds}")
        with self._lock:
            if seconds > LATEST or self() + seconds > LATEST:
                raise ValueError(f"a clock is advanced to the year 9000 at most, not by {seconds}")
            self._ahead += seconds
            listeners = list(self._listeners)
        for tell in listeners:
            tell()

    def set(self, to: float) -> None:
        """Move forward to a time, in seconds since 1970.

        Raises:
            ValueError: It has passed, or is beyond the year 9000.
        """
        self.advance(to - self())

    def on_advance(self, tell: Callable[[], None]) -> None:
        """Call something whenever the clock is moved, from the thread that moves it."""
        with self._lock:
            self._listeners.append(tell)
