"""A simulation of a server, a network and many workers in virtual time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import count
from random import Random

from attrs import define, field
from voyageai.ratelimit import RateLimiter, Reservation

MODEL = "voyage-4-large"


@define
class Referee:
    """The server's rate limit: requests and tokens in a sliding minute, by its own clock."""

    rpm: float
    tpm: float
    refuses: bool = False
    retry_after: float | None = None
    taken: list[tuple[float, int]] = field(factory=list)
    refused: list[float] = field(factory=list)
    most_requests: int = 0
    most_tokens: int = 0
    _minute: deque[tuple[float, int]] = field(factory=deque)
    _tokens: int = 0

    def arrive(self, now: float, tokens: int) -> bool:
        """Count a request, and return whether it is accepted."""
        while self._minute and self._minute[0][0] <= now - 60 + 1e-9:  # sums of times are rounded
            self._tokens -= self._minute.popleft()[1]
        full = len(self._minute) + 1 > self.rpm or self._tokens + tokens > self.tpm
        if full and self.refuses:
            self.refused.append(now)
            return False
        self._minute.append((now, tokens))
        self._tokens += tokens
        self.taken.append((now, tokens))
        self.most_requests = max(self.most_requests, len(self._minute))
        self.most_tokens = max(self.most_tokens, self._tokens)
        return True

    def rates(self, start: float, end: float) -> tuple[float, float]:
        """Return requests and tokens per minute within a span of time."""
        tokens = [tokens for at, tokens in self.taken if start < at <= end]
        minutes = (end - start) / 60
        return len(tokens) / minutes, sum(tokens) / minutes


@define
class World:
    """Workers that send calls through a limiter to a referee.

    Attributes:
        calls: Estimated and real tokens of each call.
        limiter: What they go through.
        referee: Where they arrive.
        chance: Where latencies of 10 to 200 ms, and late wake-ups, come from.
        asked: How often the limiter was asked.
        sent: Numbers of the calls in the order in which they were let out.
    """

    calls: Iterator[tuple[int, int]]
    limiter: RateLimiter
    referee: Referee
    chance: Random
    asked: int = 0
    sent: list[int] = field(factory=list)
    now: float = 1000.0
    _events: list[tuple[float, int, Callable[[], None]]] = field(factory=list)
    _order: Iterator[int] = field(factory=count)
    _numbers: Iterator[int] = field(factory=count)

    def at(self, time: float, event: Callable[[], None]) -> None:
        """Run the next event."""
        heappush(self._events, (time, next(self._order), event))

    def run(self, workers: int, until: float = float("inf")) -> None:
        """Let workers send calls until the calls or the time run out."""
        for _ in range(workers):
            self.at(self.now, self.next_call)
        while self._events and self._events[0][0] < until:
            self.now, _, event = heappop(self._events)
            event()

    def next_call(self) -> None:
        """Let a worker take its next call."""
        for estimated, real in self.calls:
            self._queue(next(self._numbers), estimated, real, again=False)
            return

    def _queue(self, number: int, estimated: int, real: int, *, again: bool) -> None:
        reservation = self.limiter.reserve(MODEL, estimated, self.now, again=again)
        self._ask(number, reservation, real)

    def _ask(self, number: int, reservation: Reservation, real: int) -> None:
        self.asked += 1
        seconds = self.limiter.wait(reservation, self.now)
        if seconds:
            late = self.chance.uniform(0, 0.002)
            self.at(self.now + seconds + late, lambda: self._ask(number, reservation, real))
            return
        self.sent.append(number)
        latency = self.chance.uniform(0.010, 0.200)
        there = self.chance.uniform(0, latency)
        self.at(
            self.now + there,
            lambda: self._arrive(number, reservation, real, latency - there),
        )

    def _arrive(self, number: int, reservation: Reservation, real: int, back: float) -> None:
        taken = self.referee.arrive(self.now, real)
        self.at(self.now + back, lambda: self._answer(number, reservation, real, taken=taken))

    def _answer(self, number: int, reservation: Reservation, real: int, *, taken: bool) -> None:
        if taken:
            self.limiter.correct(reservation, real, self.now)
            self.next_call()
            return
        self.limiter.slow_down(reservation, self.now, self.referee.retry_after)
        backoff = self.chance.uniform(0, 1)
        self.at(
            self.now + backoff,
            lambda: self._queue(number, reservation.tokens, real, again=True),
        )
