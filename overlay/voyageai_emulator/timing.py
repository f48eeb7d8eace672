"""The emulator's clock, which can be advanced, and the latency of responses."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clock", "Latency"]

LATEST = 221_845_392_000
"""The year 9000: times of expiry after it are still valid dates."""
BASE_SECONDS = 0.03
"""Seconds of the latency ``model`` for a request without tokens."""
TOKENS_PER_SECOND = 60_000
"""Tokens per second of the latency ``model``, shared by all concurrent requests."""


class Clock:
    """Seconds since 1970, for rate limits, expiry and batch jobs. Safe to share.

    Args:
        source: Clock that is advanced; by default the machine's.

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
        """Return the time in seconds."""
        return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Advance the clock by some seconds.

        Raises:
            ValueError: `seconds` is negative, or leads beyond the year 9000.
        """
        if not seconds >= 0:
            raise ValueError(f"a clock is advanced by 0 seconds or more, not by {seconds}")
        with self._lock:
            if seconds > LATEST or self() + seconds > LATEST:
                raise ValueError(f"a clock is advanced to the year 9000 at most, not by {seconds}")
            self._ahead += seconds
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def set(self, to: float) -> None:
        """Advance the clock to a time, in seconds since 1970.

        Raises:
            ValueError: The time is in the past, or beyond the year 9000.
        """
        self.advance(to - self())

    def on_advance(self, listener: Callable[[], None]) -> None:
        """Call a function whenever the clock is advanced, in the thread that advances it."""
        with self._lock:
            self._listeners.append(listener)


class Latency:
    """The latency of responses, which may depend on a request's tokens and the server's load.

    ``model`` is 0.03 seconds, plus one second for every 60,000 tokens, multiplied by the number of
    concurrent requests, which share the server. So a short text takes some hundredths of a second,
    120,000 tokens take two seconds, and twice that if there are two such requests. These figures
    are the emulator's own; they were not measured at the API.

    Args:
        setting: ``none``, ``model``, or a number of seconds.

    Raises:
        ValueError: `setting` is not ``none``, ``model`` or a number of seconds.

    Example:
        >>> Latency(0.2).seconds(tokens=10, in_flight=1)
        0.2
        >>> Latency("model").seconds(tokens=120_000, in_flight=1)
        2.03
    """

    _setting: str = "none"

    def __init__(self, setting: str | float = "none") -> None:
        self._setting = str(setting)
        self._is_model = setting == "model"
        self._base = _base_seconds(setting)

    def __str__(self) -> str:
        """Return ``none``, ``model``, or a number of seconds."""
        return self._setting

    def __repr__(self) -> str:
        return f"Latency({self._setting!r})"

    def seconds(self, tokens: int, in_flight: int) -> float:
        """Return the seconds for a request.

        Args:
            tokens: Tokens of the request.
            in_flight: Number of concurrent requests, including this one.
        """
        return self._base + tokens * in_flight / TOKENS_PER_SECOND if self._is_model else self._base


def _base_seconds(setting: str | float) -> float:
    if setting == "model":
        return BASE_SECONDS
    if setting == "none":
        return 0.0
    try:
        seconds = float(setting)
    except (TypeError, ValueError):
        seconds = math.nan
    if isinstance(setting, bool) or not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"latency must be none, model or seconds from 0, not {setting!r}")
    return seconds
