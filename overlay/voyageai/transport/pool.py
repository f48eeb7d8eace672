"""A pool of connections that costs the same per call, however many calls are in flight.

A pool of `httpcore2` looks through all its connections at each event. Here it is made of slots: a
slot is a transport of HTTPX2 with one connection to one host. The slot that was used last is taken
first, so that the others can expire.
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
"""Statuses of responses whose bodies may be streamed; others are read whole."""
NO_SLOT = "timed out waiting for a free connection"


class Slot(Generic[T]):
    """A transport of one connection.

    Attributes:
        origin: Where the connection leads.
        exchange: The request that is in flight.
        proxy: URL of the proxy that it goes through, without user name and password.
        idle_since: When it was given back, by the clock.
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
    """The slots that wait for their next request, the longest idle first.

    Safe between threads, and `put` even in the garbage collector, which may run anywhere: there is
    no lock, as each step is one operation of a deque.
    """

    def __init__(self, limits: httpx2.Limits) -> None:
        most, expiry = limits.max_keepalive_connections, limits.keepalive_expiry
        self._most = inf if most is None else most
        self._expiry = inf if expiry is None else expiry
        self._slots: deque[Slot[T]] = deque()

    def take(self, url: httpx2.URL, now: float) -> tuple[Slot[T] | None, list[Slot[T]]]:
        """Return the slot to a host that was used last, if any, and expired slots to close."""
        slots, origin = self._slots, (url.scheme, url.host, url.port)
        found: Slot[T] | None = None
        expired: list[Slot[T]] = []
        others: list[Slot[T]] = []
        with suppress(IndexError):  # there is none, or another thread was quicker
            while now - slots[0].idle_since >= self._expiry:
                expired.append(slots.popleft())
            while (slot := slots.pop()).origin != origin:
                others.append(slot)
            found = slot
        slots.extend(reversed(others))
        return found, expired

    def put(self, slot: Slot[T], now: float) -> list[Slot[T]]:
        """Keep a slot that was used; return those that are too many, to close."""
        if len(self._slots) >= self._most:
            return [slot]
        slot.idle_since = now
        self._slots.append(slot)
        return [] if self._most else self.shrink(0)  # closed meanwhile

    def shrink(self, most: int) -> list[Slot[T]]:
        """Keep no more slots than that; return the others, the longest idle, to close."""
        removed: list[Slot[T]] = []
        with suppress(IndexError):
            while len(self._slots) > most:
                removed.append(self._slots.popleft())
        return removed

    def close(self) -> list[Slot[T]]:
        """Keep no slots any more; return all, to close."""
        self._most = 0
        return self.shrink(0)


@define(eq=False)
class _SlotStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of a response, which gives its slot back when it is closed, once.

    Attributes:
        body: The body of the slot's transport.
        release: Gives the slot back; is told whether it is broken. None once it was called.
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
        if self._process != os.getpid():  # after a fork: connections are the parent's
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
                    closing += idle.shrink(free.qsize())
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
        """Give a slot and its permit back to where they are from, which a fork may replace."""
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
        """Close the idle connections now, and those in use when they come back."""
        _close(self._idle.close())


class AsyncConnectionPool(httpx2.AsyncBaseTransport):
    """The twin of `ConnectionPool` for one event loop, where cancelling enforces deadlines.

    Args:
        config: How to reach hosts.
        clock: A monotonic clock, in seconds.
        backend: Makes what opens connections; None for the library's own, as for trio.
    """

    def __init__(
        self,
        config: ConnectionConfig,
        clock: Callable[[], float],
        backend: Callable[[Exchange], httpcore2.AsyncNetworkBackend] | None = None,
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
                    closing += self._idle.shrink(self._free.value)
            if closing:
                await _aclose(closing)
            slot.exchange.unanswered = kept and self._backend is not None  # or else never reset
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
        """Close the idle connections now, and those in use when they come back."""
        await _aclose(self._idle.close())


class TransportClient(httpx2.Client):
    """A client that sends through a transport, and does nothing else.

    Tools watch clients (`send`) as well as transports, so every request goes through a client.
    Nothing that one does by itself is wanted: headers, cookies and authentication are the call's,
    redirects are followed for contents of files alone, and a line per success at INFO is too many.

    Args:
        transport: Closed by `close`.
    """

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        super().__init__(transport=transport, auth=httpx2.Auth(), trust_env=False)
        self.transport = transport

    # A private name of HTTPX2's. Were it to move, all that would come back are the lines at INFO,
    # which a test would find.
    def _send_single_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self.transport.handle_request(request)
        response.request = request
        return response


class AsyncTransportClient(httpx2.AsyncClient):
    """The asynchronous twin of `TransportClient`."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        super().__init__(transport=transport, auth=httpx2.Auth(), trust_env=False)
        self.transport = transport

    async def _send_single_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self.transport.handle_async_request(request)
        response.request = request
        return response


def _may_resend(request: httpx2.Request, exchange: Exchange) -> bool:
    """Return whether a request met a connection that was closed while idle, and may go again."""
    body = request.stream
    return (
        exchange.unanswered
        and request.extensions.get("repeatable", True)
        and (isinstance(body, httpx2.ByteStream) or getattr(body, "repeatable", False))
    )


def _as_httpx2(failure: BaseException) -> httpx2.TransportError | None:
    """Return HTTPX2's exception for one of the libraries below it, which it lets through."""
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
