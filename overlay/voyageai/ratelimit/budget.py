"""One rate limit, and all requests that share it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from math import ceil, floor, inf
from operator import attrgetter
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

from .throttle import AdaptiveThrottle
from .tokens import TokenRatio
from .wait_queue import Reservation, State, WaitQueue
from .window import MINUTE, SlidingWindow

P = ParamSpec("P")
R = TypeVar("R")

SHORTEST_SLEEP = 0.02
LONGEST_SLEEP = 1.0
GRACE = 5.0
"""Seconds by which a request may poll late without losing its position."""
STRAY = 1.0
"""Seconds that a request may still take to reach the server after its sender has given up."""
ROUNDING = 1e-6
# Each step looks for ended reservations among up to CHECKED_EACH_TIME of them. With more
# reservations, steps look less often, so that a few thousand are checked per second.
CHECKED_EACH_TIME = 20
CHECK_INTERVAL = 0.005


def _step(
    method: Callable[Concatenate[Budget, Reservation, float, P], R],
) -> Callable[Concatenate[Budget, Reservation, float, P], R]:
    """Decorate a method to run under the lock, on consistent sums."""

    @wraps(method)
    def run(
        self: Budget, reservation: Reservation, now: float, /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        step = partial(method, self, reservation, now, *args, **kwargs)
        # On one line, so that an exception from a tracer between two lines can't leave it locked.
        with self._lock: return self._consistent(now, step)  # noqa: E701  # pyright: ignore[reportPrivateUsage]  # fmt: skip

    return run


class Budget:
    """A limit on requests and tokens per minute, safe to share between threads.

    Any line can be interrupted: Ctrl-C and exceptions of signal handlers, such as Celery's soft
    time limit, arrive between any two lines. So the state of each reservation is the only source of
    truth, and a change is one assignment to it. The queues and the window are sums over these
    states; a step that is interrupted leaves a mark, and the next step recomputes them. The same
    goes for a step within another one, called by a signal handler or a finalizer. What a response
    teaches about the server may be lost; later ones teach it again.

    The public methods correspond to the methods of `RateLimiter` with the same names.

    Args:
        rpm: Requests in any minute; may be infinite.
        tpm: Tokens in any minute; may be infinite.
    """

    def __init__(self, rpm: float, tpm: float) -> None:
        self.rpm = rpm if rpm == inf else floor(rpm)
        self.tpm = tpm if tpm == inf else floor(tpm)
        self._lock = RLock()
        self._reservations: dict[Reservation, None] = {}  # in order of arrival
        self._unfinished: object | None = None
        self._check_at = -inf
        self._ratio = TokenRatio()
        self._throttle = AdaptiveThrottle()
        self._recompute()

    @_step
    def reserve(self, reservation: Reservation, _now: float) -> None:
        """Queue a request."""
        self._append(reservation)

    @_step
    def wait(self, reservation: Reservation, now: float) -> float:
        """Admit a request and return 0, or return the seconds until it should poll again."""
        if reservation.state is not State.WAITING:
            return 0.0
        ahead, tokens = self._ahead(reservation, now)
        tokens += reservation.tokens
        throttle = self._throttle
        beyond = not self._fits(ahead, tokens, throttle.share)
        probes = (
            beyond
            and not ahead
            and throttle.allows_probe(self._probes, now)
            and self._fits(0, tokens, 1.0)
        )
        if now < throttle.blocked_until or (beyond and not probes):
            sleep = self._sleep(ahead, tokens, now)
            reservation.next_poll = now + sleep
            return sleep
        charge = self._charge(reservation.tokens, alone=True)
        counted = self._window.requests + 1, self._window.tokens + charge
        reservation.probe = counted if beyond else None
        reservation.charge, reservation.sent_at = charge, now
        reservation.state = State.IN_FLIGHT
        self._queue(reservation).remove(reservation)
        self._window.add(charge)
        self._probes += beyond
        return 0.0

    @_step
    def min_wait(self, reservation: Reservation, now: float) -> float:
        """Return the seconds that a request has to wait if no other gives up."""
        if reservation.state is not State.WAITING:
            return 0.0
        ahead, tokens = self._ahead(reservation, now)
        minutes = max(ahead // self.rpm, tokens * self._ratio.mean // self.tpm)
        room = self._room_at(ahead, tokens + reservation.tokens, 1.0, now) - now
        return max(room, minutes * MINUTE)

    @_step
    def correct(self, reservation: Reservation, now: float, tokens: object) -> None:
        """Count the tokens that a response reports."""
        if reservation.state is not State.IN_FLIGHT:
            return
        used = _number(tokens, reservation.most)
        if not isinstance(used, int):
            self._answer(reservation, None, now)
            return
        self._answer(reservation, used, now)
        self._ratio.learn(reservation.tokens, used)
        self._throttle.accepted(self._answered(now), self._probed(reservation), reservation.sent_at)

    @_step
    def slow_down(self, reservation: Reservation, now: float, retry_after: object) -> None:
        """Throttle all requests, after the server refused this one."""
        if reservation.state is not State.IN_FLIGHT:
            return
        asked = _number(retry_after, inf)
        self._throttle.refused(self._answered(now), reservation.sent_at, now, asked)
        reservation.state = State.DONE
        self._window.remove(reservation.charge)
        self._probes -= reservation.probe is not None

    @_step
    def release(self, reservation: Reservation, now: float) -> None:
        """Release a request that has no response."""
        self._release(reservation, now)

    def _consistent(self, now: float, step: Callable[[], R]) -> R:
        """Run a step on consistent sums, which are marked as inconsistent until it has ended."""
        mark, right = object(), self._unfinished is None
        self._unfinished = mark
        self._drop_ended(now)
        if not right:
            self._recompute()
        result = step()
        # A different mark was set by a step within this one.
        self._unfinished = None if self._unfinished is mark else mark
        return result

    def _drop_ended(self, now: float) -> None:
        """Drop reservations that no longer count, and release those whose calls have ended."""
        if now < self._check_at:
            return
        self._check_at = now + len(self._reservations) // CHECKED_EACH_TIME * CHECK_INTERVAL
        for reservation in list(self._reservations):
            if not reservation.counts(now):
                self._reservations.pop(reservation, None)
            elif reservation.abandoned:
                self._release(reservation, now)

    def _recompute(self) -> None:
        """Recompute all sums from the reservations."""
        self._window, self._retries, self._fresh = SlidingWindow(), WaitQueue(), WaitQueue()
        self._probes = 0
        answered: list[Reservation] = []
        for reservation in list(self._reservations):
            if reservation.state is State.WAITING:
                self._queue(reservation).append(reservation)
            elif reservation.state is State.IN_FLIGHT:
                self._window.add(reservation.charge)
                self._probes += reservation.probe is not None
            elif reservation.state is State.ANSWERED:
                answered.append(reservation)
        for reservation in sorted(answered, key=attrgetter("until")):
            self._window.add(reservation.used)
            self._window.answer(reservation.used, reservation.used, reservation.until)

    def _queue(self, reservation: Reservation) -> WaitQueue:
        return self._retries if reservation.again else self._fresh

    def _append(self, reservation: Reservation) -> None:
        """Queue a request at the end."""
        self._reservations.pop(reservation, None)
        self._reservations[reservation] = None
        self._queue(reservation).append(reservation)

    def _release(self, reservation: Reservation, now: float) -> None:
        if reservation.state is State.WAITING:
            reservation.state = State.DONE
            self._queue(reservation).remove(reservation)
        elif reservation.state is State.IN_FLIGHT:
            self._answer(reservation, None, now + STRAY)

    def _answer(self, reservation: Reservation, used: int | None, now: float) -> None:
        """Let a request count for another minute, with the tokens it used or is estimated to."""
        if used is None:
            used = ceil(reservation.tokens * self._ratio.mean)
        reservation.used, reservation.until = used, now + MINUTE
        reservation.state = State.ANSWERED
        self._window.answer(reservation.charge, used, reservation.until)
        self._probes -= reservation.probe is not None

    def _share(self, requests: int, tokens: int) -> float:
        return max(requests / self.rpm, tokens / self.tpm)

    def _answered(self, now: float) -> float:
        """Return the share of the limit that was answered in the last minute."""
        self._window.expire(now)
        return self._share(*self._window.answered)

    def _probed(self, reservation: Reservation) -> float | None:
        """Return the share of the limit that an accepted probe proves; None for other requests."""
        if reservation.probe is None:
            return None
        requests, tokens = reservation.probe
        # The tokens of requests that were in flight then are known better now.
        return self._share(requests, min(tokens, self._window.tokens))

    def _ahead(self, reservation: Reservation, now: float) -> tuple[int, int]:
        """Return the numbers of requests and tokens that are queued before a request."""
        self._window.expire(now)
        self._skip_absent(now)
        if reservation not in self._queue(reservation):  # it was skipped
            reservation.again, reservation.next_poll = False, now
            self._append(reservation)
        requests, tokens = self._queue(reservation).ahead(reservation)
        if reservation.again:
            return requests, tokens
        return requests + len(self._retries), tokens + self._retries.tokens

    def _skip_absent(self, now: float) -> None:
        """Drop requests at the head that did not poll; one that polls late is queued again."""
        for queue in (self._retries, self._fresh):
            while (head := queue.head) is not None and head.next_poll + GRACE < now:
                queue.remove(head)

    def _charge(self, tokens: int, *, alone: bool) -> int:
        """Return the tokens to count for an estimate; for a single request at most the limit."""
        charge = ceil(tokens * self._ratio.bound)
        return int(min(charge, self.tpm)) if alone else charge

    def _allowed(self, share: float) -> tuple[float, float]:
        """Return the requests and tokens in a share of the limit."""
        return (
            inf if self.rpm == inf else share * self.rpm + ROUNDING,
            inf if self.tpm == inf else share * self.tpm + ROUNDING,
        )

    def _fits(self, ahead: int, tokens: int, share: float) -> bool:
        """Return whether a request, and all before it, can be admitted now."""
        rpm, tpm = self._allowed(share)
        charge = self._charge(tokens, alone=not ahead)
        return self._window.requests + ahead + 1 <= rpm and self._window.tokens + charge <= tpm

    def _room_at(self, ahead: int, tokens: int, share: float, now: float) -> float:
        """Return the earliest time at which a request, and all before it, can fit."""
        window, (rpm, tpm) = self._window, self._allowed(share)
        excess = window.tokens + tokens * self._ratio.mean - tpm
        if not ahead:
            excess = min(excess, window.tokens)  # a single request may be larger than the limit
        room = window.room_at(window.requests + ahead + 1 - rpm, excess, now)
        return max(room, self._throttle.blocked_until)

    def _sleep(self, ahead: int, tokens: int, now: float) -> float:
        """Return the seconds until a request should poll again.

        Half of the expected wait, as others may give up; at least a little more for each request
        ahead, so that a long queue costs little and still moves up quickly.
        """
        throttle = self._throttle
        shortest = SHORTEST_SLEEP * (ahead + 1)
        expected = self._room_at(ahead, tokens, throttle.share, now) - now
        if throttle.share < 1:
            until = max(throttle.probe_at, throttle.blocked_until) - now
            expected = min(expected, max(until, shortest))
        if expected <= 0:  # requests in flight may use fewer tokens than they count
            return SHORTEST_SLEEP
        return min(expected, max(SHORTEST_SLEEP, min(expected / 2, LONGEST_SLEEP + shortest)))


def _number(value: object, maximum: float) -> float | None:
    """Return a number that a server sent, or None if it is impossible."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return value if 0 <= value <= maximum else None
