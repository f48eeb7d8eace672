"""A web server whose pages are defined by tests."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Page(NamedTuple):
    """A page of the server."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] | None = None
    """Headers to send instead of only `Content-Length`."""
    silent: bool = False
    """True to answer only when the server stops."""


class Host:
    """A running web server.

    Attributes:
        pages: The pages by path.
        asked: The requested paths, in order.
        place: The address as ``host:port``.
    """

    def __init__(self, port: int) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []
        self.place = f"127.0.0.1:{port}"
        self.stopping = threading.Event()

    def put(self, path: str, body: bytes = b"", **more: Any) -> str:
        """Add a page and return its URL."""
        self.pages[path] = Page(body, **more)
        return f"http://{self.place}{path}"

    def send_on(self, path: str, to: str, status: int = 302) -> str:
        """Add a page that redirects, and return its URL."""
        return self.put(path, status=status, headers={"location": to, "content-length": "0"})


@contextmanager
def hosting(context: ssl.SSLContext | None = None) -> Iterator[Host]:
    """Run a server, with TLS if a context is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(self.path)
            page = host.pages.get(self.path, Page(status=404))
            if page.silent:
                host.stopping.wait()
                return
            self.send_response(page.status)
            headers = page.headers
            if headers is None:
                headers = {"content-length": str(len(page.body))}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, *_: Any) -> None:
            """Keep the server quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        # The thread that answers does the handshake, so that it does not block others.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    host = Host(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield host
    finally:
        host.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def endless(first: bytes, again: bytes) -> Iterator[str]:
    """Run a server that sends `first`, and then `again` repeatedly; yield its host and port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as sock:
            sock.recv(65_536)
            sock.sendall(first)
            for _ in range(1_000_000):
                sock.sendall(again)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        thread.join()
        listener.close()
