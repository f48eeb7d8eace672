"""An event loop in a thread of its own, which other threads and loops give work to."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Portal"]

T = TypeVar("T")

GRACE = 3
"""Seconds that work under way gets to end when the loop does."""


class Portal:
    """A running event loop, until `close`. Safe to share.

    Args:
        name: Of its thread.

    Example:
        >>> portal = Portal("an example")
        >>> portal.call(asyncio.sleep(0, "done")).result()
        'done'
        >>> portal.close(lambda: None)
    """

    def __init__(self, name: str) -> None:
        begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(
            target=asyncio.run, args=(_live(begun),), name=name, daemon=True
        )
        self._thread.start()
        self._loop, self._ended = begun.result()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop.

        Raises:
            EOFError: The loop has ended.
        """
        with self._lock:
            if not self._closed:
                return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        coroutine.close()
        raise EOFError("the emulator was stopped")

    def post(self, callback: Callable[[], None]) -> None:
        """Call something on the loop, unless that has ended."""
        with self._lock:
            if not self._closed:
                self._loop.call_soon_threadsafe(callback)

    def close(self, last: Callable[[], None]) -> None:
        """End the loop.

        Args:
            last: Called on it after all that was given to it, so that its work can end soon.
        """
        with self._lock:
            self._closed = True
            self._loop.call_soon_threadsafe(last)
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()


async def _live(begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
    ended = asyncio.Event()
    begun.set_result((asyncio.get_running_loop(), ended))
    await ended.wait()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    if rest:
        await asyncio.wait(rest, timeout=GRACE)
