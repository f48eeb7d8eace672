"""A request that meets a fault, and what a fault can do about it."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..connections import connection_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ..recording.record import RecordedRequest

__all__ = ["Answer", "Call"]

JSON = "application/json"
HELD = 67_108_864
"""Bytes of a request's body that are read before a fault happens."""
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Answer:
    """A whole answer, but for its Content-Length."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def of(cls, status: int, body: bytes, content_type: str = JSON) -> Answer:
        """An answer with no other headers."""
        return cls(status, (), body).with_header("content-type", content_type)

    @classmethod
    def of_json(cls, status: int, body: object) -> Answer:
        """An answer of JSON."""
        return cls.of(status, json.dumps(body).encode())

    def with_header(self, name: str, value: str) -> Answer:
        """The answer with a header set anew; without it if there is no value."""
        key = name.encode()
        kept = tuple(pair for pair in self.headers if pair[0] != key)
        # Latin-1 is what HTTP makes of a header's bytes, which may be no ends of lines.
        raw = CONTROL.sub(" ", value).strip().encode("latin-1", "replace")
        return replace(self, headers=(*kept, (key, raw)) if raw else kept)

    def with_body(self, body: bytes) -> Answer:
        """The answer with another body."""
        return replace(self, body=body)


class Call:
    """A request whose body has been read, or much of it, and the ways to answer it.

    Attributes:
        scope: The ASGI scope.
    """

    def __init__(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, record: RecordedRequest
    ) -> None:
        self.scope = scope
        self._app = app
        self._receive = receive
        self._send = send
        self._record = record
        self._body: list[Message] = []

    async def drain(self) -> None:
        """Read the request to its end, so that the client is not stopped while it sends."""
        more, left = True, HELD
        while more and left > 0:
            message = await self._receive()
            self._body.append(message)
            left -= len(message.get("body", b""))
            more = message.get("more_body", False)

    async def right(self) -> Answer:
        """The answer that would be given without a fault."""
        start: Message = {}
        body = bytearray()

        async def receive() -> Message:
            return self._body.pop(0) if self._body else await self._receive()

        async def collect(message: Message) -> None:
            start.update(message)
            body.extend(message.get("body", b""))

        await self._app(self.scope, receive, collect)
        headers: list[tuple[bytes, bytes]] = start["headers"]
        kept = tuple(pair for pair in headers if pair[0] != b"content-length")
        return Answer(start["status"], kept, bytes(body))

    async def reply(self, answer: Answer) -> None:
        """Give a whole answer."""
        body = b"" if answer.status in (204, 304) else answer.body
        await self.begin(answer, len(body))
        await self.part(body, last=True)

    async def begin(self, answer: Answer, length: int | None) -> None:
        """Send status and headers; the body comes in chunks if no length is told."""
        headers = list(answer.headers)
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        await self._send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )

    async def part(self, body: bytes, *, last: bool = False) -> None:
        """Send some of the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})

    async def pause(self, seconds: float) -> bool:
        """Wait. False, at once, if the client goes away."""
        try:
            async with asyncio.timeout(seconds):
                await self._gone()
        except TimeoutError:
            return True
        return False

    async def hang_up(self, *, reset: bool = False) -> None:
        """End the connection, by a reset if asked, once what was sent has left."""
        self._record.finish()
        connection = connection_of(self.scope)
        if connection is None:
            raise RuntimeError("this fault needs a server with sockets")
        await connection.hang_up(reset=reset)
        await self._gone()

    def spare(self) -> None:
        """Note that the fault had nothing to act upon."""
        self._record.fault = None

    async def _gone(self) -> None:
        message: dict[str, Any] = {}
        while message.get("type") != "http.disconnect":
            message = dict(await self._receive())
