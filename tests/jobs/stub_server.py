"""A fast stub server of embeddings, in which all vectors are equal."""

from __future__ import annotations

import base64
import json
import threading
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VECTOR = base64.b64encode(array("f", [0.0625] * 256).tobytes()).decode()


class StubServer(ThreadingHTTPServer):
    """A server that counts the texts it receives.

    Attributes:
        sent: The number of times that each text was received.
        answered: Requests that were answered.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.sent: Counter[str] = Counter()
        self.answered = 0
        self.lock = threading.Lock()
        self.bodies: dict[int, bytes] = {}

    @property
    def url(self) -> str:
        """Base URL of the server."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *arguments: object) -> None:
        """Log no errors of killed clients."""

    def body(self, count: int) -> bytes:
        """Return the response for `count` texts."""
        if count not in self.bodies:
            entries = [
                {"object": "embedding", "embedding": VECTOR, "index": n} for n in range(count)
            ]
            usage = {"total_tokens": count}
            answer = {"object": "list", "data": entries, "model": "voyage-4", "usage": usage}
            self.bodies[count] = json.dumps(answer).encode()
        return self.bodies[count]


class Handler(BaseHTTPRequestHandler):
    """A handler of embeddings requests."""

    protocol_version = "HTTP/1.1"
    server: StubServer

    def do_POST(self) -> None:
        """Count the texts, and respond."""
        texts = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]
        with self.server.lock:
            self.server.sent.update(texts)
            body = self.server.body(len(texts))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # the client was killed
            return
        with self.server.lock:
            self.server.answered += 1

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


@contextmanager
def serving() -> Iterator[StubServer]:
    """Run a server inside a `with` block."""
    with StubServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
