"""A local server that runs a script of the test for each connection."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from socketserver import ThreadingTCPServer
from typing import Any, Self

import trustme

PATIENCE = 10.0
AUTHORITY = trustme.CA()
SERVER_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
AUTHORITY.issue_cert("localhost").configure_cert(SERVER_TLS)
CLIENT_TLS = ssl.create_default_context()
AUTHORITY.configure_trust(CLIENT_TLS)
OK = b"HTTP/1.1 200 OK\r\n"
HEAD = OK + b"Content-Length: %d\r\n\r\n"
ANSWER = (
    b'{"object": "list", "data": [{"object": "embedding", "embedding": "AAAAAA==", "index": 0}], '
    b'"model": "voyage-4", "usage": {"total_tokens": 1}}'
)


class Peer:
    """The server's end of a connection.

    Attributes:
        number: How many connections there were before.
        requests: What has come so far, head and body.
    """

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.socket = sock
        self.number = number
        self.requests: list[tuple[bytes, bytes]] = []
        self._file = sock.makefile("rb")

    def read(self) -> bytes | None:
        """Return the body of the next request; None at the end of the connection."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            if not line:
                return None
            head += line
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = self._file.read(int(length[1])) if length else b""
        self.requests.append((head, body))
        return body

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, body: bytes = b"ok") -> None:
        """Send a plain answer that leaves the connection open."""
        self.send(HEAD % len(body) + body)

    def finish(self) -> None:
        """Close the sending direction, and wait until the client closes the other."""
        self.socket.shutdown(socket.SHUT_WR)
        self.wait()

    def wait(self) -> None:
        """Wait until the client closes the connection."""
        while self.socket.recv(65536):
            pass

    def reset(self) -> None:
        """Reset the connection, so that the next read or write of the client fails."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()


Script = Callable[[Peer], Any]


def unused() -> tuple[str, int]:
    """Return an address that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address: tuple[str, int] = listener.getsockname()
    return address


class Server(ThreadingTCPServer):
    """A server that runs a script per connection in a thread; with TLS if a context is given.

    Attributes:
        peers: All connections so far, in order of arrival.
        port: Where it listens.
        origin: The same as a URL.
        base: The base URL for clients.
        url: The URL of an endpoint.
    """

    request_queue_size = 1024

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Peer)
        self.peers: list[Peer] = []
        self.port: int = self.server_address[1]
        host = "http://127.0.0.1" if context is None else "https://localhost"
        self.origin = f"{host}:{self.port}"
        self.base = f"{self.origin}/v1"
        self.url = f"{self.base}/embeddings"
        self._script = script
        self._context = context
        self._failures: list[BaseException | None] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        for peer in self.peers:  # wakes scripts that wait for a client that has gone
            with suppress(OSError):
                peer.socket.shutdown(socket.SHUT_RDWR)
        self.server_close()  # waits for the scripts
        assert not self._failures, self._failures

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(PATIENCE)
        if self._context is not None:
            request = self._context.wrap_socket(request, server_side=True)
        peer = Peer(request, len(self.peers))
        self.peers.append(peer)
        try:
            self._script(peer)
        finally:
            peer.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # clients that leave are what tests are about
            self._failures.append(sys.exception())


def echo(peer: Peer) -> None:
    """Answer every request with its body."""
    while (body := peer.read()) is not None:
        peer.answer(body)


def api(peer: Peer) -> None:
    """Answer every request with the embedding of one text."""
    while peer.read() is not None:
        peer.answer(ANSWER)


def silent(peer: Peer) -> None:
    """Read a request and send no response."""
    peer.read()
    peer.wait()


def saying(*answers: bytes) -> Script:
    """Return a script that sends one response to each request of a connection, then closes it."""

    def script(peer: Peer) -> None:
        for answer in answers:
            if peer.read() is None:
                return
            peer.send(answer)
        peer.finish()

    return script
