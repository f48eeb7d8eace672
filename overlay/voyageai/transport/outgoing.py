"""A request on its way to the wire, as HTTP/1.1, without I/O."""

from __future__ import annotations

import httpx2

from .uploads import Upload

JOINED = 64 * 1024
"""Bytes of a body that travels in one write with the headers."""


class Outgoing:
    """A request on its way to the wire.

    Attributes:
        head: Request line and headers.
        closes: Whether the request asks that the connection be closed after the answer.
    """

    __slots__ = ("_chunked", "_left", "closes", "head")

    def __init__(self, request: httpx2.Request) -> None:
        self.closes = False
        self._chunked = False
        self._left = 0
        path = request.url.raw_path
        lines = [b"%s %s HTTP/1.1" % (request.method.encode("latin-1", "replace"), path)]
        for name, value in request.headers.raw:
            lines.append(b"%s: %s" % (name, value))
            match name.lower():
                case b"content-length":
                    if not value.isdigit():
                        raise httpx2.LocalProtocolError("the request's Content-Length is no number")
                    self._left = int(value)
                case b"transfer-encoding":
                    self._chunked = True
                case b"connection":
                    self.closes = b"close" in options(value)
                case _:
                    pass
        self.head = b"\r\n".join(lines) + b"\r\n\r\n"
        breaks = len(lines) + 1
        if (self.head.count(b"\n"), self.head.count(b"\r"), self.head.count(b"\0")) != (
            (breaks, breaks, 0)
        ):
            # Not named, as it may be the one with the key.
            raise httpx2.LocalProtocolError("a header of the request holds a newline or the like")

    def piece(self, data: bytes) -> bytes:
        """A part of the body, as it is sent."""
        if self._chunked:
            return b"%x\r\n%s\r\n" % (len(data), data) if data else b""
        self._left -= len(data)
        if self._left < 0:
            raise httpx2.LocalProtocolError("the request's body is longer than its Content-Length")
        return data

    def end(self) -> bytes:
        """What follows the body."""
        if self._chunked:
            return b"0\r\n\r\n"
        if self._left:
            raise httpx2.LocalProtocolError("the request's body is shorter than its Content-Length")
        return b""

    def whole(self, body: bytes) -> tuple[bytes, ...]:
        """The request with a body that is at hand, as few writes."""
        tail = self.piece(body) + self.end() if body else self.end()
        return (self.head + tail,) if len(tail) <= JOINED else (self.head, tail)


def repeatable(request: httpx2.Request) -> bool:
    """Whether it can be sent again: the body is at hand, and the sender has not said no.

    A file of which the server has had a part only is of no effect, whatever the sender said.
    """
    if isinstance(request.stream, Upload):
        return request.stream.repeatable
    allowed: bool = request.extensions.get("repeatable", True)
    return allowed and isinstance(request.stream, httpx2.ByteStream)


class Stale(Exception):  # a condition, not an error
    """The server had closed an idle connection before the request reached it.

    Attributes:
        reason: What a request that can't be repeated fails with.
    """

    def __init__(self, reason: httpx2.TransportError) -> None:
        super().__init__(reason)
        self.reason = reason


def options(connection: bytes) -> set[bytes]:
    """What a `Connection` header says."""
    return {option.strip(b" \t") for option in connection.lower().split(b",")}
