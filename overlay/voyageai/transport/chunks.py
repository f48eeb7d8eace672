"""A body in chunks, the size of each before it."""

from __future__ import annotations

import io
import re

import httpx2

LINE_LIMIT = 4 * 1024
"""Bytes of a chunk's size with its extensions."""
TRAILER_LIMIT = 64 * 1024
"""Bytes of what may follow the last chunk."""

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class Chunks:
    """Writes the data of chunks to a body.

    Attributes:
        done: Whether the last chunk and what follows it have arrived.
    """

    def __init__(self, body: io.BytesIO) -> None:
        self.done = False
        self._body = body
        self._pending = b""  # the beginning of a line
        self._left = 0  # of the chunk's data
        self._between = False  # data and the size that follows it
        self._trailing = False
        self._trailers = 0

    def feed(self, data: bytes) -> bytes:
        """Take what arrived; returns what comes after the end.

        Raises:
            httpx2.RemoteProtocolError: These are no chunks.
        """
        data, self._pending = self._pending + data, b""
        view, at = memoryview(data), 0
        while at < len(data) and not self.done:
            if self._left:
                part = view[at : at + self._left]
                self._body.write(part)
                self._left -= len(part)
                self._between = not self._left
                at += len(part)
                continue
            stop = data.find(b"\n", at)
            if (stop if stop >= 0 else len(data)) - at > LINE_LIMIT:
                raise httpx2.RemoteProtocolError("the line before a chunk is too long")
            if stop < 0:
                self._pending = data[at:]
                return b""
            self._read_line(data[at:stop].removesuffix(b"\r"))
            at = stop + 1
        return data[at:]

    def _read_line(self, line: bytes) -> None:
        if self._between:
            if line:
                raise httpx2.RemoteProtocolError("a chunk is longer than its size")
            self._between = False
        elif self._trailing:
            self._trailers += len(line)
            if self._trailers > TRAILER_LIMIT:
                raise httpx2.RemoteProtocolError("what follows the last chunk is too long")
            self.done = not line
        else:
            size = _SIZE.fullmatch(line)
            if size is None:
                raise httpx2.RemoteProtocolError(f"not the size of a chunk: {line[:40]!r}")
            self._left = int(size[1], 16)
            self._trailing = not self._left
