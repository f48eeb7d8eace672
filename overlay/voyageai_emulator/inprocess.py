"""The emulator without a socket: a transport for both clients of httpx2.

The application runs on an event loop in its own thread, so requests can come from any thread and
any event loop. Bodies are streamed both ways. Timeouts, connections that are reset or
closed early and clients that disconnect behave as over a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import httpx2
from anyio import CancelScope
from anyio.from_thread import start_blocking_portal

from .app import Application
from .asgi import Exchange
from .emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator

    from anyio.from_thread import BlockingPortal
    from starlette.types import ASGIApp, Scope

    from .asgi import Head
    from .connections import Connections
    from .settings import Settings

__all__ = ["InProcessEmulator", "InProcessTransport", "in_this_process"]

T = TypeVar("T")

ORIGIN = "https://emulator.invalid"
"""A host that cannot exist, so that a client without the transport fails."""
GRACE = 3.0
"""Seconds that requests in progress have to finish when the emulator is stopped."""
STOPPED = "the emulator was stopped"
LOGGER = logging.getLogger("voyageai_emulator")


class InProcessEmulator(Emulator):
    """A base URL, and the transport that reaches it.

    Attributes:
        transport: Transport for `httpx2.Client`, `httpx2.AsyncClient` and everything else that
            accepts one of httpx2. It sends requests to any host to the emulator, which answers as
            that host. Safe to share; closing a client does not close it.
    """

    transport: InProcessTransport


class InProcessTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Sends requests to an application on the event loop of a portal.

    Args:
        app: The application.
        portal: Portal to the application's event loop.
        connections: Counter of connections, which counts each request in progress as one.
    """

    def __init__(self, app: ASGIApp, portal: BlockingPortal, connections: Connections) -> None:
        self._app = app
        self._portal = portal
        self._connections = connections
        self._exchanges: dict[Exchange, asyncio.Task[None]] = {}
        self._stopped = False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return its response, whose body is read as it is consumed.

        Raises:
            httpx2.TransportError: The connection broke or timed out before the response.
        """
        body = request.stream
        if not isinstance(body, httpx2.SyncByteStream):
            raise TypeError("a body from an async iterator needs httpx2.AsyncClient")
        exchange, timeouts = self._exchange(request), _Timeouts(request)
        try:
            for part in body:
                with _errors(request, exchange, httpx2.WriteTimeout):
                    wants_more = self.call(partial(self._send, exchange, part, timeouts.write))
                if not wants_more:
                    break
            with _errors(request, exchange):
                head = self.call(partial(self._head, exchange, timeouts.read))
        except BaseException:
            self.leave(exchange)
            raise
        return self._response(head, exchange, request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return its response, without blocking the event loop.

        Raises:
            httpx2.TransportError: The connection broke or timed out before the response.
        """
        body = request.stream
        if not isinstance(body, httpx2.AsyncByteStream):
            raise TypeError("a body from a sync iterator needs httpx2.Client")
        exchange, timeouts = self._exchange(request), _Timeouts(request)
        try:
            async for part in body:
                with _errors(request, exchange, httpx2.WriteTimeout):
                    wants_more = await self.call_async(
                        partial(self._send, exchange, part, timeouts.write)
                    )
                if not wants_more:
                    break
            with _errors(request, exchange):
                head = await self.call_async(partial(self._head, exchange, timeouts.read))
        except BaseException as error:
            await self.leave_async(exchange, cancel=not isinstance(error, Exception))
            raise
        return self._response(head, exchange, request)

    def _exchange(self, request: httpx2.Request) -> Exchange:
        return Exchange(self._app, _scope(request), self._connections)

    def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine function on the application's event loop, from a thread.

        Raises:
            EOFError: The emulator was stopped.
        """
        with self._unless_stopped():
            return self._portal.call(function)

    async def call_async(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine function on the application's event loop, from another event loop.

        Raises:
            EOFError: The emulator was stopped.
        """
        with self._unless_stopped():
            return await self._portal.call_async(function)

    @contextlib.contextmanager
    def _unless_stopped(self) -> Generator[None]:
        if self._stopped:
            raise EOFError(STOPPED)
        try:
            yield
        except RuntimeError as error:
            if self._stopped:  # while the call ran
                raise EOFError(STOPPED) from error
            raise

    def leave(self, exchange: Exchange) -> None:
        """Disconnect the client of an exchange."""
        with contextlib.suppress(EOFError):
            self.call(partial(self._disconnect, exchange, cancel=False))

    async def leave_async(self, exchange: Exchange, *, cancel: bool = False) -> None:
        """Disconnect the client of an exchange, even if its task is being cancelled."""
        with contextlib.suppress(EOFError), CancelScope(shield=True):
            await self.call_async(partial(self._disconnect, exchange, cancel=cancel))

    def _response(self, head: Head, exchange: Exchange, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(
            head.status, headers=head.headers, stream=_Body(self, exchange, request)
        )

    # On the application's event loop

    async def stop(self) -> None:
        """End the requests in progress, and wait for them."""
        self._stopped = True
        for exchange in self._exchanges:
            exchange.stop()
        if self._exchanges:
            await asyncio.wait(list(self._exchanges.values()), timeout=GRACE)

    async def _send(self, exchange: Exchange, part: bytes, seconds: float | None) -> bool:
        self._begin(exchange)
        return await exchange.send(part, seconds)

    async def _head(self, exchange: Exchange, seconds: float | None) -> Head:
        self._begin(exchange)
        return await exchange.head(seconds)

    async def receive(self, exchange: Exchange, seconds: float | None) -> tuple[bytes, bool]:
        """Return the next part of a response, and whether it is the last."""
        part, is_last = await exchange.receive(seconds)
        if is_last:
            await self._disconnect(exchange, cancel=False)
        return part, is_last

    async def _disconnect(self, exchange: Exchange, *, cancel: bool) -> None:
        if exchange.begun:
            exchange.leave(cancel=cancel)
            self._discard_if_done(exchange)

    def _begin(self, exchange: Exchange) -> None:
        """Start the application, on the first call for an exchange."""
        if not exchange.begun:
            task = self._exchanges[exchange] = exchange.begin()
            task.add_done_callback(partial(self._end, exchange))

    def _end(self, exchange: Exchange, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            LOGGER.error("the emulator failed", exc_info=task.exception())
        self._discard_if_done(exchange)

    def _discard_if_done(self, exchange: Exchange) -> None:
        if exchange.done:
            self._exchanges.pop(exchange, None)


class _Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of a response, received part by part."""

    def __init__(
        self, transport: InProcessTransport, exchange: Exchange, request: httpx2.Request
    ) -> None:
        self._transport = transport
        self._exchange = exchange
        self._request = request
        self._receive = partial(transport.receive, exchange, _Timeouts(request).read)
        self._complete = False

    def __iter__(self) -> Iterator[bytes]:
        with _errors(self._request, self._exchange):
            while not self._complete:
                part, self._complete = self._transport.call(self._receive)
                yield part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors(self._request, self._exchange):
            while not self._complete:
                part, self._complete = await self._transport.call_async(self._receive)
                yield part

    def close(self) -> None:
        if not self._complete:
            self._transport.leave(self._exchange)

    async def aclose(self) -> None:
        if not self._complete:
            await self._transport.leave_async(self._exchange)


class _Timeouts:
    """The timeouts of a request, in seconds."""

    def __init__(self, request: httpx2.Request) -> None:
        given: dict[str, float | None] = request.extensions.get("timeout", {})
        self.read = given.get("read")
        self.write = given.get("write")


@contextlib.contextmanager
def _errors(
    request: httpx2.Request,
    exchange: Exchange,
    timeout: type[httpx2.TimeoutException] = httpx2.ReadTimeout,
) -> Generator[None]:
    """Translate errors into those that httpx2 raises for a socket."""
    try:
        yield
    except TimeoutError as error:
        raise timeout("the emulator took too long", request=request) from error
    except ConnectionResetError as error:
        raise httpx2.ReadError(str(error), request=request) from error
    except EOFError as error:
        kind = httpx2.RemoteProtocolError if exchange.begun else httpx2.ConnectError
        raise kind(str(error), request=request) from error


def _scope(request: httpx2.Request) -> Scope:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 0),
        "server": (url.host, url.port),
    }


@contextlib.contextmanager
def in_this_process(
    settings: Settings, asgi: ASGIApp | None = None
) -> Generator[InProcessEmulator]:
    """Run an emulator without a socket during the block.

    Args:
        settings: Settings of the emulator.
        asgi: Application that answers instead of the emulator's own.
    """
    with contextlib.closing(Application(settings)) as app:
        emulator = InProcessEmulator(ORIGIN, app)
        with start_blocking_portal(name="emulator in process") as portal:
            emulator.transport = InProcessTransport(asgi or app, portal, app.connections)
            try:
                yield emulator
            finally:
                portal.call(emulator.transport.stop)
