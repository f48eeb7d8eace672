"""One limit, and all who share it."""

from __future__ import annotations

from enum import Enum
from math import ceil, floor, inf
from threading import Lock

from attrs import define, field

from .brake import Brake
from .line import Line
from .tokens import Ratio
from .window import MINUTE, Window

SHORTEST_SLEEP = 0.02
LONGEST_SLEEP = 1.0
# How much later than told a request may ask again without losing its place.
GRACE = 5.0
# How long a request may travel on after its sender gave up on it.
STRAY = 1.0
ROUNDING = 1e-6


class State(Enum):
    """Where a request is."""

    WAITING = "waiting"
    OUT = "out"
    DONE = "done"


@define(eq=False)
class Reservation:
    """A request, to the rate limiter.

    Attributes:
        budget: The limit that it counts against.
        tokens: Its tokens as estimated.
        line: The queue it stands in.
        asks_at: When it will ask again whether it may go.
        state: Where it is.
        place: Its number in the queue.
        tokens_before: Tokens of all that came before it.
        charge: Tokens it was let out with.
        out_at: When it was let out.
        tried: Requests and tokens that counted with it, if it was let out to try whether the
            server takes so much.
    """

    budget: Budget = field(repr=False)
    tokens: int
    line: Line = field(repr=False)
    asks_at: float
    state: State = State.WAITING
    place: int = 0
    tokens_before: int = 0
    charge: int = 0
    out_at: float = 0.0
    tried: tuple[int, int] | None = None


