"""An answer, made of the bytes that arrive, without I/O.

Both transports feed what they read to a `Reply`, so an answer means the same to either.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import httpx2

from .chunks import Chunks
from .outgoing import options

HEAD_LIMIT = 64 * 1024
"""Bytes of all status lines and headers of an answer."""
ROOM = 16 * 1024 * 1024
"""Bytes that are set aside for a body before it arrives, whatever length it claims to have."""

STREAMED = frozenset({200, 206})
"""Statuses of answers whose bodies may be streamed; others are read whole."""

_END = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\n[ \t]+")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: (.*))?")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_DIGITS = re.compile(rb"[0-9]{1,18}")
_START = b"HTTP/1."


class Reply:
    """Makes an answer of the bytes that arrive.

    Attributes:
        status: The status code; 0 as long as the headers have not arrived.
        reason: The words beside the status code.
        version: The server's version of HTTP.
        headers: Names and values as they came.
        started: Whether anything has arrived.
        done: Whether the answer is complete.
        reusable: Whether the connection can carry another request afterwards.
        streamed: Whether the body of a success is to be taken piece by piece as it arrives.
        streams: Whether it is such a success.
    """

    def __init__(self, method: str) -> None:
        self.status = 0
        self.reason = b""
        self.version = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.started = False
        self.done = False
        self.reusable = False
        self.streamed = False
        self.streams = False
        self._taken = 0
        self._bodiless = method == "HEAD"
        self._body = io.BytesIO()
        self._room: memoryview | None = None
        self._left = 0
        self._pending = bytearray()
        self._seen = 0
        self._chunks = Chunks(self._body)
        # Not bound to self: that would be a cycle, which keeps the body for the garbage collector.
        self._step: Callable[[Reply, bytes], bytes] = Reply._read_head

    @classmethod
    def to(cls, request: httpx2.Request) -> Reply:
        """For the answer to a request, whose extension `streamed` says whether it is streamed."""
        reply = cls(request.method)
        reply.streamed = request.extensions.get("streamed", False)
        return reply

    @property
    def ready(self) -> bool:
        """Whether it can be used: it is complete, or streamed and its headers have arrived."""
        return self.done or self.streams

    @property
    def waiting(self) -> int:
        """Bytes of a streamed body that have arrived and not been taken."""
        return self._body.tell()

    def take(self) -> bytes:
        """What has arrived of a streamed body since this was last asked."""
        data = self._body.getvalue()
        self._taken += len(data)
        self._body.seek(0)
        self._body.truncate()
        return data

    @property
    def content(self) -> bytes:
        """The body, as it travelled."""
        return self._body.getvalue()[: self._body.tell()]

    def feed(self, data: bytes) -> bool:
        """Take what arrived; says whether the answer is complete.

        Raises:
            httpx2.RemoteProtocolError: It is not HTTP.
        """
        self.started = self.started or bool(data)
        while data and not self.done:
            data = self._step(self, data)
        if data:  # more than was asked for: nobody knows what it belongs to
            self.reusable = False
        return self.done

    def room(self) -> memoryview | None:
        """Where to put what arrives; None where it must be fed.

        A long body is read to its place, and never copied.
        """
        if self._room is not None:
            return self._room
        if self._step is not Reply._read_sized or self.done or self.streams:
            return None
        body, read = self._body, self._body.tell()
        body.seek(min(self._left, max(ROOM, read)) - 1, io.SEEK_CUR)
        body.write(b"\0")
        body.seek(read)
        self._room = body.getbuffer()[read:]
        return self._room

    def filled(self, count: int) -> bool:
        """Take note that so many bytes were put where `room` said; says whether that is all."""
        assert self._room is not None  # noqa: S101  # where else did they go?
        self._left -= count
        self._room = self._room[count:] or None
        self._body.seek(count, io.SEEK_CUR)
        self.done = not self._left
        return self.done

    def close(self) -> None:
        """Let go of the room that is left, where an answer stays incomplete.

        A traceback may keep it alive, and the body can't be freed while it is lent out.
        """
        if self._room is not None:
            self._room.release()
            self._room = None

    def end(self) -> None:
        """Take note that nothing will follow.

        Raises:
            httpx2.RemoteProtocolError: Something is missing.
        """
        if self.done:
            return
        if self._step is Reply._read_rest:
            self.done = True
        elif not self.started:
            raise httpx2.RemoteProtocolError("the server closed the connection without an answer")
        elif not self.status:
            raise httpx2.RemoteProtocolError("the server closed the connection within the headers")
        else:
            read = self._taken + self._body.tell()
            missing = f", {self._left} too early" if self._left else ""
            raise httpx2.RemoteProtocolError(
                f"the server closed the connection after {read} bytes of the body{missing}"
            )

    def _read_head(self, data: bytes) -> bytes:
        head = self._pending
        known = len(head)
        head += data
        if not head.startswith(_START[: len(head)]):
            raise httpx2.RemoteProtocolError(f"the answer is not HTTP/1: {bytes(head[:40])!r}")
        end = _END.search(head, max(0, known - 3))
        if self._seen + (end.end() if end else len(head)) > HEAD_LIMIT:
            raise httpx2.RemoteProtocolError(f"the headers are longer than {HEAD_LIMIT} bytes")
        if end is None:
            return b""
        self._seen += end.end()
        self._pending = bytearray()
        self._parse(bytes(head[: end.start()]))
        return bytes(head[end.end() :])

    def _parse(self, head: bytes) -> None:
        text = head.replace(b"\r\n", b"\n")
        if b"\r" in text or b"\0" in text:
            raise httpx2.RemoteProtocolError("a header holds a character that none may hold")
        if b"\n " in text or b"\n\t" in text:
            text = _FOLD.sub(b" ", text)
        first, *lines = text.split(b"\n")
        start = _STATUS.fullmatch(first)
        if start is None:
            raise httpx2.RemoteProtocolError(f"not a status line: {first[:80]!r}")
        status = int(start[2])
        if status == 101:
            raise httpx2.RemoteProtocolError("the server changes to a protocol nobody asked for")
        if status < 200:  # the real answer follows
            return
        self.status, self.reason, self.version = status, start[3] or b"", b"HTTP/1." + start[1]
        self.streams = self.streamed and status in STREAMED
        framing: dict[bytes, list[bytes]] = {}
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or _TOKEN.fullmatch(name) is None:
                raise httpx2.RemoteProtocolError(f"not a header: {line[:80]!r}")
            value = value.strip(b" \t")
            self.headers.append((name, value))
            lower = name.lower()
            if lower in {b"content-length", b"transfer-encoding", b"connection"}:
                framing.setdefault(lower, []).append(value)
        self._frame(framing)

    def _frame(self, framing: dict[bytes, list[bytes]]) -> None:
        """Decide where the body ends (RFC 9112, 6.3)."""
        wishes = options(b",".join(framing.get(b"connection", ())))
        keep = b"close" not in wishes if self.version == b"HTTP/1.1" else b"keep-alive" in wishes
        coding = b", ".join(framing.get(b"transfer-encoding", ()))
        sizes = framing.get(b"content-length", [])
        lengths = {size.strip(b" \t") for several in sizes for size in several.split(b",")}
        if self._bodiless or self.status in {204, 304}:
            self.reusable, self.done = keep, True
        elif coding:
            if coding.lower() != b"chunked":
                raise httpx2.RemoteProtocolError(f"unknown transfer coding: {coding[:80]!r}")
            # With a length beside it, somebody on the way may see other boundaries.
            self.reusable = keep and not lengths
            self._step = Reply._read_chunks
        elif lengths:
            if len(lengths) != 1 or _DIGITS.fullmatch(length := lengths.pop()) is None:
                raise httpx2.RemoteProtocolError("the Content-Length is not one number")
            self.reusable = keep
            self._left = int(length)
            self.done = not self._left
            self._step = Reply._read_sized
        else:
            self._step = Reply._read_rest

    def _read_sized(self, data: bytes) -> bytes:
        part = data[: self._left]
        self._left -= len(part)
        self._body.write(part)
        self.done = not self._left
        return data[len(part) :]

    def _read_rest(self, data: bytes) -> bytes:
        self._body.write(data)
        return b""

    def _read_chunks(self, data: bytes) -> bytes:
        rest = self._chunks.feed(data)
        self.done = self._chunks.done
        return rest


def respond(
    reply: Reply,
    request: httpx2.Request,
    body: httpx2.SyncByteStream | httpx2.AsyncByteStream | None = None,
) -> httpx2.Response:
    """The finished answer, with its body read and decompressed; or with one that is streamed.

    Raises:
        httpx2.RemoteProtocolError: The body is not compressed as its headers say.
    """
    response = httpx2.Response(
        reply.status,
        headers=reply.headers,
        stream=httpx2.ByteStream(reply.content) if body is None else body,
        request=request,
        extensions={"http_version": reply.version, "reason_phrase": reply.reason},
    )
    if body is not None:
        return response
    try:
        response.read()
    except httpx2.DecodingError as failure:
        raise httpx2.RemoteProtocolError(
            f"the body can't be decompressed: {failure}", request=request
        ) from failure
    return response
