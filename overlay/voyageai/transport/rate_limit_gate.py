"""Waiting for the client's own rate limit before an attempt."""

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
"""Seconds from which on a wait is logged."""


@frozen
class RateLimitGate:
    """Holds the attempts of one call back until its rate limit has room for them.

    Attributes:
        limiter: The limit, shared with other calls.
        model: The model that the call is for.
        tokens: Tokens of the call, estimated.
        clock: A monotonic clock, in seconds.
        deadline: When the call must be over, by that clock.
        alive: A lock that the call holds until its end.
    """

    limiter: RateLimiter
    model: str
    tokens: int
    clock: Callable[[], float]
    deadline: float | None
    alive: Lock

    def wait(self, *, again: bool) -> Generator[Sleep, None, Reservation]:
        """Sleep, in one or more steps of a flow, until an attempt may be sent.

        Args:
            again: Whether the attempt is a retry.

        Raises:
            DeadlineError: That would be after the deadline.
        """
        limiter, clock = self.limiter, self.clock
        reservation = limiter.reserve(
            self.model, self.tokens, clock(), again=again, alive=self.alive
        )
        let_out = logged = notified = False
        try:
            while (seconds := limiter.wait(reservation, clock())) > 0:
                left = max(seconds, limiter.at_least(reservation, clock()))
                if self.deadline is not None and clock() + left >= self.deadline:
                    raise DeadlineError(
                        f"The rate limit would hold the call back for {left:.3g} s or more, "
                        "beyond its deadline"
                    )
                if left > LOGGED_WAIT and not logged:
                    logged = True
                    LOGGER.info("%s waits about %.0f s for the rate limit", self.model, left)
                if limiter.on_wait is not None:
                    notified = True
                    limiter.on_wait(self.model, left)
                yield Sleep(seconds)
            let_out = True
        finally:
            if not let_out:
                limiter.release(reservation, clock())
            if notified and limiter.on_wait is not None:
                limiter.on_wait(self.model, 0.0)
        return reservation

    def finish(
        self, reservation: Reservation, answer: object, hint: ServerHint, tokens: int | None
    ) -> None:
        """Tell the limit the outcome of an attempt.

        Args:
            reservation: The attempt's.
            answer: The response, or what came instead of one.
            hint: What the response says about retrying.
            tokens: Tokens that it was billed for, if it says so.
        """
        now = self.clock()
        if isinstance(answer, httpx2.Response):
            if answer.status_code == 429:
                self.limiter.slow_down(reservation, now, hint.seconds)
            else:
                self.limiter.correct(reservation, tokens, now)
        self.limiter.release(reservation, now)