class Budget:
    """A limit of requests and tokens per minute, safe to share between threads.

    Args:
        rpm: Requests in any minute; may be infinite.
        tpm: Tokens in any minute; may be infinite.
    """

    def __init__(self, rpm: float, tpm: float) -> None:
        self.rpm = rpm if rpm == inf else floor(rpm)
        self.tpm = tpm if tpm == inf else floor(tpm)
        self._lock = Lock()
        self._window = Window()
        self._again = Line()
        self._fresh = Line()
        self._ratio = Ratio()
        self._brake = Brake()

    def reserve(self, tokens: int, now: float, *, again: bool) -> Reservation:
        """See `RateLimiter.reserve`."""
        with self._lock:
            line = self._again if again else self._fresh
            reservation = Reservation(self, max(tokens, 0), line, now)
            line.enter(reservation)
            return reservation

    def wait(self, reservation: Reservation, now: float) -> float:
        """See `RateLimiter.wait`."""
        with self._lock:
            if reservation.state is not State.WAITING:
                return 0.0
            self._window.expire(now)
            self._pass_over(now)
            ahead, tokens = self._ahead(reservation)
            tokens += reservation.tokens
            trial = not self._fits(ahead, tokens, self._brake.share)
            tries = trial and not ahead and self._brake.may_try(now) and self._fits(0, tokens, 1.0)
            if now < self._brake.blocked or (trial and not tries):
                sleep = self._sleep(ahead, tokens, now)
                reservation.asks_at = now + sleep
                return sleep
            reservation.line.leave(reservation)
            reservation.state, reservation.out_at = State.OUT, now
            reservation.charge = self._charge(reservation.tokens, alone=True)
            self._window.enter(reservation.charge)
            if trial:
                self._brake.trying += 1
                reservation.tried = self._window.requests, self._window.tokens
            return 0.0

    def at_least(self, reservation: Reservation, now: float) -> float:
        """See `RateLimiter.at_least`."""
        with self._lock:
            if reservation.state is not State.WAITING:
                return 0.0
            self._window.expire(now)
            ahead, tokens = self._ahead(reservation)
            minutes = max(ahead // self.rpm, tokens * self._ratio.mean // self.tpm)
            room = self._room(ahead, tokens + reservation.tokens, 1.0, now) - now
            return max(room, minutes * MINUTE)

    def correct(self, reservation: Reservation, tokens: int | None, now: float) -> None:
        """See `RateLimiter.correct`."""
        with self._lock:
            if not self._ends(reservation):
                return
            self._count(reservation, tokens, now)
            if tokens is not None:
                self._ratio.learn(reservation.tokens, tokens)
                self._window.expire(now)
                answered = self._share(*self._window.answered)
                self._brake.took(answered, self._tried(reservation), reservation.out_at)

    def slow_down(self, reservation: Reservation, now: float, retry_after: float | None) -> None:
        """See `RateLimiter.slow_down`."""
        with self._lock:
            if self._ends(reservation):
                self._window.forget(reservation.charge)
                self._window.expire(now)
                answered = self._share(*self._window.answered)
                self._brake.refused(answered, reservation.out_at, now, retry_after)

    def release(self, reservation: Reservation, now: float) -> None:
        """See `RateLimiter.release`."""
        with self._lock:
            if reservation.state is State.WAITING:
                reservation.line.leave(reservation)
                reservation.state = State.DONE
            elif self._ends(reservation):
                self._count(reservation, None, now + STRAY)

    def _ends(self, reservation: Reservation) -> bool:
        """Whether a request was on its way until now."""
        if reservation.state is not State.OUT:
            return False
        reservation.state = State.DONE
        if reservation.tried is not None:
            self._brake.trying -= 1
        return True

    def _count(self, reservation: Reservation, tokens: int | None, now: float) -> None:
        used = ceil(reservation.tokens * self._ratio.mean) if tokens is None else tokens
        self._window.answer(reservation.charge, used, now)

    def _share(self, requests: int, tokens: int) -> float:
        return max(requests / self.rpm, tokens / self.tpm)

    def _tried(self, reservation: Reservation) -> float | None:
        """The share of the limit that a request has shown to be granted."""
        if reservation.tried is None:
            return None
        requests, tokens = reservation.tried
        # Of what was on its way then, the tokens are better known now.
        return self._share(requests, min(tokens, self._window.tokens))

    def _pass_over(self, now: float) -> None:
        """Send those to the end of the line who did not come when it was their turn."""
        for line in (self._again, self._fresh):
            while (head := line.head) is not None and head.asks_at + GRACE < now:
                line.leave(head)
                head.line, head.asks_at = self._fresh, now
                self._fresh.enter(head)

    def _ahead(self, reservation: Reservation) -> tuple[int, int]:
        """Requests and tokens that are to be let out before a request."""
        requests, tokens = reservation.line.ahead(reservation)
        if reservation.line is self._fresh:
            return requests + len(self._again), tokens + self._again.tokens
        return requests, tokens

    def _charge(self, tokens: int, *, alone: bool) -> int:
        """What estimated tokens count before they are known; one request at most all there is."""
        charge = ceil(tokens * self._ratio.bound)
        return int(min(charge, self.tpm)) if alone else charge

    def _allowed(self, share: float) -> tuple[float, float]:
        """Requests and tokens in a share of the limit."""
        return (
            inf if self.rpm == inf else share * self.rpm + ROUNDING,
            inf if self.tpm == inf else share * self.tpm + ROUNDING,
        )

    def _fits(self, ahead: int, tokens: int, share: float) -> bool:
        """Whether a request, and all before it, can go at once."""
        rpm, tpm = self._allowed(share)
        charge = self._charge(tokens, alone=not ahead)
        return self._window.requests + ahead + 1 <= rpm and self._window.tokens + charge <= tpm

    def _room(self, ahead: int, tokens: int, share: float, now: float) -> float:
        """When there can be room for a request and all before it."""
        window, (rpm, tpm) = self._window, self._allowed(share)
        excess = window.tokens + tokens * self._ratio.mean - tpm
        if not ahead:
            excess = min(excess, window.tokens)  # alone it may be larger than the limit
        room = window.room(window.requests + ahead + 1 - rpm, excess, now)
        return max(room, self._brake.blocked)

    def _sleep(self, ahead: int, tokens: int, now: float) -> float:
        """Seconds until a request should ask again.

        Half of the time that is expected, as others may give up; and the nearer to the head of
        the line, the less, so that a long line costs little and moves up quickly.
        """
        brake = self._brake
        patience = SHORTEST_SLEEP * (ahead + 1)
        expected = self._room(ahead, tokens, brake.share, now) - now
        if brake.share < 1:
            expected = min(expected, max(brake.try_at - now, brake.blocked - now, patience))
        if expected <= 0:  # some that are on their way may turn out smaller than they count
            return SHORTEST_SLEEP
        return min(expected, max(SHORTEST_SLEEP, min(expected / 2, LONGEST_SLEEP + patience)))
