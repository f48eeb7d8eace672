"""One limit, and all who share it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from math import ceil, floor, inf
from operator import attrgetter
from threading import Lock, RLock
from typing import TypeVar

from attrs import define, field

from .brake import Brake
from .line import Line
from .tokens import Ratio
from .window import MINUTE, Window

R = TypeVar("R")

SHORTEST_SLEEP = 0.02
LONGEST_SLEEP = 1.0
# How much later than told a request may ask again without losing its place.
GRACE = 5.0
# How long a request may travel on after its sender gave up on it.
STRAY = 1.0
ROUNDING = 1e-6
# So many reservations are looked over at each step; more of them more rarely, a few thousand a
# second at the most.
FEW = 20
LOOK = 0.005


class State(Enum):
    """Where a request is."""

    WAITING = "waiting"
    OUT = "out"
    ANSWERED = "answered"
    DONE = "done"


@define(eq=False)
class Reservation:
    """A request, to the rate limiter.

    Attributes:
        budget: The limit that it counts against.
        tokens: Its tokens as estimated.
        most: Tokens that it can have used at the most.
        again: Whether it waits before those that were never let out.
        alive: A lock that its call holds until its end; None if nobody knows when that is.
        asks_at: When it will ask again whether it may go.
        state: Where it is. All other attributes are set before it, so that there are no halves.
        place: Its number in the queue.
        tokens_before: Tokens of all that came before it.
        charge: Tokens it was let out with.
        out_at: When it was let out.
        tried: Requests and tokens that counted with it, if it was let out to try whether the
            server takes so much.
        used: Tokens it used.
        until: When it stops to count.
    """

    budget: Budget = field(repr=False)
    tokens: int
    most: int
    again: bool
    alive: Lock | None = field(repr=False)
    asks_at: float
    state: State = State.WAITING
    place: int = 0
    tokens_before: int = 0
    charge: int = 0
    out_at: float = 0.0
    tried: tuple[int, int] | None = None
    used: int = 0
    until: float = 0.0

    @property
    def lost(self) -> bool:
        """Whether its call is over without having said so."""
        open_ = self.state is State.WAITING or self.state is State.OUT
        return open_ and self.alive is not None and not self.alive.locked()

    def counts(self, now: float) -> bool:
        """Whether it is to be remembered."""
        if self.state is State.ANSWERED:
            return self.until > now
        return self.state is not State.DONE


class Budget:
    """A limit of requests and tokens per minute, safe to share between threads.

    Any line of it can raise: Ctrl-C and what a signal handler raises, such as Celery's soft time
    limit, come between any two lines. So the state of each reservation is the only truth, and a
    change is one assignment to it. The queues and the window are sums over these states; a step
    that does not come to its end leaves a mark, and the next one adds them up anew. The same goes
    for steps in the middle of another, by a signal handler or by a finalizer that the garbage
    collector calls. Of what an answer teaches, a part may be lost: the next ones teach the same.

    Args:
        rpm: Requests in any minute; may be infinite.
        tpm: Tokens in any minute; may be infinite.
    """

    def __init__(self, rpm: float, tpm: float) -> None:
        self.rpm = rpm if rpm == inf else floor(rpm)
        self.tpm = tpm if tpm == inf else floor(tpm)
        self._lock = RLock()
        self._known: dict[Reservation, None] = {}  # in the order in which they came
        self._unfinished: object | None = None
        self._look_at = -inf
        self._ratio = Ratio()
        self._brake = Brake()
        self._add_up()

    def reserve(
        self, tokens: int, most: int, now: float, *, again: bool, alive: Lock | None
    ) -> Reservation:
        """See `RateLimiter.reserve`."""
        reservation = Reservation(self, max(tokens, 0), most, again, alive, now)
        self._alone(now, partial(self._enter, reservation))
        return reservation

    def wait(self, reservation: Reservation, now: float) -> float:
        """See `RateLimiter.wait`."""
        return self._alone(now, partial(self._wait, reservation, now))

    def at_least(self, reservation: Reservation, now: float) -> float:
        """See `RateLimiter.at_least`."""
        return self._alone(now, partial(self._at_least, reservation, now))

    def correct(self, reservation: Reservation, tokens: object, now: float) -> None:
        """See `RateLimiter.correct`."""
        self._alone(now, partial(self._correct, reservation, tokens, now))

    def slow_down(self, reservation: Reservation, now: float, retry_after: object) -> None:
        """See `RateLimiter.slow_down`."""
        self._alone(now, partial(self._slow_down, reservation, now, retry_after))

    def release(self, reservation: Reservation, now: float) -> None:
        """See `RateLimiter.release`."""
        self._alone(now, partial(self._release, reservation, now))

    def _alone(self, now: float, step: Callable[[], R]) -> R:
        """Do a step while no other thread does one."""
        # On one line: an exception that a tracer raises on the way out would leave it locked.
        with self._lock: return self._whole(now, step)  # noqa: E701  # fmt: skip

    def _whole(self, now: float, step: Callable[[], R]) -> R:
        """Do a step on sums that are right, and mark them as wrong until it has come to its end."""
        mark, right = object(), self._unfinished is None
        self._unfinished = mark
        if self._look_over(now) or not right:
            self._add_up()
        result = step()
        # Another mark is that of a step in the middle of this one.
        self._unfinished = None if self._unfinished is mark else mark
        return result

    def _look_over(self, now: float) -> bool:
        """Forget what does not count any longer, and end what was lost; say whether there was."""
        if now < self._look_at:
            return False
        self._look_at = now + len(self._known) // FEW * LOOK
        found = False
        for reservation in list(self._known):
            if not reservation.counts(now):
                self._known.pop(reservation, None)
            elif reservation.lost:
                found = True
                self._release(reservation, now)
        return found

    def _add_up(self) -> None:
        """Make the sums anew."""
        self._window, self._again, self._fresh = Window(), Line(), Line()
        self._trying = 0
        answered: list[Reservation] = []
        for reservation in list(self._known):
            if reservation.state is State.WAITING:
                self._line(reservation).enter(reservation)
            elif reservation.state is State.OUT:
                self._window.enter(reservation.charge)
                self._trying += reservation.tried is not None
            elif reservation.state is State.ANSWERED:
                answered.append(reservation)
        for reservation in sorted(answered, key=attrgetter("until")):
            self._window.enter(reservation.used)
            self._window.answer(reservation.used, reservation.used, reservation.until)

    def _line(self, reservation: Reservation) -> Line:
        return self._again if reservation.again else self._fresh

    def _enter(self, reservation: Reservation) -> None:
        self._known.pop(reservation, None)
        self._known[reservation] = None
        self._line(reservation).enter(reservation)

    def _wait(self, reservation: Reservation, now: float) -> float:
        if reservation.state is not State.WAITING:
            return 0.0
        ahead, tokens = self._ahead(reservation, now)
        tokens += reservation.tokens
        trial = not self._fits(ahead, tokens, self._brake.share)
        tries = trial and not ahead and self._may_try(now) and self._fits(0, tokens, 1.0)
        if now < self._brake.blocked or (trial and not tries):
            sleep = self._sleep(ahead, tokens, now)
            reservation.asks_at = now + sleep
            return sleep
        charge = self._charge(reservation.tokens, alone=True)
        counted = self._window.requests + 1, self._window.tokens + charge
        reservation.tried = counted if trial else None
        reservation.charge, reservation.out_at = charge, now
        reservation.state = State.OUT
        self._line(reservation).leave(reservation)
        self._window.enter(charge)
        self._trying += trial
        return 0.0

    def _at_least(self, reservation: Reservation, now: float) -> float:
        if reservation.state is not State.WAITING:
            return 0.0
        ahead, tokens = self._ahead(reservation, now)
        minutes = max(ahead // self.rpm, tokens * self._ratio.mean // self.tpm)
        room = self._room(ahead, tokens + reservation.tokens, 1.0, now) - now
        return max(room, minutes * MINUTE)

    def _correct(self, reservation: Reservation, tokens: object, now: float) -> None:
        if reservation.state is not State.OUT:
            return
        used = _number(tokens, reservation.most)
        if not isinstance(used, int):
            self._answer(reservation, None, now)
            return
        self._answer(reservation, used, now)
        self._ratio.learn(reservation.tokens, used)
        self._window.expire(now)
        answered = self._share(*self._window.answered)
        self._brake.took(answered, self._tried(reservation), reservation.out_at)

    def _slow_down(self, reservation: Reservation, now: float, retry_after: object) -> None:
        if reservation.state is not State.OUT:
            return
        self._window.expire(now)
        answered = self._share(*self._window.answered)
        asked = _number(retry_after, inf)
        self._brake.refused(answered, reservation.out_at, now, asked)
        reservation.state = State.DONE
        self._window.forget(reservation.charge)
        self._trying -= reservation.tried is not None

    def _release(self, reservation: Reservation, now: float) -> None:
        if reservation.state is State.WAITING:
            reservation.state = State.DONE
            self._line(reservation).leave(reservation)
        elif reservation.state is State.OUT:
            self._answer(reservation, None, now + STRAY)

    def _answer(self, reservation: Reservation, used: int | None, now: float) -> None:
        """Let a request count for a minute more, with what it used or should have used."""
        if used is None:
            used = ceil(reservation.tokens * self._ratio.mean)
        reservation.used, reservation.until = used, now + MINUTE
        reservation.state = State.ANSWERED
        self._window.answer(reservation.charge, used, reservation.until)
        self._trying -= reservation.tried is not None

    def _share(self, requests: int, tokens: int) -> float:
        return max(requests / self.rpm, tokens / self.tpm)

    def _tried(self, reservation: Reservation) -> float | None:
        """The share of the limit that a request has shown to be granted."""
        if reservation.tried is None:
            return None
        requests, tokens = reservation.tried
        # Of what was on its way then, the tokens are better known now.
        return self._share(requests, min(tokens, self._window.tokens))

    def _may_try(self, now: float) -> bool:
        return self._brake.may_try(self._trying, now)

    def _ahead(self, reservation: Reservation, now: float) -> tuple[int, int]:
        """Requests and tokens that are to be let out before a request."""
        self._window.expire(now)
        self._pass_over(now)
        if reservation not in self._line(reservation):  # it was passed over
            reservation.again, reservation.asks_at = False, now
            self._enter(reservation)
        requests, tokens = self._line(reservation).ahead(reservation)
        if reservation.again:
            return requests, tokens
        return requests + len(self._again), tokens + self._again.tokens

    def _pass_over(self, now: float) -> None:
        """Drop those who did not come when it was their turn; one who comes late is the last."""
        for line in (self._again, self._fresh):
            while (head := line.head) is not None and head.asks_at + GRACE < now:
                line.leave(head)

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


def _number(value: object, most: float) -> float | None:
    """A number that a server said, if it can be true."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return value if 0 <= value <= most else None
