"""The server's connections: how many there are, how long they may be silent, and ending one."""

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
"""Where in the state of a request's scope its connection stands."""
# Close at once and let the other side know: on, for 0 seconds.
NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
TICK = 0.001
"""Seconds between looks at whether bytes have left."""
HEAD_SECONDS = 20.0
"""Within which a connection sends the head of a request."""
BODY_SECONDS = 60.0
"""For which a request's body may pause."""
REST = 262_144
"""Bytes of a body that are dropped after its request was answered, to keep the connection."""
EXPECTS = (b"expect", b"100-continue")


class Connections:
    """Counts connections. Safe to ask from any thread.

    Attributes:
        open: How many are open, idle ones included.
        accepted: How many there have been.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.open = 0
        self.accepted = 0

    def settle(self, open: int = 0, *, timeout: float = 5.0) -> int:
        """Wait until no more than some are open, as the server hears late of a client's close.

        Args:
            open: How many.
            timeout: Seconds to wait at most.

        Returns:
            How many are open then.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.open <= open, timeout)
            return self.open

    def opened(self) -> None:
        """Count one more."""
        with self._changed:
            self.open += 1
            self.accepted += 1

    def closed(self) -> None:
        """Count one less."""
        with self._changed:
            self.open -= 1
            self._changed.notify_all()


class Connection:
    """A connection below HTTP.

    Attributes:
        lost: Whether it has ended.
        hung_up: Whether it was ended from here.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.lost = False
        self.hung_up = False

    async def hang_up(self, *, reset: bool) -> None:
        """End it once all that was written has left, by a reset or as connections end."""
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
    """The connection of a request; none where there is no socket."""
    found: Connection | None = scope.get("state", {}).get(STATE)
    return found


class OpenConnections:
    """The connections of a server, the oldest first. For its event loop alone.

    Args:
        counted: Counts them.
        limit: How many there may be at once.
    """

    def __init__(self, counted: Connections, limit: int) -> None:
        self._counted = counted
        self._limit = limit
        self._changed = asyncio.Event()
        self._all: dict[Protocol, tuple[object, float]] = {}
        """What each was waited for at the last look, and since when."""

    def __iter__(self) -> Iterator[Protocol]:
        return iter(list(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def add(self, opened: Protocol) -> None:
        """Take one up."""
        self._all[opened] = None, 0.0
        self._counted.opened()

    def drop(self, lost: Protocol) -> None:
        """Leave one out that has ended."""
        del self._all[lost]
        self._counted.closed()
        self.notice()

    def notice(self) -> None:
        """Let `changed` return, as there may be room, or none left."""
        self._changed.set()

    async def changed(self) -> None:
        """Wait until one ends or has answered."""
        self._changed.clear()
        await self._changed.wait()

    async def room(self) -> bool:
        """Wait until there may be one more, and tell whether that took the end of another."""
        took = False
        while len(self._all) >= self._limit:
            took |= self.end_idle()
            await self.changed()
        return took

    def end_idle(self) -> bool:
        """End the one that has sent no request for longest, if there is any such.

        One that never sent any goes first: half-open connections make way for those that ask.
        """
        idle = [each for each in self._all if each.is_idle]
        if idle:
            min(idle, key=lambda each: each.has_asked).transport.abort()
        return bool(idle)

    def end_silent(self, now: float) -> None:
        """End those that have been waited for too long. To be called every now and then.

        Args:
            now: Seconds, on any clock.
        """
        for each, (before, since) in list(self._all.items()):
            awaited = each.awaited
            if awaited != before:
                self._all[each] = awaited, now
            elif awaited is not None and now - since >= awaited[0]:
                each.transport.abort()


class Protocol(H11Protocol):
    """One connection of the server."""

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
        self._rest = REST

    @property
    def is_idle(self) -> bool:
        """Whether the head of a request is waited for."""
        return self.conn.their_state is h11.IDLE and not self.transport.is_closing()

    @property
    def has_asked(self) -> bool:
        """Whether a request of it was answered."""
        return self._answered > 0

    @property
    def awaited(self) -> tuple[float, int] | None:
        """For how many seconds the client is waited for, and a number that tells if it goes on."""
        if self.is_idle:
            return HEAD_SECONDS, self._answered
        if self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused:
            return BODY_SECONDS, self._received
        return None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base
        """Take it up."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        # Every request's scope gets a copy.
        self.app_state = {**self.app_state, STATE: self._connection}
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        """Read on, but not much of a body that nobody wants any more."""
        self._received += 1
        if self._is_answered_early:
            self._rest -= len(data)
            if self._rest < 0:
                self.transport.close()
                return
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._answered += 1
        self._rest = REST
        self._open.notice()
        # Who waits for leave to send a body, and gets an answer instead, may send it or not.
        if self._is_answered_early and EXPECTS in self.headers:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave it out."""
        self._connection.lost = True
        super().connection_lost(exc)
        self._open.drop(self)

    @property
    def _is_answered_early(self) -> bool:
        """Whether a request is answered whose body is still to come."""
        return self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete
