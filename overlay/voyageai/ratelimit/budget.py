"""One limit, and all requests that share it."""

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
"""Seconds by which a request may poll later than it was told without losing its position."""
STRAY = 1.0
"""Seconds that a request may travel on after its sender gave up on it."""
ROUNDING = 1e-6
# So many reservations are checked for their end at each step; more of them more rarely, a few
# thousand a second at the most.
CHECKED_EACH_TIME = 20
CHECK_INTERVAL = 0.005


def _step(
    method: Callable[Concatenate[Budget, Reservation, float, P], R],
) -> Callable[Concatenate[Budget, Reservation, float, P], R]:
    """Run a method while no other thread runs one, on sums that are right."""

    @wraps(method)
    def run(
        self: Budget, reservation: Reservation, now: float, /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        step = partial(method, self, reservation, now, *args, **kwargs)
        # On one line: an exception that a tracer raises on the way out would leave it locked.
        with self._lock: return self._consistent(now, step)  # noqa: E701  # pyright: ignore[reportPrivateUsage]  # fmt: skip

    return run


class Budget:
    """A limit of requests and tokens per minute, safe to share between threads.

    Any line of it can raise: Ctrl-C and what a signal handler raises, such as Celery's soft time
    limit, come between any two lines. So the state of each reservation is the only truth, and a
    change is one assignment to it. The queues and the window are sums over these states; a step
    that does not come to its end leaves a mark, and the next one computes them anew. The same goes
    for steps in the middle of another, by a signal handler or by a finalizer that the garbage
    collector calls. What an answer teaches may be lost in part: the next ones teach the same.

    Its steps do what the methods of `RateLimiter` of the same names say.

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
        """Let a request out, or return the seconds until it should ask again."""
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
    def at_least(self, reservation: Reservation, now: float) -> float:
        """Return the seconds that a request will have to wait if no other gives up."""
        if reservation.state is not State.WAITING:
            return 0.0
        ahead, tokens = self._ahead(reservation, now)
        minutes = max(ahead // self.rpm, tokens * self._ratio.mean // self.tpm)
        room = self._room_at(ahead, tokens + reservation.tokens, 1.0, now) - now
        return max(room, minutes * MINUTE)

    @_step
    def correct(self, reservation: Reservation, now: float, tokens: object) -> None:
        """Count the tokens that an answer reports."""
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
        """Give a request up if it has no answer."""
        self._release(reservation, now)

    def _consistent(self, now: float, step: Callable[[], R]) -> R:
        """Run a step on sums that are right, and mark them as wrong until it has ended."""
        mark, right = object(), self._unfinished is None
        self._unfinished = mark
        self._drop_ended(now)
        if not right:
            self._recompute()
        result = step()
        # Another mark is that of a step in the middle of this one.
        self._unfinished = None if self._unfinished is mark else mark
        return result

    def _drop_ended(self, now: float) -> None:
        """Forget what does not count any longer, and release what was abandoned."""
        if now < self._check_at:
            return
        self._check_at = now + len(self._reservations) // CHECKED_EACH_TIME * CHECK_INTERVAL
        for reservation in list(self._reservations):
            if not reservation.counts(now):
                self._reservations.pop(reservation, None)
            elif reservation.abandoned:
                self._release(reservation, now)

    def _recompute(self) -> None:
        """Compute all sums again from the reservations."""
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
        """Queue a request, as the last one."""
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
        """Let a request count for a minute more, with what it used or should have used."""
        if used is None:
            used = ceil(reservation.tokens * self._ratio.mean)
        reservation.used, reservation.until = used, now + MINUTE
        reservation.state = State.ANSWERED
        self._window.answer(reservation.charge, used, reservation.until)
        self._probes -= reservation.probe is not None

    def _share(self, requests: int, tokens: int) -> float:
        return max(requests / self.rpm, tokens / self.tpm)

    def _answered(self, now: float) -> float:
        """Return what was answered in the last minute, as a share of the limit."""
        self._window.expire(now)
        return self._share(*self._window.answered)

    def _probed(self, reservation: Reservation) -> float | None:
        """Return the share of the limit that a probe has shown to be granted."""
        if reservation.probe is None:
            return None
        requests, tokens = reservation.probe
        # The tokens of what was in flight then are better known now.
        return self._share(requests, min(tokens, self._window.tokens))

    def _ahead(self, reservation: Reservation, now: float) -> tuple[int, int]:
        """Return the requests and tokens that are to be let out before a request."""
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
        """Drop requests that did not poll when they were next; one that polls late is the last."""
        for queue in (self._retries, self._fresh):
            while (head := queue.head) is not None and head.next_poll + GRACE < now:
                queue.remove(head)

    def _charge(self, tokens: int, *, alone: bool) -> int:
        """Return what estimated tokens count; those of a single request at most the whole limit."""
        charge = ceil(tokens * self._ratio.bound)
        return int(min(charge, self.tpm)) if alone else charge

    def _allowed(self, share: float) -> tuple[float, float]:
        """Return the requests and tokens in a share of the limit."""
        return (
            inf if self.rpm == inf else share * self.rpm + ROUNDING,
            inf if self.tpm == inf else share * self.tpm + ROUNDING,
        )

    def _fits(self, ahead: int, tokens: int, share: float) -> bool:
        """Return whether a request, and all before it, can go at once."""
        rpm, tpm = self._allowed(share)
        charge = self._charge(tokens, alone=not ahead)
        return self._window.requests + ahead + 1 <= rpm and self._window.tokens + charge <= tpm

    def _room_at(self, ahead: int, tokens: int, share: float, now: float) -> float:
        """Return when there can be room for a request and all before it."""
        window, (rpm, tpm) = self._window, self._allowed(share)
        excess = window.tokens + tokens * self._ratio.mean - tpm
        if not ahead:
            excess = min(excess, window.tokens)  # alone it may be larger than the limit
        room = window.room_at(window.requests + ahead + 1 - rpm, excess, now)
        return max(room, self._throttle.blocked_until)

    def _sleep(self, ahead: int, tokens: int, now: float) -> float:
        """Return the seconds until a request should ask again.

        They are half of the time that is expected, as others may give up, and fewer near the head
        of the queue, so that a long queue costs little and moves up quickly.
        """
        throttle = self._throttle
        shortest = SHORTEST_SLEEP * (ahead + 1)
        expected = self._room_at(ahead, tokens, throttle.share, now) - now
        if throttle.share < 1:
            until = max(throttle.probe_at, throttle.blocked_until) - now
            expected = min(expected, max(until, shortest))
        if expected <= 0:  # some that are in flight may turn out smaller than they count
            return SHORTEST_SLEEP
        return min(expected, max(SHORTEST_SLEEP, min(expected / 2, LONGEST_SLEEP + shortest)))


def _number(value: object, most: float) -> float | None:
    """Return a number that a server sent, or None for one that can't be true."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return value if 0 <= value <= most else None
