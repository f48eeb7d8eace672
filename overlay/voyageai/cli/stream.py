"""Send rows in concurrent requests while they are read, and yield the answers in input order.

One thread reads and packs rows, several send, and the caller's thread writes. The number of
requests under way is bounded, and so is memory. If no row arrives for a moment, the waiting rows
are sent, so a row never waits for a later one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from queue import Empty, Queue, SimpleQueue
from typing import Generic, NamedTuple, TypeVar

from ..prices import Budget, MaxCostError, dollars

__all__ = ["Answer", "Ceiling", "Packing", "send_in_order"]

T = TypeVar("T")
IDLE = 0.25
"""Seconds without a new row after which waiting rows are sent. Chosen: a person hardly notices, and
a program that writes a line at a time still fills requests."""


class Packing(NamedTuple, Generic[T]):
    """Limits of a request's size.

    Attributes:
        items: Most items of a request.
        tokens: Most tokens of a request, by estimate.
        weigh: Function that estimates the tokens of an item.
    """

    items: int
    tokens: int
    weigh: Callable[[T], int]

    def fits(self, count: int, tokens: int, added: int) -> bool:
        """Return True if an item of `added` tokens fits behind `count` items of `tokens` tokens."""
        return not count or (count < self.items and tokens + added <= self.tokens)


class Answer(NamedTuple):
    """Outcome of a request.

    Attributes:
        rows: For each row the bytes of its vector, or the reason why it has none.
        tokens: Billed tokens.
    """

    rows: list[bytes | str]
    tokens: int


class Ceiling(Generic[T]):
    """Holds back requests that could exceed a limit of the cost.

    Args:
        limit: Most US dollars to spend.
        price: US dollars per million tokens.
        max_tokens: Function that returns the most tokens that an item can be billed for.
    """

    def __init__(self, limit: float, price: float, max_tokens: Callable[[T], int]) -> None:
        self._budget = Budget(limit)
        self._price, self._max_tokens = price / 1_000_000, max_tokens
        self._open: deque[tuple[Future[Answer], float]] = deque()

    def admit(self, items: list[T], future: Future[Answer]) -> None:
        """Wait until a request fits the limit, and reserve its cost.

        Raises:
            MaxCostError: It does not fit even after all earlier requests were answered.
        """
        bound = self._price * sum(map(self._max_tokens, items))
        while not self._budget.fits(bound):
            if not self._open:
                error = MaxCostError(
                    f"max_cost is {dollars(self._budget.limit)}, of which "
                    f"{dollars(self._budget.spent)} was spent; the next request could cost "
                    f"{dollars(bound)}. The output has the answers before it",
                    "max_cost",
                )
                error.spent = self._budget.spent
                raise error
            sent, held = self._open.popleft()
            failed = sent.exception() is not None
            self._budget.settle(held, held if failed else self._price * sent.result().tokens)
        self._budget.hold(bound)
        self._open.append((future, bound))


class _Packer(Generic[T]):
    """Packs items into requests, and passes each one on with the future of its answer."""

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
        """Add an item; pass on the request before it, if that is full."""
        tokens = self._packing.weigh(item)
        with self._lock:
            if not self._packing.fits(len(self._held), self._tokens, tokens):
                self._pass_on()
            self._held.append(item)
            self._tokens += tokens
            self._added = True
            if len(self._held) == self._packing.items:
                self._pass_on()

    def end(self, failure: BaseException | None = None) -> None:
        """Pass on the remaining items, and end the queue."""
        with self._lock:
            try:
                self._pass_on()
            except MaxCostError as error:
                failure = failure or error
        self.ready.put(failure)

    def idle(self) -> None:
        """Pass on waiting items without blocking, if none was added since the last call."""
        if self.ready.full() or not self._lock.acquire(blocking=False):
            return
        try:
            if not self._added and self._ceiling is None:
                self._pass_on()
            self._added = False
        finally:
            self._lock.release()

    def _pass_on(self) -> None:
        if not self._held:
            return
        request: tuple[list[T], Future[Answer]] = (self._held, Future())
        self._held, self._tokens = [], 0
        if self._ceiling is not None:
            self._ceiling.admit(*request)
        self.tasks.put(request)
        self.ready.put(request)


def send_in_order(
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
        items: The items, which are read in another thread.
        send: Function that sends a request; called in several threads.
        packing: Limits of a request.
        concurrency: Most requests in flight.
        ceiling: Holds back requests that could exceed a limit of the cost.
        idle: Seconds without a new item after which waiting items are sent.

    Raises:
        MaxCostError: The next request could exceed the limit; all earlier answers were yielded.
        Exception: An exception of reading or sending, raised in its place in the order.
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

    # Daemons: an interrupt waits neither for answers nor for a silent pipe.
    for target in (read, *[work] * concurrency):
        threading.Thread(target=target, daemon=True).start()
    try:
        while True:
            try:
                received = packer.ready.get(timeout=idle)
            except Empty:
                packer.idle()
                continue
            if isinstance(received, BaseException):
                raise received
            if received is None:
                return
            request, future = received
            yield request, future.result()
    finally:
        for _ in range(concurrency):
            packer.tasks.put(None)
