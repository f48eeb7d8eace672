"""Limit the number of concurrent requests, and notice when a client disconnects."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from starlette.types import Receive

__all__ = ["Slots", "wait_unless_disconnected"]


async def wait_unless_disconnected(receive: Receive, waiting: Coroutine[Any, Any, object]) -> None:
    """Await a coroutine while the client of a request stays connected.

    Args:
        receive: ASGI callable of the request, whose body has been read.
        waiting: The coroutine, which is cancelled if the client disconnects.

    Raises:
        ClientDisconnect: The client disconnected before the coroutine had finished.
    """
    awaited = asyncio.create_task(waiting)
    disconnected = asyncio.create_task(_disconnect(receive))
    try:
        await asyncio.wait((awaited, disconnected), return_when=asyncio.FIRST_COMPLETED)
        if not awaited.done():
            raise ClientDisconnect
    finally:
        awaited.cancel()
        disconnected.cancel()
        await asyncio.gather(awaited, disconnected, return_exceptions=True)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Waiter:
    """A request in the queue, on the event loop where it arrived."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.ready = asyncio.Event()
        self.has_slot = False


class Slots:
    """A limit on the number of concurrent requests; the others wait in a queue.

    Safe to share between threads and event loops.

    Args:
        limit: Number of slots; by default there is no limit.

    Raises:
        ValueError: `limit` is not a whole number from 1.

    Attributes:
        in_flight: Number of requests that hold a slot.
    """

    def __init__(self, limit: int | None = None) -> None:
        if limit is not None and (type(limit) is not int or limit < 1):
            raise ValueError(f"concurrency must be a whole number from 1, or None, not {limit!r}")
        self.in_flight = 0
        self._limit = limit
        self._lock = threading.Lock()
        self._queue: deque[_Waiter] = deque()

    @property
    def waiting(self) -> int:
        """Number of requests that wait for a slot."""
        return len(self._queue)

    @contextlib.asynccontextmanager
    async def acquire(self, receive: Receive) -> AsyncGenerator[None]:
        """Hold a slot during the block, after waiting for one if necessary.

        Args:
            receive: ASGI callable of the request, whose body has been read.

        Raises:
            ClientDisconnect: The client disconnected while the request waited for a slot.
        """
        waiter = self._enter()
        try:
            if waiter is not None:
                await wait_unless_disconnected(receive, waiter.ready.wait())
            yield
        finally:
            self._leave(waiter)

    def _enter(self) -> _Waiter | None:
        """Take a free slot, or join the queue."""
        with self._lock:
            if self._limit is None or self.in_flight < self._limit:
                self.in_flight += 1
                return None
            waiter = _Waiter()
            self._queue.append(waiter)
            return waiter

    def _leave(self, waiter: _Waiter | None) -> None:
        """Pass the slot on to the next request in the queue, or leave the queue."""
        with self._lock:
            if waiter is not None and not waiter.has_slot:
                self._queue.remove(waiter)
            elif self._queue:
                following = self._queue.popleft()
                following.has_slot = True
                following.loop.call_soon_threadsafe(following.ready.set)
            else:
                self.in_flight -= 1
