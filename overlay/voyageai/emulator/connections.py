"""The server's connections: how many there are, and ending one otherwise than HTTP would."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import threading
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

__all__ = ["Connection", "Connections", "connection_of", "protocol"]

STATE = "connection"
"""Where in the state of a request's scope its connection stands."""
# Close at once and let the other side know: on, for 0 seconds.
NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
TICK = 0.001
"""Seconds between looks at whether bytes have left."""


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


def protocol(connections: Connections) -> type[asyncio.Protocol]:
    """The class of the server's protocol, one object per connection, which it counts."""

    class Counted(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base
            super().connection_made(transport)
            self._connection = Connection(transport)
            # Every request's scope gets a copy.
            self.app_state = {**self.app_state, STATE: self._connection}
            connections.opened()

        def connection_lost(self, exc: Exception | None) -> None:
            self._connection.lost = True
            super().connection_lost(exc)
            connections.closed()

    return Counted
