"""The wait for the client's own rate limit before an attempt."""

from __future__ import annotations

from collections.abc import Callable, Generator
from threading import Lock
from typing import TYPE_CHECKING

import httpx2
from attrs import frozen

from ..error import DeadlineError
from ..flow import Sleep
from .logs import LOGGER

if TYPE_CHECKING:
    from ..ratelimit import RateLimiter, Reservation
    from ..retry import ServerHint

LOGGED_WAIT = 5.0
"""Seconds from which a wait is logged."""


@frozen
class RateLimitGate:
    """Holds back the attempts of one call until its rate limit has room for them.

    Attributes:
        limiter: The rate limiter, shared with other calls.
        model: Name of the call's model.
        tokens: Estimated tokens of the call.
        clock: A monotonic clock, in seconds.
        deadline: Time at which the call must end, by the clock; None for none.
        alive: A lock that the call holds until its end.
    """

    limiter: RateLimiter
    model: str
    tokens: int
    clock: Callable[[], float]
    deadline: float | None
    alive: Lock

    def wait(self, *, again: bool) -> Generator[Sleep, None, Reservation]:
        """Yield `Sleep` steps until an attempt may be sent, and return its reservation.

        Args:
            again: True for a retry.

        Raises:
            DeadlineError: The deadline would pass during the wait.
        """
        limiter, clock = self.limiter, self.clock
        reservation = limiter.reserve(
            self.model, self.tokens, clock(), again=again, alive=self.alive
        )
        admitted = logged = notified = False
        try:
            while (seconds := limiter.wait(reservation, clock())) > 0:
                left = max(seconds, limiter.min_wait(reservation, clock()))
                if self.deadline is not None and clock() + left >= self.deadline:
                    raise DeadlineError(
                        f"The rate limit allows this call in {left:.3g} s at the earliest, "
                        "beyond its deadline"
                    )
                if left > LOGGED_WAIT and not logged:
                    logged = True
                    LOGGER.info("%s waits about %.0f s for the rate limit", self.model, left)
                if limiter.on_wait is not None:
                    notified = True
                    limiter.on_wait(self.model, left)
                yield Sleep(seconds)
            admitted = True
        finally:
            if not admitted:
                limiter.release(reservation, clock())
            if notified and limiter.on_wait is not None:
                limiter.on_wait(self.model, 0.0)
        return reservation

    def finish(
        self, reservation: Reservation, answer: object, hint: ServerHint, tokens: int | None
    ) -> None:
        """Report the outcome of an attempt to the limiter.

        Args:
            reservation: The reservation of the attempt.
            answer: The response, or the failure in its place.
            hint: The server's advice on retrying.
            tokens: Tokens that the response reports; None without a count.
        """
        now = self.clock()
        if isinstance(answer, httpx2.Response):
            if answer.status_code == 429:
                self.limiter.slow_down(reservation, now, hint.seconds)
            else:
                self.limiter.correct(reservation, tokens, now)
        self.limiter.release(reservation, now)
