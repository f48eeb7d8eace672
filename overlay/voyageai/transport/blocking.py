"""A pool of blocking HTTP/1.1 connections, as a transport for httpx2."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx2

from .blocking_body import Body
from .blocking_connection import Connection, dial
from .blocking_pool import Pool
from .incoming import Reply, respond
from .outgoing import Outgoing, Stale, repeatable
from .pool import Origin
from .timeouts import Timeouts, expired, until


class Connections(httpx2.BaseTransport):
    """Sends requests over kept-alive connections; safe to share between threads.

    A request's extensions may hold `timeout` (seconds by phase, as in httpx2), `deadline` (the
    `time.monotonic()` at which all must be over), `repeatable` (whether it may be sent again
    on a new connection if the server closed the old one while it was idle; it may by default),
    and `streamed` (whether the body of a success is left to be read, without that deadline, and
    the connection kept for it until the answer is closed).

    Args:
        context: Makes the TLS context; called for the first https connection.
        max_connections: The most that are open at once; further requests wait, in order of
            arrival, within their `pool` timeout. None for no bound.
        max_keepalive_connections: The most that are kept idle.
        keepalive_expiry: Seconds after which an idle connection is not used again.

    Example:
        >>> with httpx2.Client(transport=Connections(ssl.create_default_context)) as http:
        ...     http.get(os.environ["VOYAGE_BASE_URL"] + "/files").status_code
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
        self._max_connections = max_connections
        self._max_idle = max_keepalive_connections
        self._expiry = keepalive_expiry
        self._context: ssl.SSLContext | None = None
        self._pool = Pool(max_connections, max_keepalive_connections, keepalive_expiry)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and read the answer.

        Raises:
            httpx2.TransportError: There is none.
        """
        try:
            reply, body = self._send(request)
            return respond(reply, request, body)
        except httpx2.TransportError as failure:
            failure.request = request
            raise

    def _send(self, request: httpx2.Request) -> tuple[Reply, Body | None]:
        origin, timeouts, outgoing = Origin.of(request), Timeouts.of(request), Outgoing(request)
        pool = self._own_pool()
        with ExitStack() as turn:
            turn.enter_context(pool.turn(timeouts))
            kept = pool.take(origin)
            if kept is not None:
                try:
                    return self._exchange(pool, turn, kept, request, outgoing, timeouts)
                except Stale as stale:
                    if not repeatable(request):
                        raise stale.reason from stale.reason.__cause__
                outgoing = Outgoing(request)
            pool.make_room()
            connection = Connection(origin, self._open(origin, timeouts))
            return self._exchange(pool, turn, connection, request, outgoing, timeouts)

    def _exchange(
        self,
        pool: Pool,
        turn: ExitStack,
        connection: Connection,
        request: httpx2.Request,
        outgoing: Outgoing,
        timeouts: Timeouts,
    ) -> tuple[Reply, Body | None]:
        pool.opened(connection)
        reusable, body = False, None
        try:
            reply = connection.exchange(request, outgoing, timeouts)
            reply.reusable &= not outgoing.closes
            if reply.done:
                reusable = reply.reusable
            else:
                body = Body(reply, connection, timeouts.endless, pool, turn.pop_all())
            return reply, body
        finally:
            if body is None:
                pool.give_back(connection, reusable=reusable)

    def _open(self, origin: Origin, timeouts: Timeouts) -> socket.socket:
        end = timeouts.end("connect", time.monotonic())
        try:
            sock = dial(origin, end)
            if origin.scheme == "http":
                return sock
            try:
                sock.settimeout(until(end, time.monotonic(), "connect"))
                if self._context is None:
                    self._context = self._make_context()
                self._context.set_alpn_protocols(["http/1.1"])  # it may serve other clients too
                return self._context.wrap_socket(sock, server_hostname=origin.host)
            except BaseException:
                sock.close()
                raise
        except TimeoutError as failure:
            raise expired("connect") from failure
        except (OSError, ValueError) as failure:  # ValueError: a name that none can have
            raise httpx2.ConnectError(str(failure)) from failure

    def _own_pool(self) -> Pool:
        if self._pool.process != os.getpid():  # after a fork
            old = self._pool
            self._pool = Pool(self._max_connections, self._max_idle, self._expiry)
            old.abandon()
        return self._pool

    @property
    def open_connections(self) -> int:
        """How many connections are open, in use or idle."""
        return self._own_pool().open_connections

    @property
    def idle_connections(self) -> int:
        """How many connections wait for their next request."""
        return self._own_pool().idle_connections

    def close(self) -> None:
        """Close the idle connections now, and those in use when they come back."""
        self._own_pool().close()
