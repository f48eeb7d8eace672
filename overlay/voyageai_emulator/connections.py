"""The server's connections: count them, limit their number, close silent ones."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import threading
from typing import TYPE_CHECKING

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from typing import Any

    from uvicorn import Config
    from uvicorn.server import ServerState

__all__ = ["Connection", "Connections", "OpenConnections", "Protocol", "connection_of"]

STATE = "connection"
"""Key of the request's connection in the state of an ASGI scope."""
# SO_LINGER on, for 0 seconds: closing sends a reset.
NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
TICK = 0.001
"""Seconds between checks whether all bytes have been sent."""
HEAD_SECONDS = 20.0
"""Seconds that a client has to send the head of a request."""
BODY_SECONDS = 60.0
"""Seconds that a client may pause while it sends a body."""
MAX_DISCARDED = 262_144
"""Bytes of a body that are read and dropped after an early response, to keep the connection."""
EXPECTS = (b"expect", b"100-continue")


class Connections:
    """Counts connections. Safe to read from any thread.

    Attributes:
        open: Number of open connections, including idle ones.
        accepted: Number of connections accepted so far.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.open = 0
        self.accepted = 0

    def settle(self, open: int = 0, *, timeout: float = 5.0) -> int:
        """Wait until at most `open` connections are open.

        The server notices only later that a client has closed its connection.

        Args:
            open: Number of connections to wait for.
            timeout: Maximum of seconds to wait.

        Returns:
            The number of open connections.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.open <= open, timeout)
            return self.open

    def opened(self) -> None:
        """Count a connection that was opened."""
        with self._changed:
            self.open += 1
            self.accepted += 1

    def closed(self) -> None:
        """Count a connection that was closed."""
        with self._changed:
            self.open -= 1
            self._changed.notify_all()


class Connection:
    """The TCP connection of a request.

    Attributes:
        lost: True once the connection has ended.
        hung_up: True once the server has ended the connection.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.lost = False
        self.hung_up = False

    async def hang_up(self, *, reset: bool) -> None:
        """End the connection with a reset or a regular close, once all written bytes are sent."""
        self.hung_up = True
        while self._transport.get_write_buffer_size() and not self._transport.is_closing():
            await asyncio.sleep(TICK)
        if reset and not self._transport.is_closing():
            sock: socket.socket = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self._transport.abort()
        else:
            self._transport.close()


def connection_of(scope: MutableMapping[str, Any]) -> Connection | None:
    """Return the connection of a request; None if there is no socket."""
    found: Connection | None = scope.get("state", {}).get(STATE)
    return found


class OpenConnections:
    """The open connections of a server, oldest first. To be used on its event loop only.

    Args:
        counter: Counter of the connections.
        limit: Maximum of open connections.
    """

    def __init__(self, counter: Connections, limit: int) -> None:
        self._counter = counter
        self._limit = limit
        self._changed = asyncio.Event()
        self._all: dict[Protocol, tuple[object, float]] = {}
        """For each connection: what it awaited at the last check, and since when, in seconds."""

    def __iter__(self) -> Iterator[Protocol]:
        return iter(list(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def add(self, opened: Protocol) -> None:
        """Add a connection."""
        self._all[opened] = None, 0.0
        self._counter.opened()

    def drop(self, lost: Protocol) -> None:
        """Remove a connection that has ended."""
        del self._all[lost]
        self._counter.closed()
        self.notice()

    def notice(self) -> None:
        """Wake the tasks that wait in `changed`."""
        self._changed.set()

    async def changed(self) -> None:
        """Wait until a connection ends or has sent a response."""
        self._changed.clear()
        await self._changed.wait()

    async def room(self) -> bool:
        """Wait for room for one more connection, and return whether others were closed for it."""
        ended = False
        while len(self._all) >= self._limit:
            ended |= self.end_idle()
            await self.changed()
        return ended

    def end_idle(self) -> bool:
        """Close the connection that has been idle the longest, and return whether there was one.

        Connections that never sent a request are closed first.
        """
        idle = [each for each in self._all if each.is_idle]
        if idle:
            min(idle, key=lambda each: each.was_used).transport.abort()
        return bool(idle)

    def end_silent(self, now: float) -> None:
        """Close the connections whose client has been silent for too long. To be called regularly.

        Args:
            now: Time in seconds of a monotonic clock.
        """
        for each, (before, since) in list(self._all.items()):
            awaited = each.awaited
            if awaited != before:
                self._all[each] = awaited, now
            elif awaited is not None and now - since >= awaited[0]:
                each.transport.abort()


class Protocol(H11Protocol):
    """The HTTP protocol of one connection."""

    def __init__(
        self,
        connections: OpenConnections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._open = connections
        self._received = self._answered = 0
        self._discardable = MAX_DISCARDED

    @property
    def is_idle(self) -> bool:
        """True while the connection waits for the head of a request."""
        return self.conn.their_state is h11.IDLE and not self.transport.is_closing()

    @property
    def was_used(self) -> bool:
        """True once a request was answered over the connection."""
        return self._answered > 0

    @property
    def awaited(self) -> tuple[float, int] | None:
        """Seconds within which the client must send data, and a number that changes if it does."""
        if self.is_idle:
            return HEAD_SECONDS, self._answered
        if self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused:
            return BODY_SECONDS, self._received
        return None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base
        """Add the connection to the open ones."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        # Every request's scope gets a copy.
        self.app_state = {**self.app_state, STATE: self._connection}
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        """Handle received data, but drop a large body whose request was already answered."""
        self._received += 1
        if self._is_answered_early:
            self._discardable -= len(data)
            if self._discardable < 0:
                self.transport.close()
                return
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Wait for the next request on the connection."""
        super().on_response_complete()
        self._answered += 1
        self._discardable = MAX_DISCARDED
        self._open.notice()
        # A client that awaits 100 Continue may or may not send its body after an early response.
        if self._is_answered_early and EXPECTS in self.headers:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection from the open ones."""
        self._connection.lost = True
        super().connection_lost(exc)
        self._open.drop(self)

    @property
    def _is_answered_early(self) -> bool:
        """True if the response is complete and the request's body is not."""
        return self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete
