"""A server on loopback that does to each connection what a test says, byte for byte."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

PATIENCE = 10.0


class Peer:
    """The server's end of a connection.

    Attributes:
        number: How many connections there were before.
        requests: What came so far, head and body.
    """

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.socket = sock
        self.number = number
        self.requests: list[tuple[bytes, bytes]] = []
        self._file = sock.makefile("rb")

    def read(self) -> bytes | None:
        """The next request's body, and None at the end of the connection."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            if not line:
                return None
            head += line
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            body = b""
            while size := int(self._file.readline() or b"-1", 16):
                if size < 0:
                    return None
                body += self._file.read(size)
                self._file.readline()
            self._file.readline()
        else:
            _, found, rest = lower.partition(b"content-length:")
            body = self._file.read(int(rest.split(b"\r")[0])) if found else b""
        self.requests.append((head, body))
        return body

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, body: bytes = b"ok", extra: bytes = b"") -> None:
        """Send a plain answer that leaves the connection open."""
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), extra, body))

    def finish(self) -> None:
        """Close this direction, and wait until the other one is closed too."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        self.wait()

    def wait(self) -> None:
        """Wait until the client has closed."""
        with suppress(OSError):
            while self.socket.recv(65536):
                pass

    def reset(self) -> None:
        """Break the connection off, so that the client's next read or write fails."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()


class Server:
    """Runs a script for each connection, each in a thread of its own.

    Attributes:
        peers: All connections so far, in order of arrival.
        port: Where it listens.
    """

    def __init__(
        self, script: Callable[[Peer], None], context: ssl.SSLContext | None = None
    ) -> None:
        self.peers: list[Peer] = []
        self._script = script
        self._context = context
        self._failures: list[BaseException] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/v1/embeddings"

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(PATIENCE)
        for peer in self.peers:  # wakes scripts that wait for a client that has gone
            with suppress(OSError):
                peer.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not self._failures, self._failures

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        if self._context is not None:
            try:
                sock = self._context.wrap_socket(sock, server_side=True)
            except OSError:  # the client did not like what it saw
                sock.close()
                return
        peer = Peer(sock, len(self.peers))
        self.peers.append(peer)
        try:
            self._script(peer)
        except OSError:
            pass  # the client has gone, which is what some tests are about
        except BaseException as failure:  # noqa: BLE001  # reported at the end
            self._failures.append(failure)
        finally:
            peer.close()


def echo(peer: Peer) -> None:
    """Answer every request with its body."""
    while (body := peer.read()) is not None:
        peer.answer(body)


def saying(*answers: bytes) -> Callable[[Peer], None]:
    """Give one answer to each request of a connection, then close."""

    def script(peer: Peer) -> None:
        for answer in answers:
            if peer.read() is None:
                return
            peer.send(answer)
        peer.finish()

    return script


ANSWER = (
    b'{"object": "list", "data": [{"object": "embedding", "embedding": "AAAAAA==", "index": 0}], '
    b'"model": "voyage-4", "usage": {"total_tokens": 1}}'
)


def api(peer: Peer) -> None:
    """Embed whatever comes."""
    while peer.read() is not None:
        peer.answer(ANSWER, b"Content-Type: application/json\r\n")
