"""A stub server with prepared responses: `/<n>/...` returns n vectors. Needs only Python.

    python -I server.py [MILLISECONDS]

Prints the port, then serves until it is terminated. MILLISECONDS is the latency of each response;
with it, one event loop serves all connections, else a thread serves each one.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import random
import socket
import socketserver
import sys
from array import array

DIMENSIONS = 1024


@functools.cache
def answer(count: int) -> bytes:
    """Return the HTTP response, with its head, for `count` vectors."""
    dice = random.Random(count)
    data = [
        {
            "object": "embedding",
            "embedding": base64.b64encode(
                array("f", [dice.uniform(-0.05, 0.05) for _ in range(DIMENSIONS)])
            ).decode(),
            "index": index,
        }
        for index in range(count)
    ]
    usage = {"total_tokens": count, "prompt_tokens": count}
    body = json.dumps({"object": "list", "data": data, "model": "voyage-4", "usage": usage})
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}".encode()


class Handler(socketserver.StreamRequestHandler):
    """A connection that responds to each request immediately."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        try:
            while line := self.rfile.readline():
                count = int(line.split(b"/")[1])
                length = 0
                while (header := self.rfile.readline()) not in (b"\r\n", b""):
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                self.rfile.read(length)
                self.connection.sendall(answer(count))
        except ConnectionError:
            return


class Server(socketserver.ThreadingTCPServer):
    """A server with a thread per connection."""

    daemon_threads = True
    address_family = socket.AF_INET


class Slow(asyncio.Protocol):
    """A connection that responds to each request after a delay."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        _, _, after = head.lower().partition(b"\r\ncontent-length:")
        if not end or len(rest) < int(after.split(b"\r")[0]):
            return
        self._received = b""
        assert self._transport is not None
        count = int(head.split(b"/", 2)[1])
        self._loop.call_later(self._seconds, self._transport.write, answer(count))


async def serve_slowly(seconds: float) -> None:
    """Serve on one event loop until the process ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Slow(loop, seconds), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if milliseconds := int(sys.argv[1]) if len(sys.argv) > 1 else 0:
        asyncio.run(serve_slowly(milliseconds / 1000))
    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
