"""Requests to an emulator over HTTP and sockets, and request bodies."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx2
from voyageai_emulator.emulator import Emulator

TEXTS = {"input": ["a cat", "a dog"], "model": "voyage-4", "output_dimension": 256}
BASE64 = {**TEXTS, "encoding_format": "base64"}
DOCUMENTS = {
    "inputs": [["a cat", "a dog"], ["a bird"]],
    "model": "voyage-context-3",
    "output_dimension": 256,
}
RANKING = {"query": "a cat", "documents": ["a dog", "the cat"], "model": "rerank-2.5"}
KEY = {"authorization": "Bearer any"}


def post(
    base: str,
    body: Any = TEXTS,
    path: str = "/embeddings",
    headers: dict[str, str] | None = None,
    timeout: float = 10,
) -> httpx2.Response:
    """Send a request over a new connection."""
    return httpx2.post(base + path, json=body, headers={**KEY, **(headers or {})}, timeout=timeout)


def admin(
    emulator: Emulator, method: str, path: str, body: Any = None, token: str | None = None
) -> httpx2.Response:
    """Send a request to the admin routes, with the token by default."""
    headers = {"x-emulator-token": emulator.admin_token if token is None else token}
    return httpx2.request(
        method, f"{emulator.origin}/_emulator{path}", json=body, headers=headers, timeout=10
    )


def connect(emulator: Emulator) -> socket.socket:
    """Open a TCP connection to the emulator."""
    url = httpx2.URL(emulator.url)
    return socket.create_connection((url.host, url.port or 80), timeout=10)


def message(body: Any = TEXTS, headers: str = "") -> bytes:
    """Return the bytes of a request."""
    content = json.dumps(body).encode()
    head = (
        "POST /v1/embeddings HTTP/1.1\r\nhost: emulator\r\nauthorization: Bearer any\r\n"
        f"content-length: {len(content)}\r\n{headers}\r\n"
    )
    return head.encode() + content


def receive_all(sock: socket.socket) -> tuple[bytes, bool]:
    """Return all bytes up to the end of the connection, and whether it was reset."""
    received = b""
    while True:
        try:
            part = sock.recv(65_536)
        except ConnectionResetError:
            return received, True
        if not part:
            return received, False
        received += part


def until(reached: Callable[[], bool], timeout: float = 10) -> None:
    """Wait until a condition holds, which another thread establishes."""
    end = time.monotonic() + timeout
    while not reached():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.001)
