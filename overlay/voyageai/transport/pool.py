"""A pool of connections whose cost per call does not grow with the number of calls in flight.

A pool of `httpcore2` iterates over all its connections at each event. This one has slots: a slot is
an HTTPX2 transport with one connection to one host. The most recently used slot is taken first, so
that the others can expire.
"""

from __future__ import annotations

import os
import queue
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import httpx2
from attrs import define

from .network import Backend, Exchange, has_unread_bytes, set_backend

if TYPE_CHECKING:
    import httpcore2

    from .config import ConnectionConfig

T = TypeVar("T", httpx2.HTTPTransport, httpx2.AsyncHTTPTransport)

SINGLE = httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
STREAMED = frozenset({200, 206})
"""Statuses of responses whose bodies may be streamed; others are read in full."""
NO_SLOT = "timed out waiting for a free connection"


class Slot(Generic[T]):
    """A transport with a single connection.

    Attributes:
        origin: Scheme, host and port of the connection.
        exchange: The request in flight.
        proxy: URL of the proxy, without user name and password; None without a proxy.
        idle_since: Time at which the slot was returned, by the clock.
    """

    def __init__(
        self, url: httpx2.URL, transport: T, exchange: Exchange, proxy: httpx2.Proxy | None
    ) -> None:
        self.origin = (url.scheme, url.host, url.port)
        self.transport: T = transport
        self.exchange = exchange
        self.proxy = None if proxy is None else str(proxy.url)
        self.idle_since = 0.0


class IdleSlots(Generic[T]):
    """The idle slots, the longest idle first.

    Safe between threads, and `put` even in the garbage collector, which may run anywhere: there is
    no lock, as each step is one operation of a deque.
    """

    def __init__(self, limits: httpx2.Limits) -> None:
        max_slots, expiry = limits.max_keepalive_connections, limits.keepalive_expiry
        self._max_slots = inf if max_slots is None else max_slots
        self._expiry = inf if expiry is None else expiry
        self._slots: deque[Slot[T]] = deque()

    def take(self, url: httpx2.URL, now: float) -> tuple[Slot[T] | None, list[Slot[T]]]:
        """Return the most recently used slot for a URL, or None, and the expired ones to close."""
        slots, origin = self._slots, (url.scheme, url.host, url.port)
        expired: list[Slot[T]] = []
        with suppress(IndexError):  # empty, or another thread took the last one
            while now - slots[0].idle_since >= self._expiry:
                expired.append(slots.popleft())
        while slots:
            try:
                slot = slots[-1]
                if slot.origin != origin:
                    slot = next(one for one in reversed(slots.copy()) if one.origin == origin)
                slots.remove(slot)
            except StopIteration:
                break
            except (IndexError, ValueError):  # another thread took it: try the next one
                continue
            return slot, expired
        return None, expired

    def put(self, slot: Slot[T], now: float) -> list[Slot[T]]:
        """Add a slot; return the slots to close because there are too many."""
        if len(self._slots) >= self._max_slots:
            return [slot]
        slot.idle_since = now
        self._slots.append(slot)
        return [] if self._max_slots else self.shrink(0)  # the pool was closed meanwhile

    def shrink(self, max_slots: int, url: httpx2.URL | None = None) -> list[Slot[T]]:
        """Keep at most `max_slots` slots; return the others, the longest idle first, to close.

        Slots for `url` are kept: those that other threads have returned since `take` found none
        are within the limit, as no more can be in use than there are permits.
        """
        origin = url and (url.scheme, url.host, url.port)
        removed: list[Slot[T]] = []
        for slot in self._slots.copy() if len(self._slots) > max_slots else ():
            if slot.origin != origin and len(self._slots) > max_slots:
                with suppress(IndexError, ValueError):  # another thread took it
                    self._slots.remove(slot)
                    removed.append(slot)
        return removed

    def close(self) -> list[Slot[T]]:
        """Keep no more slots from now on; return all, to close."""
        self._max_slots = 0
        return self.shrink(0)


