"""How many requests are worked on at once."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING

from .disconnect import wait_unless_disconnected

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive

__all__ = ["Slots"]


class _Waiting:
    """A request that waits for its turn, on the event loop where it came in."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.turn = asyncio.Event()
        self.came = False


class Slots:
    """Places for requests that are worked on. Who finds none waits, first come, first served.

    Safe to share, also between event loops: those of clients in the same process may be many.

    Args:
        limit: How many there are; by default there is always one.

    Raises:
        ValueError: That is less than one, or no whole number.

    Attributes:
        in_flight: How many are taken.
        waiting: How many requests wait.
    """

    def __init__(self, limit: int | None = None) -> None:
        if limit is not None and (type(limit) is not int or limit < 1):
            raise ValueError(f"concurrency must be a whole number from 1, or None, not {limit!r}")
        self.in_flight = 0
        self._limit = limit
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._queue)

    @contextlib.asynccontextmanager
    async def place(self, receive: Receive) -> AsyncGenerator[None]:
        """Have a place for as long as the block lasts, after waiting for it if need be.

        Args:
            receive: Tells, as in ASGI, when the client goes away. Its request has been read.

        Raises:
            ClientDisconnect: It goes away before its turn.
        """
        waiting = self._enter()
        try:
            if waiting is not None:
                await wait_unless_disconnected(receive, waiting.turn.wait())
            yield
        finally:
            self._leave(waiting)

    def _enter(self) -> _Waiting | None:
        """Take a place at once, or one in the queue."""
        with self._lock:
            if self._limit is None or self.in_flight < self._limit:
                self.in_flight += 1
                return None
            waiting = _Waiting()
            self._queue.append(waiting)
            return waiting

    def _leave(self, waiting: _Waiting | None) -> None:
        """Pass a place on to the next, or give up waiting for one."""
        with self._lock:
            if waiting is not None and not waiting.came:
                self._queue.remove(waiting)
            elif self._queue:
                following = self._queue.popleft()
                following.came = True
                following.loop.call_soon_threadsafe(following.turn.set)
            else:
                self.in_flight -= 1
