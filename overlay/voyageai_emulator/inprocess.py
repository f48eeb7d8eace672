"""The emulator without a socket: a transport for both clients of httpx2.

The application runs on an event loop in a thread of its own, so that requests may come from any
thread and any asyncio event loop. Bodies are streamed both ways. What a socket does to a client,
this does too: timeouts, connections that are reset or closed early, clients that go away.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import httpx2

from .app import create_app
from .connections import Connections
from .emulator import Emulator
from .exchange import Exchange
from .portal import Portal
from .state import EmulatorState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator
    from concurrent.futures import Future

    from starlette.types import ASGIApp, Scope

    from .exchange import Head
    from .settings import Settings

__all__ = ["InProcessEmulator", "InProcessTransport", "in_this_process"]

ORIGIN = "https://emulator.invalid"
"""No host has such a name: a client that was not given the transport gets nowhere."""
LOGGER = logging.getLogger("voyageai_emulator")


class InProcessEmulator(Emulator):
    """A base URL, and the transport by which it is reached.

    Attributes:
        transport: For `httpx2.Client`, `httpx2.AsyncClient` and all that takes a transport of
            httpx2. Every request to any host goes to the emulator, which goes by the name of the
            host. Safe to share, and not ended by a client that is closed.
    """

    transport: InProcessTransport


class InProcessTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Carries requests to an application on another event loop.

    Args:
        app: Answers.
        portal: The loop where it does.
        connections: Counts requests under way, each a connection.
    """

    def __init__(self, app: ASGIApp, portal: Portal, connections: Connections) -> None:
        self._app = app
        self._portal = portal
        self._connections = connections
        self._under_way: set[Exchange] = set()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return how its answer begins.

        Raises:
            httpx2.TransportError: There is none.
        """
        body = request.stream
        if not isinstance(body, httpx2.SyncByteStream):
            raise TypeError("a body that is made asynchronously needs httpx2.AsyncClient")
        exchange, timeouts = self._begin(request), _Timeouts(request)
        try:
            for part in body:
                with _failures(request, httpx2.WriteTimeout):
                    wanted = self._portal.call(exchange.send(part, timeouts.write)).result()
                if not wanted:
                    break
            with _failures(request):
                head = self._portal.call(exchange.head(timeouts.read)).result()
        except BaseException:
            self._leave(exchange)
            raise
        return self._response(head, exchange, request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The same, without blocking.

        Raises:
            httpx2.TransportError: There is none.
        """
        body = request.stream
        if not isinstance(body, httpx2.AsyncByteStream):
            raise TypeError("a body that is made by blocking needs httpx2.Client")
        exchange, timeouts = self._begin(request), _Timeouts(request)
        try:
            async for part in body:
                with _failures(request, httpx2.WriteTimeout):
                    sent = self._portal.call(exchange.send(part, timeouts.write))
                    wanted = await asyncio.wrap_future(sent)
                if not wanted:
                    break
            with _failures(request):
                head = await asyncio.wrap_future(self._portal.call(exchange.head(timeouts.read)))
        except BaseException as error:
            self._leave(exchange, cancel=isinstance(error, asyncio.CancelledError))
            raise
        return self._response(head, exchange, request)

    def stop(self) -> None:
        """End the requests under way; on the application's loop."""
        for exchange in self._under_way:
            exchange.stop()

    def _begin(self, request: httpx2.Request) -> Exchange:
        exchange = Exchange(self._app, _scope(request), self._connections)
        try:
            self._portal.call(self._run(exchange))
        except EOFError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        return exchange

    async def _run(self, exchange: Exchange) -> None:
        self._under_way.add(exchange)
        exchange.begin().add_done_callback(lambda task: self._ended(exchange, task))

    def _ended(self, exchange: Exchange, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            LOGGER.error("the emulator failed", exc_info=task.exception())
        self._sweep(exchange)

    def _leave(self, exchange: Exchange, *, cancel: bool = False) -> None:
        def leave() -> None:
            exchange.leave(cancel=cancel)
            self._sweep(exchange)

        self._portal.post(leave)

    def _sweep(self, exchange: Exchange) -> None:
        if exchange.done:
            self._under_way.discard(exchange)

    def _response(self, head: Head, exchange: Exchange, request: httpx2.Request) -> httpx2.Response:
        seconds = _Timeouts(request).read

        def receive() -> Future[bytes]:
            return self._portal.call(exchange.receive(seconds))

        body = _Body(request, receive, lambda: self._leave(exchange))
        return httpx2.Response(head.status, headers=head.headers, stream=body)


class _Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(
        self,
        request: httpx2.Request,
        receive: Callable[[], Future[bytes]],
        leave: Callable[[], None],
    ) -> None:
        self._request = request
        self._receive = receive
        self._leave = leave

    def __iter__(self) -> Iterator[bytes]:
        with _failures(self._request):
            while part := self._receive().result():
                yield part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _failures(self._request):
            while part := await asyncio.wrap_future(self._receive()):
                yield part

    def close(self) -> None:
        self._leave()

    async def aclose(self) -> None:
        self._leave()


class _Timeouts:
    """Seconds for the phases of a request."""

    def __init__(self, request: httpx2.Request) -> None:
        given: dict[str, float | None] = request.extensions.get("timeout", {})
        self.read = given.get("read")
        self.write = given.get("write")


@contextlib.contextmanager
def _failures(
    request: httpx2.Request, timeout: type[httpx2.TimeoutException] = httpx2.ReadTimeout
) -> Generator[None]:
    """Raise what httpx2 raises where a socket fails."""
    try:
        yield
    except TimeoutError as error:
        raise timeout("the emulator took too long", request=request) from error
    except ConnectionResetError as error:
        raise httpx2.ReadError(str(error), request=request) from error
    except EOFError as error:
        raise httpx2.RemoteProtocolError(str(error), request=request) from error


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
def in_this_process(settings: Settings) -> Generator[InProcessEmulator]:
    """Have an emulator for as long as the block lasts."""
    connections = Connections()
    with contextlib.closing(EmulatorState(settings)) as world:
        app = create_app(world, connections)
        emulator = InProcessEmulator(ORIGIN, world, connections)
        portal = Portal("emulator in process")
        emulator.transport = InProcessTransport(app, portal, connections)
        try:
            yield emulator
        finally:
            portal.close(emulator.transport.stop)
