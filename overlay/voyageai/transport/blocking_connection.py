"""One blocking HTTP/1.1 connection."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx2

from .incoming import Reply
from .outgoing import Outgoing, Stale
from .sockets import interleaved, readable, tune
from .timeouts import Timeouts, expired, until

if TYPE_CHECKING:
    from .pool import Origin

RECEIVED = 64 * 1024
"""Bytes to ask for at once."""


class Connection:
    """One connection. It carries one request at a time."""

    def __init__(self, origin: Origin, sock: socket.socket) -> None:
        self.origin = origin
        self.socket = sock
        self.used = False

    @property
    def usable(self) -> bool:
        """Whether the server has neither closed the idle connection nor sent what nobody asked."""
        return not readable(self.socket.fileno())

    def exchange(self, request: httpx2.Request, outgoing: Outgoing, timeouts: Timeouts) -> Reply:
        """Send a request and read its answer, of a streamed one only the beginning.

        Raises:
            Stale: The connection had been used before, and nothing came.
            httpx2.TransportError: There is no answer.
        """
        reply = Reply.to(request)
        reused, self.used = self.used, True
        try:
            try:
                for piece in _pieces(request, outgoing):
                    self._write(piece, timeouts)
            except httpx2.WriteError:
                # Servers refuse a body in the middle: the answer may be there.
                if not self._answered(reply, timeouts):
                    raise
            else:
                self._read(reply, timeouts)
        except (httpx2.NetworkError, httpx2.RemoteProtocolError) as failure:
            if reused and not reply.started:
                raise Stale(failure) from failure
            raise
        finally:
            reply.close()
        return reply

    def _write(self, data: bytes, timeouts: Timeouts) -> None:
        view = memoryview(data)
        try:
            while view:
                self.socket.settimeout(timeouts.left("write"))
                view = view[self.socket.send(view) :]
        except TimeoutError as failure:
            raise expired("write") from failure
        except OSError as failure:
            raise httpx2.WriteError(str(failure)) from failure

    def _read(self, reply: Reply, timeouts: Timeouts) -> None:
        while not reply.ready:
            self.read(reply, timeouts)

    def read(self, reply: Reply, timeouts: Timeouts) -> None:
        """Read some more of an answer.

        Raises:
            httpx2.TransportError: There is no more, or not in time.
        """
        try:
            self.socket.settimeout(timeouts.left("read"))
            ended = self._receive(reply)
        except TimeoutError as failure:
            raise expired("read") from failure
        except OSError as failure:
            raise httpx2.ReadError(str(failure)) from failure
        if ended:
            reply.end()

    def _receive(self, reply: Reply) -> bool:
        """Read once; says whether that was the end."""
        room = reply.room()
        if room is not None:
            count = self.socket.recv_into(room)
            reply.filled(count)
            return not count
        data = self.socket.recv(RECEIVED)
        reply.feed(data)
        return not data

    def close(self) -> None:
        """Close this process's end; of a TLS connection too, this says nothing to the server."""
        self.socket.close()

    def _answered(self, reply: Reply, timeouts: Timeouts) -> bool:
        try:
            self._read(reply, timeouts)
        except httpx2.TransportError:
            return False
        reply.reusable = False
        return True


def dial(origin: Origin, end: float | None) -> socket.socket:
    """A connection to the first address that answers.

    Each address gets its share of the time that is left, so one that is silent can't use up all.
    """
    resolved = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    found = interleaved([(family, kind, number, at) for family, kind, number, _, at in resolved])
    reason: OSError | None = None
    for place, (family, kind, protocol, address) in enumerate(found):
        left = until(end, time.monotonic(), "connect")
        try:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(None if left is None else left / (len(found) - place))
                sock.connect(address)
                tune(sock)
            except BaseException:
                sock.close()
                raise
        except OSError as failure:
            reason = failure
        else:
            return sock
    raise reason or OSError("the name has no address")


def _pieces(request: httpx2.Request, outgoing: Outgoing) -> Iterator[bytes]:
    stream = request.stream
    if isinstance(stream, httpx2.ByteStream):
        yield from outgoing.whole(request.read())
        return
    if not isinstance(stream, httpx2.SyncByteStream):
        raise TypeError("this body can only be read asynchronously")
    yield outgoing.head
    for data in stream:
        yield outgoing.piece(data)
    yield outgoing.end()
