"""What both network backends share: addresses, socket options, and connections gone stale."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

import httpcore2

if TYPE_CHECKING:
    import httpx2

# Family, type, protocol, and where, as the family has it.
Address = tuple[int, int, int, Any]

READ_MORE = 128 * 1024
"""Bytes of a read, once an answer has turned out to be large; the library asks for 64 KiB."""

# A connection that waits for minutes for its answer must not be forgotten on the way.
_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 60, "TCP_KEEPCNT": 5}
SOCKET_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, int(getattr(socket, name)), value)
        for name, value in _KEEPALIVE.items()
        if hasattr(socket, name)  # platforms have some of them
    ),
]


def use(
    backend: httpcore2.NetworkBackend | httpcore2.AsyncNetworkBackend,
    transport: httpx2.HTTPTransport | httpx2.AsyncHTTPTransport,
) -> None:
    """Let a transport open its connections by a backend.

    A pool of `httpcore2` takes one when it is made, but HTTPX2's transports make their pools
    themselves. This and `spoilt` are all that touches private names of the two libraries.
    """
    transport._pool._network_backend = backend  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


def spoilt(transport: httpx2.HTTPTransport | httpx2.AsyncHTTPTransport) -> bool:
    """Whether a connection that was used holds bytes beyond its answer.

    The library would take them for the beginning of the next one: somebody else's vectors.
    """
    for connection in transport._pool.connections:  # pyright: ignore[reportPrivateUsage]
        link: Any = connection  # in a proxy's connection is another one
        while link is not None and not hasattr(link, "_h11_state"):
            link = getattr(link, "_connection", None)
        if link is not None and link._h11_state.trailing_data[0]:
            return True
    return False


class Stale(httpcore2.RemoteProtocolError):
    """The server closed a kept connection before it answered anything on it.

    HTTPX2 raises a `RemoteProtocolError` with this as its cause.
    """


class Reuse:
    """Whether a connection has answered a request before the one that is under way."""

    def __init__(self) -> None:
        self._reused = False
        self._answered = False

    def sending(self) -> None:
        """A request, or more of one, is sent."""
        if self._answered:
            self._reused, self._answered = True, False

    def received(self, data: bytes) -> bytes:
        """What was read, and nothing at the end of the connection.

        Raises:
            Stale: It was kept, and nothing else has come.
        """
        # Other bytes are a proxy's, which speaks first: those of SOCKS.
        self._answered = self._answered or data[:1] == b"H"
        if not data and self._reused and not self._answered:
            raise Stale("the server closed the connection while it was idle")
        return data

    def broken(self, failure: BaseException | None) -> Exception:
        """The exception for a read that failed."""
        stale = self._reused and not self._answered
        return (Stale if stale else httpcore2.ReadError)(str(failure))


def literal(host: str, port: int) -> list[Address]:
    """A host that is an address; to look it up would take a thread for nothing."""
    try:
        numeric = socket.AI_NUMERICHOST
        return in_turn(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=numeric))
    except (OSError, UnicodeError):
        return []


def in_turn(found: Iterable[tuple[Any, ...]]) -> list[Address]:
    """Addresses that were found, families in turn: one that leads nowhere costs one attempt."""
    every = [(family, kind, protocol, where) for family, kind, protocol, _, where in found]
    same = [address for address in every if address[0] == every[0][0]]
    others = [address for address in every if address[0] != every[0][0]]
    return [address for address in chain(*zip_longest(same, others)) if address is not None]
