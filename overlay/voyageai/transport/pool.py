"""A pool of connections that costs the same per call, however many calls are in flight.

A pool of `httpcore2` looks through all its connections at each event. Here it is made of slots: a
slot is a transport of HTTPX2 with one connection to one host. The slot that was used last is taken
first, so that the others can expire.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

import anyio
import httpx2

from .network import Backend, Deadline, StaleConnection, has_unread_bytes, set_backend
from .request import origin

if TYPE_CHECKING:
    import httpcore2

    from .config import ConnectionConfig

T = TypeVar("T", httpx2.HTTPTransport, httpx2.AsyncHTTPTransport)

SINGLE = httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
STREAMED = frozenset({200, 206})
"""Statuses of responses whose bodies may be streamed; others are read whole."""
NO_SLOT = "timed out waiting for a free connection"


class Slot(Generic[T]):
    """A transport of one connection.

    Attributes:
        origin: Where the connection leads.
        deadline: When all that a blocking slot does must be over; never set for others.
        broken: Whether its last request ended other than by a response that was read: its transport
            may take its connection to be in use forever.
        proxy: URL of the proxy that it goes through, without user name and password.
    """

    def __init__(
        self, url: httpx2.URL, transport: T, deadline: Deadline, proxy: httpx2.Proxy | None
    ) -> None:
        self.origin = origin(url)
        self.transport: T = transport
        self.deadline = deadline
        self.proxy = None if proxy is None else str(proxy.url)
        self.idle_since = 0.0
        self.broken = False


class IdleSlots(Generic[T]):
    """The slots that wait for their next request, the longest idle first; safe between threads.

    `put` may also be called by the garbage collector, which runs anywhere, even in a thread that
    holds the lock here: it takes no lock.
    """

    def __init__(self, limits: httpx2.Limits) -> None:
        self._limits = limits
        self._slots: list[Slot[T]] = []
        self._lock = threading.Lock()
        self._returned: queue.SimpleQueue[Slot[T]] = queue.SimpleQueue()
        self._all: WeakSet[Slot[T]] = WeakSet()  # idle or in use
        self._closed = False

    def take(self, url: httpx2.URL, now: float) -> tuple[Slot[T] | None, list[Slot[T]]]:
        """Return the slot to a host that was used last, if any, and expired slots to close."""
        expiry, wanted = self._limits.keepalive_expiry, origin(url)
        with self._lock:
            self._sort_in()
            expired = 0
            while expiry is not None and expired < len(self._slots):
                if now - self._slots[expired].idle_since < expiry:
                    break
                expired += 1
            closing = self._remove(expired)
            for place in range(len(self._slots) - 1, -1, -1):
                if self._slots[place].origin == wanted:
                    return self._slots.pop(place), closing
            return None, closing

    def opened(self, slot: Slot[T]) -> list[Slot[T]]:
        """Count a new slot; return those to other hosts that must make room, to close."""
        most = self._limits.max_connections
        with self._lock:
            self._all.add(slot)
            return self._remove(0 if most is None else len(self._all) - most)

    def put(self, slot: Slot[T], now: float) -> list[Slot[T]]:
        """Keep a slot that was used; return those that are too many or broken, to close."""
        most = self._limits.max_keepalive_connections
        full = most is not None and len(self._slots) + self._returned.qsize() >= most
        if slot.broken or full:
            self._all.discard(slot)
            return [slot]
        slot.idle_since = now
        self._returned.put(slot)
        return list(self._drain_returned()) if self._closed else []

    def close(self) -> list[Slot[T]]:
        """Keep no slots any more; return all, to close."""
        with self._lock:
            self._closed = True
            self._sort_in()
            return self._remove(len(self._slots))

    def _sort_in(self) -> None:
        self._slots += self._drain_returned()

    def _drain_returned(self) -> Iterator[Slot[T]]:
        with suppress(queue.Empty):
            while True:
                yield self._returned.get_nowait()

    def _remove(self, count: int) -> list[Slot[T]]:
        removed = self._slots[: max(0, count)]
        del self._slots[: len(removed)]
        for slot in removed:
            self._all.discard(slot)
        return removed


class _SlotStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of a response, which gives its slot back when it is closed, once."""

    def __init__(self, body: Any, release: Callable[[bool], Any]) -> None:
        self._body = body
        self._release: Callable[[bool], Any] | None = release

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)

    def close(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            broken = True
            try:
                self._body.close()
                broken = False
            finally:
                release(broken)

    async def aclose(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            broken = True
            try:
                await self._body.aclose()
                broken = False
            finally:
                await release(broken)


class ConnectionPool(httpx2.BaseTransport):
    """A transport for any number of calls at once, safe to share between threads.

    A request's extensions may hold, beside HTTPX2's own, `deadline` (when, by the clock, all must
    be over), `repeatable` (whether it may be sent again if the server closed its connection while
    that was idle; it may by default), `streamed` (whether the body of a success is left to be
    read) and `body_deadline` (the deadline for that). The extension `proxy` is set here.

    Args:
        config: How to reach hosts.
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, config: ConnectionConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._start()

    def _start(self) -> None:
        most = self._config.limits.max_connections
        self._idle: IdleSlots[httpx2.HTTPTransport] = IdleSlots(self._config.limits)
        # Unlike a semaphore's, a queue's permits can be given back by the garbage collector.
        self._free: queue.SimpleQueue[None] | None = None
        if most is not None:
            self._free = queue.SimpleQueue()
            for _ in range(most):
                self._free.put(None)
        self._process = os.getpid()  # last: other threads take the rest to be set then

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            httpx2.TransportError: There is no response.
        """
        if self._process != os.getpid():  # after a fork: connections and locks are the parent's
            self._start()
        idle, free = self._idle, self._free
        self._wait(free, request)
        slot: Slot[httpx2.HTTPTransport] | None = None

        def release(broken: bool) -> None:
            try:
                if slot is not None:
                    slot.broken = broken or has_unread_bytes(slot.transport)
                    _close(idle.put(slot, self._clock()))
            finally:
                if free is not None:
                    free.put(None)

        try:
            slot, expired = idle.take(request.url, self._clock())
            _close(expired)
            if slot is None:
                slot = self._open(request.url)
                _close(idle.opened(slot))
            response = _send(slot, request)
        except BaseException:
            release(True)
            raise
        response.stream = _SlotStream(response.stream, release)
        return response

    def _wait(self, free: queue.SimpleQueue[None] | None, request: httpx2.Request) -> None:
        if free is None:
            return
        deadline = Deadline(self._clock, request.extensions.get("deadline"))
        seconds = request.extensions.get("timeout", {}).get("pool")
        try:
            free.get(timeout=deadline.left(seconds, httpx2.PoolTimeout))
        except queue.Empty:
            raise httpx2.PoolTimeout(NO_SLOT, request=request) from None

    def _open(self, url: httpx2.URL) -> Slot[httpx2.HTTPTransport]:
        arguments = self._config.arguments(url)
        transport = httpx2.HTTPTransport(**arguments, limits=SINGLE)
        deadline = Deadline(self._clock)
        set_backend(transport, Backend(deadline))
        return Slot(url, transport, deadline, arguments["proxy"])

    def close(self) -> None:
        """Close the idle connections now, and those in use when they come back."""
        _close(self._idle.close())


class AsyncConnectionPool(httpx2.AsyncBaseTransport):
    """The twin of `ConnectionPool` for one event loop, where cancelling enforces deadlines.

    Args:
        config: How to reach hosts.
        clock: A monotonic clock, in seconds.
        backend: Opens connections; None for the library's own, as for trio.
    """

    def __init__(
        self,
        config: ConnectionConfig,
        clock: Callable[[], float],
        backend: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        most = config.limits.max_connections
        self._config = config
        self._clock = clock
        self._backend = backend
        self._idle: IdleSlots[httpx2.AsyncHTTPTransport] = IdleSlots(config.limits)
        self._free = None if most is None else anyio.Semaphore(most, fast_acquire=True)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            httpx2.TransportError: There is no response.
        """
        await self._wait(request)
        slot: Slot[httpx2.AsyncHTTPTransport] | None = None

        async def release(broken: bool) -> None:
            try:
                if slot is not None:
                    slot.broken = broken or has_unread_bytes(slot.transport)
                    await _aclose(self._idle.put(slot, self._clock()))
            finally:
                if self._free is not None:
                    self._free.release()

        try:
            slot, expired = self._idle.take(request.url, self._clock())
            await _aclose(expired)
            if slot is None:
                slot = self._open(request.url)
                await _aclose(self._idle.opened(slot))
            response = await _asend(slot, request)
        except BaseException:
            await release(True)
            raise
        response.stream = _SlotStream(response.stream, release)
        return response

    async def _wait(self, request: httpx2.Request) -> None:
        if self._free is None:
            return
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            try:
                with anyio.fail_after(request.extensions.get("timeout", {}).get("pool")):
                    await self._free.acquire()
            except TimeoutError:
                raise httpx2.PoolTimeout(NO_SLOT, request=request) from None

    def _open(self, url: httpx2.URL) -> Slot[httpx2.AsyncHTTPTransport]:
        arguments = self._config.arguments(url)
        transport = httpx2.AsyncHTTPTransport(**arguments, limits=SINGLE)
        if self._backend is not None:
            set_backend(transport, self._backend)
        return Slot(url, transport, Deadline(self._clock), arguments["proxy"])

    async def aclose(self) -> None:
        """Close the idle connections now, and those in use when they come back."""
        await _aclose(self._idle.close())


def is_streamed(request: httpx2.Request, response: httpx2.Response) -> bool:
    """Return whether the body is left for a reader that takes it piece by piece."""
    return request.extensions.get("streamed", False) and response.status_code in STREAMED


def _send(slot: Slot[httpx2.HTTPTransport], request: httpx2.Request) -> httpx2.Response:
    """Send a request, and once more if the server had closed the connection while it was idle."""
    request.extensions["proxy"] = slot.proxy
    slot.deadline.at = request.extensions.get("deadline")
    with _mapped_exceptions():
        try:
            response = slot.transport.handle_request(request)
        except httpx2.RemoteProtocolError as failure:
            if not _may_resend(request, failure):
                raise
            response = slot.transport.handle_request(request)
    if is_streamed(request, response):
        slot.deadline.at = request.extensions.get("body_deadline")
    return response


async def _asend(slot: Slot[httpx2.AsyncHTTPTransport], request: httpx2.Request) -> httpx2.Response:
    request.extensions["proxy"] = slot.proxy
    with _mapped_exceptions():
        try:
            return await slot.transport.handle_async_request(request)
        except httpx2.RemoteProtocolError as failure:
            if not _may_resend(request, failure):
                raise
            return await slot.transport.handle_async_request(request)


def _may_resend(request: httpx2.Request, failure: httpx2.RemoteProtocolError) -> bool:
    """Return whether a request met a stale connection, and may be sent again on a new one."""
    stale = isinstance(failure.__cause__, StaleConnection)
    if not stale or not request.extensions.get("repeatable", True):
        return False
    body = request.stream
    return isinstance(body, httpx2.ByteStream) or getattr(body, "repeatable", False)


@contextmanager
def _mapped_exceptions() -> Generator[None]:
    """Raise errors of the libraries below HTTPX2, which it lets through, as its own."""
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


def _close(slots: list[Slot[httpx2.HTTPTransport]]) -> None:
    for slot in slots:
        slot.transport.close()


async def _aclose(slots: list[Slot[httpx2.AsyncHTTPTransport]]) -> None:
    for slot in slots:
        await slot.transport.aclose()
