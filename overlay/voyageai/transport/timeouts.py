"""How long a step of a request may take."""

from __future__ import annotations

import time
from typing import Literal

import httpx2
from attrs import frozen

Phase = Literal["connect", "read", "write", "pool"]

EXPIRED: dict[Phase, type[httpx2.TimeoutException]] = {
    "connect": httpx2.ConnectTimeout,
    "read": httpx2.ReadTimeout,
    "write": httpx2.WriteTimeout,
    "pool": httpx2.PoolTimeout,
}
DOING: dict[Phase, str] = {
    "connect": "opening a connection",
    "read": "waiting for the answer",
    "write": "sending the request",
    "pool": "waiting for a free connection",
}


@frozen
class Timeouts:
    """The timeouts of one request.

    Attributes:
        seconds: The longest that a step of each phase may take: all of a connection's opening, one
            piece written, the next piece read, the wait for a free connection. None for no bound.
        deadline: When, by `time.monotonic`, all must be over; None for never.
    """

    seconds: dict[str, float | None]
    deadline: float | None

    @classmethod
    def of(cls, request: httpx2.Request) -> Timeouts:
        """The timeouts that a request carries in its extensions `timeout` and `deadline`."""
        extensions = request.extensions
        return cls(extensions.get("timeout") or {}, extensions.get("deadline"))

    @property
    def endless(self) -> Timeouts:
        """The same without the deadline."""
        return Timeouts(self.seconds, None)

    def end(self, phase: Phase, start: float) -> float | None:
        """When, by `time.monotonic`, a step that began at `start` must be over."""
        seconds, deadline = self.seconds.get(phase), self.deadline
        if seconds is None:
            return deadline
        return start + seconds if deadline is None else min(start + seconds, deadline)

    def left(self, phase: Phase) -> float | None:
        """Seconds that a step which begins now may take.

        Raises:
            httpx2.TimeoutException: None are left.
        """
        now = time.monotonic()
        return until(self.end(phase, now), now, phase)


def until(end: float | None, now: float, phase: Phase) -> float | None:
    """Seconds from now to the end of a step.

    Raises:
        httpx2.TimeoutException: None are left.
    """
    if end is None:
        return None
    if end <= now:
        raise expired(phase)
    return end - now


def expired(phase: Phase) -> httpx2.TimeoutException:
    """The exception for a step that took too long."""
    return EXPIRED[phase](f"timed out {DOING[phase]}")
