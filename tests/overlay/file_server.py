"""A mock file API, and one way to get results from both clients."""

from __future__ import annotations

import asyncio
import email
import email.policy
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from typing import Any

import httpx2

LINE = {"custom_id": "a", "body": {"input": ["Where are the keys?"]}}
FILE = {
    "id": "file-1",
    "object": "file",
    "bytes": 46,
    "created_at": "2025-12-01T19:18:23.455349+00:00",
    "expires_at": "2025-12-31T19:18:23.455349+00:00",
    "filename": "lines.jsonl",
    "purpose": "batch",
}
BATCH = {
    "id": "batch-1",
    "object": "batch",
    "endpoint": "/v1/embeddings",
    "errors": None,
    "input_file_id": "file-1",
    "completion_window": "12h",
    "model": "voyage-4",
    "status": "in_progress",
    "output_file_id": None,
    "error_file_id": None,
    "request_counts": {"total": 3, "completed": 1, "failed": 0},
    "metadata": {"run": "7f3a"},
    "created_at": "2025-12-01T19:18:24+00:00",
    "in_progress_at": "2025-12-01T19:18:25+00:00",
    "expected_completion_at": "2025-12-02T07:18:24+00:00",
}


def jsonl(*rows: object) -> bytes:
    """Return rows in JSONL form."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def answer(code: int = 200, /, **fields: Any) -> httpx2.Response:
    """Return a JSON response with a request id."""
    return httpx2.Response(code, json=fields, headers={"x-request-id": "req-1"})


def in_turn(*answers: Any) -> Any:
    """Return a handler that gives these responses or exceptions in turn, then repeats the last."""
    left = list(answers)

    def handle(request: httpx2.Request) -> httpx2.Response:
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Exception):
            raise found
        return found(request) if callable(found) else found

    return handle


def uploaded(request: httpx2.Request) -> tuple[str | None, bytes]:
    """Return the name and content of the file in a request."""
    head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
    message = email.message_from_bytes(head + request.content, policy=email.policy.HTTP)
    (part,) = [part for part in message.iter_parts() if part.get_filename()]
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return part.get_filename(), content


def done(value: Any) -> Any:
    """Return the result of a call, awaited or iterated over as necessary."""

    async def wait(value: Awaitable[Any]) -> Any:
        return await value

    async def gather(value: AsyncIterator[Any]) -> list[Any]:
        return [item async for item in value]

    if inspect.isawaitable(value):
        return asyncio.run(wait(value))
    if hasattr(value, "__aiter__"):
        return asyncio.run(gather(value))
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, bytes) else value


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A response body in pieces; a piece that is an exception is raised."""

    def __init__(self, pieces: Iterable[bytes | Exception]) -> None:
        self.pieces = pieces
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def content(*pieces: bytes | Exception, status: int = 200, **headers: str) -> httpx2.Response:
    """Return a 200 response whose body comes in pieces."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, headers=named, stream=Body(pieces))
