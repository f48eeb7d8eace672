"""A loopback server of answers made in advance; `/<n>/...` gets n vectors. Needs only Python.

Prints its port and serves until it is ended.
"""

from __future__ import annotations

import base64
import functools
import json
import random
import socket
import socketserver
from array import array

DIMENSIONS = 1024


@functools.cache
def answer(count: int) -> bytes:
    """The whole answer to any request for `count` vectors."""
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
    """One connection."""

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
    """A thread per connection."""

    daemon_threads = True
    address_family = socket.AF_INET


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