@define(eq=False)
class _SlotStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of a response, which returns its slot once, when it is closed.

    Attributes:
        body: The body of the slot's response.
        release: Returns the slot; called with whether the connection is broken. None once called.
    """

    body: Any
    release: Callable[[bool], Any] | None

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self.body)

    def close(self) -> None:
        release, self.release = self.release, None
        if release is not None:
            broken = True
            try:
                self.body.close()
                broken = False
            finally:
                release(broken)

    async def aclose(self) -> None:
        release, self.release = self.release, None
        if release is not None:
            broken = True
            try:
                await self.body.aclose()
                broken = False
            finally:
                await release(broken)


class ConnectionPool(httpx2.BaseTransport):
    """A transport for any number of concurrent calls, safe to share between threads.

    Extensions of a request, besides HTTPX2's own: `deadline` (time by which the response must be
    there, by the clock), `repeatable` (whether to send it again if the server closed the connection
    while it was idle; True by default), `streamed` (whether the body of a success is left to be
    read) and `body_deadline` (the deadline of such a body). The pool sets the extension `proxy`.

    Args:
        config: Settings of connections.
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, config: ConnectionConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._start()

    def _start(self) -> None:
        max_slots = self._config.limits.max_connections
        self._idle: IdleSlots[httpx2.HTTPTransport] = IdleSlots(self._config.limits)
        # Unlike a semaphore, a SimpleQueue can be released by the garbage collector.
        self._free: queue.SimpleQueue[None] | None = None
        if max_slots is not None:
            self._free = queue.SimpleQueue()
            for _ in range(max_slots):
                self._free.put(None)
        self._process = os.getpid()  # last: it tells other threads that the rest is set

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            httpx2.TransportError: The request got no response.
        """
        if self._process != os.getpid():  # after a fork: the connections belong to the parent
            self._start()
        idle, free = self._idle, self._free
        if free is not None:
            try:
                free.get_nowait()
            except queue.Empty:
                self._wait(free, request)
        slot: Slot[httpx2.HTTPTransport] | None = None
        try:
            slot, closing = idle.take(request.url, self._clock())
            kept = slot is not None
            if slot is None:
                slot = self._open(request.url)
                if free is not None:
                    closing += idle.shrink(free.qsize(), request.url)
            if closing:
                _close(closing)
            exchange = slot.exchange
            exchange.deadline = request.extensions.get("deadline")
            exchange.unanswered = kept
            request.extensions["proxy"] = slot.proxy
            try:
                response = slot.transport.handle_request(request)
            except (httpx2.RemoteProtocolError, httpx2.ReadError):
                if not _may_resend(request, exchange):
                    raise
                response = slot.transport.handle_request(request)
            if request.extensions.get("streamed") and response.status_code in STREAMED:
                exchange.deadline = request.extensions.get("body_deadline")
        except BaseException as failure:
            self._release(idle, free, slot, True)
            if (other := _as_httpx2(failure)) is not None:
                raise other from failure
            raise
        response.stream = _SlotStream(response.stream, partial(self._release, idle, free, slot))
        return response

    def _wait(self, free: queue.SimpleQueue[None], request: httpx2.Request) -> None:
        exchange = Exchange(self._clock)
        exchange.deadline = request.extensions.get("deadline")
        seconds = request.extensions.get("timeout", {}).get("pool")
        try:
            free.get(timeout=exchange.left(seconds, httpx2.PoolTimeout))
        except queue.Empty:
            raise httpx2.PoolTimeout(NO_SLOT, request=request) from None

    def _open(self, url: httpx2.URL) -> Slot[httpx2.HTTPTransport]:
        arguments = self._config.arguments(url)
        transport = httpx2.HTTPTransport(**arguments, limits=SINGLE)
        exchange = Exchange(self._clock)
        set_backend(transport, Backend(exchange))
        return Slot(url, transport, exchange, arguments["proxy"])

    def _release(
        self,
        idle: IdleSlots[httpx2.HTTPTransport],
        free: queue.SimpleQueue[None] | None,
        slot: Slot[httpx2.HTTPTransport] | None,
        broken: bool,
    ) -> None:
        """Return a slot and its permit to the pool that they are from, which a fork may replace."""
        try:
            if slot is not None:
                if broken or has_unread_bytes(slot.transport):
                    slot.transport.close()
                elif closing := idle.put(slot, self._clock()):
                    _close(closing)
        finally:
            if free is not None:
                free.put(None)

    def close(self) -> None:
        """Close the idle connections now, and those in use once they are returned."""
        _close(self._idle.close())


class AsyncConnectionPool(httpx2.AsyncBaseTransport):
    """The asynchronous counterpart of `ConnectionPool`, for one event loop.

    Cancellation enforces the deadlines.

    Args:
        config: Settings of connections.
        clock: A monotonic clock, in seconds.
        backend: Makes the network backend; None for the library's own, as for trio.
    """

    def __init__(
        self,
        config: ConnectionConfig,
        clock: Callable[[], float],
        backend: Callable[[Exchange], httpcore2.AsyncNetworkBackend] | None = None,
    ) -> None:
        max_slots = config.limits.max_connections
        self._config = config
        self._clock = clock
        self._backend = backend
        self._idle: IdleSlots[httpx2.AsyncHTTPTransport] = IdleSlots(config.limits)
        self._free = None if max_slots is None else anyio.Semaphore(max_slots, fast_acquire=True)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            httpx2.TransportError: The request got no response.
        """
        if self._free is not None:
            try:
                self._free.acquire_nowait()
            except anyio.WouldBlock:
                await self._wait(self._free, request)
        slot: Slot[httpx2.AsyncHTTPTransport] | None = None
        try:
            slot, closing = self._idle.take(request.url, self._clock())
            kept = slot is not None
            if slot is None:
                slot = self._open(request.url)
                if self._free is not None:
                    closing += self._idle.shrink(self._free.value, request.url)
            if closing:
                await _aclose(closing)
            slot.exchange.unanswered = (
                kept and self._backend is not None
            )  # only our backend resets it
            request.extensions["proxy"] = slot.proxy
            try:
                response = await slot.transport.handle_async_request(request)
            except (httpx2.RemoteProtocolError, httpx2.ReadError):
                if not _may_resend(request, slot.exchange):
                    raise
                response = await slot.transport.handle_async_request(request)
        except BaseException as failure:
            await self._release(slot, True)
            if (other := _as_httpx2(failure)) is not None:
                raise other from failure
            raise
        response.stream = _SlotStream(response.stream, partial(self._release, slot))
        return response

    async def _wait(self, free: anyio.Semaphore, request: httpx2.Request) -> None:
        try:
            with anyio.fail_after(request.extensions.get("timeout", {}).get("pool")):
                await free.acquire()
        except TimeoutError:
            raise httpx2.PoolTimeout(NO_SLOT, request=request) from None

    def _open(self, url: httpx2.URL) -> Slot[httpx2.AsyncHTTPTransport]:
        arguments = self._config.arguments(url)
        transport = httpx2.AsyncHTTPTransport(**arguments, limits=SINGLE)
        exchange = Exchange(self._clock)
        if self._backend is not None:
            set_backend(transport, self._backend(exchange))
        return Slot(url, transport, exchange, arguments["proxy"])

    async def _release(self, slot: Slot[httpx2.AsyncHTTPTransport] | None, broken: bool) -> None:
        try:
            if slot is not None:
                if broken or has_unread_bytes(slot.transport):
                    await slot.transport.aclose()
                elif closing := self._idle.put(slot, self._clock()):
                    await _aclose(closing)
        finally:
            if self._free is not None:
                self._free.release()

    async def aclose(self) -> None:
        """Close the idle connections now, and those in use once they are returned."""
        await _aclose(self._idle.close())


