"""A pool of HTTP/1.1 connections of one asyncio event loop, as a transport for httpx2."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Iterable

import httpx2

from .dialing import dial
from .incoming import Reply, respond
from .looping_body import Body
from .looping_connection import Connection
from .outgoing import Outgoing, Stale, repeatable
from .pool import Idle, Origin, Places
from .timeouts import Timeouts, expired

RECEIVED = 64 * 1024
"""Bytes to ask for at once."""


class AsyncConnections(httpx2.AsyncBaseTransport):
    """The same as `blocking.Connections`, without blocking, for one event loop.

    A task that is cancelled closes the connection it was using, and the next in line goes on.

    Args:
        context: Makes the TLS context; called in a thread, for the first https connection.
        max_connections: The most that are open at once; further requests wait, in order of
            arrival, within their `pool` timeout. None for no bound.
        max_keepalive_connections: The most that are kept idle.
        keepalive_expiry: Seconds after which an idle connection is not used again.

    Example:
        >>> async def main():
        ...     transport = AsyncConnections(ssl.create_default_context)
        ...     async with httpx2.AsyncClient(transport=transport) as http:
        ...         return await http.get(os.environ["VOYAGE_BASE_URL"] + "/files")
        >>> asyncio.run(main()).status_code
        401
    """

    def __init__(
        self,
        context: Callable[[], ssl.SSLContext],
        *,
        max_connections: int | None = 100,
        max_keepalive_connections: int | None = None,
        keepalive_expiry: float | None = 60.0,
    ) -> None:
        self._make_context = context
        self._making_context: asyncio.Future[ssl.SSLContext] | None = None
        self._places: Places[asyncio.Future[bool]] = Places(max_connections)
        self._idle: Idle[Connection] = Idle(keepalive_expiry)
        self._open: set[Connection] = set()
        self._most = max_connections
        self._max_idle = max_keepalive_connections
        self._closed = False
        self._scratch = memoryview(bytearray(RECEIVED))
        self._life: AsyncGenerator[None] | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and read the answer.

        Raises:
            httpx2.TransportError: There is none.
        """
        try:
            reply, body = await self._send(request)
            return respond(reply, request, body)
        except httpx2.TransportError as failure:
            failure.request = request
            raise

    async def _send(self, request: httpx2.Request) -> tuple[Reply, Body | None]:
        timeouts = Timeouts.of(request)
        if not self._places.enter():
            await self._wait(timeouts)
        body = None
        try:
            reply, body = await self._carry(request, timeouts)
            return reply, body
        finally:
            if body is None:
                self._leave()

    async def _carry(
        self, request: httpx2.Request, timeouts: Timeouts
    ) -> tuple[Reply, Body | None]:
        origin, outgoing = Origin.of(request), Outgoing(request)
        kept = self._take(origin)
        if kept is not None:
            kept.expect(request)
            try:
                return await self._exchange(kept, request, outgoing, timeouts)
            except Stale as stale:
                if not repeatable(request):
                    raise stale.reason from stale.reason.__cause__
            outgoing = Outgoing(request)
        if self._most is not None:
            _abort(self._idle.beyond(self._most - self._places.taken))
        connection = await self._connect(origin, request, timeouts)
        return await self._exchange(connection, request, outgoing, timeouts)

    async def _exchange(
        self,
        connection: Connection,
        request: httpx2.Request,
        outgoing: Outgoing,
        timeouts: Timeouts,
    ) -> tuple[Reply, Body | None]:
        reusable, body = False, None
        try:
            reply = await connection.exchange(request, outgoing, timeouts)
            reply.reusable &= not outgoing.closes
            if reply.done:
                reusable = reply.reusable
            else:
                body = Body(connection, timeouts.endless, self._finished)
            return reply, body
        finally:
            if body is None:
                self._give_back(connection, reusable=reusable)

    def _finished(self, connection: Connection) -> None:
        """Take back the connection of a body that was streamed, and its place."""
        self._give_back(connection, reusable=connection.finish())
        self._leave()

    def _give_back(self, connection: Connection, *, reusable: bool) -> None:
        if reusable and not self._closed and not connection.lost.done():
            self._idle.put(connection.origin, connection, time.monotonic())
            if self._max_idle is not None:
                _abort(self._idle.beyond(self._max_idle))
        else:
            connection.abort()

    async def _wait(self, timeouts: Timeouts) -> None:
        seconds = timeouts.left("pool")
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._places.wait(waiter)
        timer = None if seconds is None else loop.call_later(seconds, self._refuse, waiter)
        try:
            admitted = await waiter
        except asyncio.CancelledError:
            self._places.give_up(waiter)
            if not waiter.cancelled() and waiter.done() and waiter.result():
                self._leave()  # admitted and cancelled at once
            raise
        finally:
            if timer is not None:
                timer.cancel()
        if not admitted:
            raise expired("pool")

    def _refuse(self, waiter: asyncio.Future[bool]) -> None:
        if self._places.give_up(waiter) and not waiter.done():
            waiter.set_result(False)

    def _leave(self) -> None:
        following = self._places.leave()
        while following is not None:
            if not following.done():
                following.set_result(True)
                return
            following = self._places.leave()  # that one was cancelled and has not run since

    def _take(self, origin: Origin) -> Connection | None:
        """An idle connection that is still open."""
        _abort(self._idle.expired(time.monotonic()))
        found = self._idle.take(origin)
        while found is not None and not found.usable:
            found.abort()
            found = self._idle.take(origin)
        return found

    async def _connect(
        self, origin: Origin, request: httpx2.Request, timeouts: Timeouts
    ) -> Connection:
        seconds = timeouts.left("connect")
        loop = asyncio.get_running_loop()
        connection = Connection(loop, origin, self._scratch, self._forget)
        connection.expect(request)
        try:
            async with asyncio.timeout(seconds):
                context = await self._context(loop) if origin.scheme == "https" else None
                await loop.create_connection(
                    lambda: connection,
                    sock=await dial(loop, origin.host, origin.port),
                    ssl=context,
                    server_hostname=origin.host if context else None,
                )
        except TimeoutError as failure:
            connection.abort()
            raise expired("connect") from failure
        except (OSError, ValueError) as failure:  # ValueError: a name that none can have
            connection.abort()
            raise httpx2.ConnectError(str(failure)) from failure
        except BaseException:
            connection.abort()
            raise
        self._open.add(connection)
        if self._life is None:
            self._life = self._live()
            await anext(self._life)
        return connection

    async def _live(self) -> AsyncGenerator[None]:
        """Ends with the event loop, as asynchronous generators do, and the connections with it.

        Many clients are never closed; the interpreter would complain of each connection.
        """
        try:
            yield
        finally:
            _abort([*self._open])
            await asyncio.sleep(0)  # the loop closes them in its next round

    async def _context(self, loop: asyncio.AbstractEventLoop) -> ssl.SSLContext:
        """The TLS context; whoever needs it first has it made, in a thread, as it reads files."""
        if self._making_context is None or self._failed(self._making_context):
            self._making_context = loop.run_in_executor(None, self._make_context)
        context = await asyncio.shield(self._making_context)
        context.set_alpn_protocols(["http/1.1"])  # it may serve other clients too
        return context

    @staticmethod
    def _failed(making: asyncio.Future[ssl.SSLContext]) -> bool:
        return making.done() and (making.cancelled() or making.exception() is not None)

    def _forget(self, connection: Connection) -> None:
        """Take note that a connection is gone."""
        if connection in self._open:
            self._open.remove(connection)
            self._idle.drop(connection)

    @property
    def open_connections(self) -> int:
        """How many connections are open, in use or idle."""
        return len(self._open)

    @property
    def idle_connections(self) -> int:
        """How many connections wait for their next request."""
        return len(self._idle)

    async def aclose(self) -> None:
        """Close the idle connections now, and those in use when they come back."""
        self._closed = True
        idle = self._idle.beyond(0)
        _abort(idle)
        for connection in idle:
            await connection.lost


def _abort(connections: Iterable[Connection]) -> None:
    for connection in connections:
        connection.abort()
