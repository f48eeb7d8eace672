"""Which slots there are, without I/O: a slot is a transport of one connection to one host.

A pool of the library's looks through all its connections and calls at each event; a slot's has one.
The slot that was used last is taken first, so that the others get the chance to expire.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar
from weakref import WeakSet

import httpx2

from .network import Stale

T = TypeVar("T", httpx2.HTTPTransport, httpx2.AsyncHTTPTransport)
Origin = tuple[str, str, int | None]

ONE = httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
STREAMED = frozenset({200, 206})
"""Statuses of answers whose bodies may be streamed; others are read whole."""
NO_SLOT = "timed out waiting for a free connection"


class Slot(Generic[T]):
    """A transport of one connection.

    Attributes:
        broken: Whether its last request ended in whatever way but an answer that was read: its pool
            may take itself to be in use for ever.
    """

    def __init__(self, url: httpx2.URL, transport: T) -> None:
        self.origin = origin(url)
        self.transport: T = transport
        self.idle_since = 0.0
        self.broken = False


class Idle(Generic[T]):
    """The slots that wait for their next request, the longest idle first; safe between threads.

    `put` may also be called by the garbage collector, which runs wherever it likes, even in a
    thread that holds the lock here: it takes no lock.
    """

    def __init__(self, limits: httpx2.Limits) -> None:
        self._limits = limits
        self._slots: list[Slot[T]] = []
        self._lock = threading.Lock()
        self._returned: queue.SimpleQueue[Slot[T]] = queue.SimpleQueue()
        self._all: WeakSet[Slot[T]] = WeakSet()  # idle or in use
        self._closed = False

    def take(self, url: httpx2.URL, now: float) -> tuple[Slot[T] | None, list[Slot[T]]]:
        """The slot to a host that was used last, if there is one; and slots too old, to close."""
        expiry, wanted = self._limits.keepalive_expiry, origin(url)
        with self._lock:
            self._sort_in()
            old = 0
            while expiry is not None and old < len(self._slots):
                if now - self._slots[old].idle_since < expiry:
                    break
                old += 1
            closing = self._remove(old)
            for place in range(len(self._slots) - 1, -1, -1):
                if self._slots[place].origin == wanted:
                    return self._slots.pop(place), closing
            return None, closing

    def opened(self, slot: Slot[T]) -> list[Slot[T]]:
        """Count a new slot; gives those to other hosts, to close, as they must make room."""
        most = self._limits.max_connections
        with self._lock:
            self._all.add(slot)
            return self._remove(0 if most is None else len(self._all) - most)

    def put(self, slot: Slot[T], now: float) -> list[Slot[T]]:
        """Keep a slot that was used; gives those that are too many or broken, to close."""
        most = self._limits.max_keepalive_connections
        full = most is not None and len(self._slots) + self._returned.qsize() >= most
        if slot.broken or full:
            self._all.discard(slot)
            return [slot]
        slot.idle_since = now
        self._returned.put(slot)
        return list(self._gathered()) if self._closed else []

    def close(self) -> list[Slot[T]]:
        """Keep none any more; gives all, to close."""
        with self._lock:
            self._closed = True
            self._sort_in()
            return self._remove(len(self._slots))

    def _sort_in(self) -> None:
        self._slots += self._gathered()

    def _gathered(self) -> Iterator[Slot[T]]:
        """The slots that came back since the last time."""
        with suppress(queue.Empty):
            while True:
                yield self._returned.get_nowait()

    def _remove(self, count: int) -> list[Slot[T]]:
        removed = self._slots[: max(0, count)]
        del self._slots[: len(removed)]
        for slot in removed:
            self._all.discard(slot)
        return removed


def origin(url: httpx2.URL) -> Origin:
    """Where connections for a URL lead."""
    return url.scheme, url.host, url.port


def left_open(request: httpx2.Request, response: httpx2.Response) -> bool:
    """Whether the body is left for a reader that takes it piece by piece."""
    return request.extensions.get("streamed", False) and response.status_code in STREAMED


def resend(request: httpx2.Request, failure: httpx2.RemoteProtocolError) -> bool:
    """Whether a request met a stale connection, and may be sent again on a new one."""
    if not isinstance(failure.__cause__, Stale) or not request.extensions.get("repeatable", True):
        return False
    body = request.stream
    return isinstance(body, httpx2.ByteStream) or getattr(body, "repeatable", False)


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of an answer, which gives its slot back when it is closed, once."""

    def __init__(self, body: Any, release: Callable[[bool], Any]) -> None:
        self._body = body
        self._release: Callable[[bool], Any] | None = release

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)

    def close(self) -> None:
        """Close it, and give the slot back."""
        release, self._release = self._release, None
        if release is not None:
            broken = True
            try:
                self._body.close()
                broken = False
            finally:
                release(broken)

    async def aclose(self) -> None:
        """The same, without blocking."""
        release, self._release = self._release, None
        if release is not None:
            broken = True
            try:
                await self._body.aclose()
                broken = False
            finally:
                await release(broken)


@contextmanager
def translated() -> Generator[None]:
    """Let errors of the libraries below HTTPX2, which it lets through, be its own."""
    try:
        yield
    except Exception as failure:
        match type(failure).__module__.partition(".")[0]:
            case "socksio":
                raise httpx2.ProxyError(f"SOCKS: {failure}") from failure
            case "h11":
                raise httpx2.LocalProtocolError(str(failure)) from failure
            case _:
                raise