class TransportClient(httpx2.Client):
    """A client that only passes requests to a transport.

    Tools instrument clients (`send`) as well as transports, so every request goes through a client.
    None of a client's own features is wanted: headers, cookies and authentication are the call's,
    redirects are followed for contents of files only, and its line per success at INFO is too much.

    Args:
        transport: The transport, closed by `close`.
    """

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        super().__init__(transport=transport, auth=httpx2.Auth(), trust_env=False)
        self.transport = transport

    # A private name of HTTPX2's. If it were renamed, only its lines at INFO would come back, and a
    # test would find that.
    def _send_single_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self.transport.handle_request(request)
        response.request = request
        return response


class AsyncTransportClient(httpx2.AsyncClient):
    """The asynchronous counterpart of `TransportClient`."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        super().__init__(transport=transport, auth=httpx2.Auth(), trust_env=False)
        self.transport = transport

    async def _send_single_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self.transport.handle_async_request(request)
        response.request = request
        return response


def _may_resend(request: httpx2.Request, exchange: Exchange) -> bool:
    """Return whether a request met a connection closed while idle, and may be sent again."""
    body = request.stream
    return (
        exchange.unanswered
        and request.extensions.get("repeatable", True)
        and (isinstance(body, httpx2.ByteStream) or getattr(body, "repeatable", False))
    )


def _as_httpx2(failure: BaseException) -> httpx2.TransportError | None:
    """Return HTTPX2's exception for one of socksio or h11, which HTTPX2 does not convert."""
    library = type(failure).__module__.partition(".")[0]
    if library == "socksio":
        return httpx2.ProxyError(f"SOCKS: {failure}")
    return httpx2.LocalProtocolError(str(failure)) if library == "h11" else None


def _close(slots: list[Slot[httpx2.HTTPTransport]]) -> None:
    for slot in slots:
        slot.transport.close()


async def _aclose(slots: list[Slot[httpx2.AsyncHTTPTransport]]) -> None:
    for slot in slots:
        await slot.transport.aclose()
