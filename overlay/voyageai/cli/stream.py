"""Rows are sent many at once while they are read, and come back in their order.

One thread reads and packs, some send, and the caller's writes. What is under way is bounded, so
memory is, whatever the number of rows; and a row waits for no later one: where nothing comes for a
moment, what is there is sent.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from queue import Empty, Queue, SimpleQueue
from typing import Generic, NamedTuple, TypeVar

from ..prices import Budget, MaxCostError, dollars

__all__ = ["Answer", "Ceiling", "Packing", "answered"]

T = TypeVar("T")
IDLE = 0.25
"""Seconds without a new row after which those that wait are sent. Chosen: a person hardly notices,
and a program that writes a line at a time still fills requests."""


class Packing(NamedTuple, Generic[T]):
    """Limits of a request's size.

    Attributes:
        items: Items of a request, at most.
        tokens: Tokens of a request, at most, by estimate.
        weigh: Estimates the tokens of an item.
    """

    items: int
    tokens: int
    weigh: Callable[[T], int]

    def fits(self, held: int, tokens: int, more: int) -> bool:
        """Return whether an item of `more` tokens goes with those that are there."""
        return not held or (held < self.items and tokens + more <= self.tokens)


class Answer(NamedTuple):
    """Outcome of a request.

    Attributes:
        rows: Of each row, the bytes of its vector, or the reason why it has none.
        tokens: Tokens that were billed.
    """

    rows: list[bytes | str]
    tokens: int


class Ceiling(Generic[T]):
    """Holds requests back that could make it cost more than it may.

    Args:
        limit: US dollars that it may cost.
        price: US dollars per million tokens.
        most_tokens: Tokens that an item can be billed for, at most.
    """

    def __init__(self, limit: float, price: float, most_tokens: Callable[[T], int]) -> None:
        self._budget = Budget(limit)
        self._price, self._most = price / 1_000_000, most_tokens
        self._open: deque[tuple[Future[Answer], float]] = deque()

    def admit(self, items: list[T], future: Future[Answer]) -> None:
        """Wait until a request fits, and count it.

        Raises:
            MaxCostError: It does not fit, with all those before it answered.
        """
        bound = self._price * sum(map(self._most, items))
        while not self._budget.fits(bound):
            if not self._open:
                stopped = MaxCostError(
                    f"max_cost is {dollars(self._budget.limit)}, of which "
                    f"{dollars(self._budget.spent)} was spent; the next request could cost "
                    f"{dollars(bound)}. What was answered before is in the output",
                    "max_cost",
                )
                stopped.spent = self._budget.spent
                raise stopped
            sent, held = self._open.popleft()
            failed = sent.exception() is not None
            self._budget.settle(held, held if failed else self._price * sent.result().tokens)
        self._budget.hold(bound)
        self._open.append((future, bound))


class _Packer(Generic[T]):
    """Packs items into requests, and hands each one on with the future of its answer."""

    def __init__(
        self, packing: Packing[T], concurrency: int, ceiling: Ceiling[T] | None = None
    ) -> None:
        self.ready: Queue[tuple[list[T], Future[Answer]] | BaseException | None] = Queue(
            2 * concurrency
        )
        self.tasks: SimpleQueue[tuple[list[T], Future[Answer]] | None] = SimpleQueue()
        self._packing, self._ceiling = packing, ceiling
        self._lock = threading.Lock()
        self._held: list[T] = []
        self._tokens = 0
        self._added = False

    def add(self, item: T) -> None:
        """Add an item, and hand on the request before it if it is full."""
        tokens = self._packing.weigh(item)
        with self._lock:
            if not self._packing.fits(len(self._held), self._tokens, tokens):
                self._hand_on()
            self._held.append(item)
            self._tokens += tokens
            self._added = True
            if len(self._held) == self._packing.items:
                self._hand_on()

    def end(self, failure: BaseException | None = None) -> None:
        """Hand on the rest, and say that there is no more."""
        with self._lock:
            try:
                self._hand_on()
            except MaxCostError as stopped:
                failure = failure or stopped
        self.ready.put(failure)

    def idle(self) -> None:
        """Hand on what waits, if nothing came since this was called last; without waiting."""
        if self.ready.full() or not self._lock.acquire(blocking=False):
            return
        try:
            if not self._added and self._ceiling is None:
                self._hand_on()
            self._added = False
        finally:
            self._lock.release()

    def _hand_on(self) -> None:
        if not self._held:
            return
        request: tuple[list[T], Future[Answer]] = (self._held, Future())
        self._held, self._tokens = [], 0
        if self._ceiling is not None:
            self._ceiling.admit(*request)
        self.tasks.put(request)
        self.ready.put(request)


def answered(
    items: Iterable[T],
    send: Callable[[list[T]], Answer],
    packing: Packing[T],
    *,
    concurrency: int,
    ceiling: Ceiling[T] | None = None,
    idle: float = IDLE,
) -> Iterator[tuple[list[T], Answer]]:
    """Send items, and yield the requests with their answers, in the order of the items.

    Args:
        items: The items; they are read in another thread.
        send: Sends a request; called in several threads.
        packing: How much a request holds.
        concurrency: Requests in flight, at most.
        ceiling: Holds back what would cost too much.
        idle: Seconds without a new item after which those that wait are sent.

    Raises:
        MaxCostError: It would cost too much; all that was sent before was yielded.
        Exception: What reading or sending has raised, in its place.
    """
    packer = _Packer(packing, concurrency, ceiling)

    def read() -> None:
        failure: BaseException | None = None
        try:
            for item in items:
                packer.add(item)
        except BaseException as raised:  # noqa: BLE001  # raised again where it is yielded
            failure = raised
        packer.end(failure)

    def work() -> None:
        while (task := packer.tasks.get()) is not None:
            request, future = task
            try:
                future.set_result(send(request))
            except BaseException as raised:  # noqa: BLE001  # raised again where it is yielded
                future.set_exception(raised)

    # Daemons: an interrupt does not wait for answers, nor for a pipe that says nothing.
    for target in (read, *[work] * concurrency):
        threading.Thread(target=target, daemon=True).start()
    try:
        while True:
            try:
                found = packer.ready.get(timeout=idle)
            except Empty:
                packer.idle()
                continue
            if isinstance(found, BaseException):
                raise found
            if found is None:
                return
            request, future = found
            yield request, future.result()
    finally:
        for _ in range(concurrency):
            packer.tasks.put(None)
