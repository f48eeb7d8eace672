"""The middleware that injects faults, and the request that a fault answers."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ..connections import connection_of
from ..recording import RECORD
from ..responses import ApiError
from .fault import FAULTS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ..recording import RecordedRequest
    from .plan import FaultPlan

__all__ = ["PREFIX", "CompleteResponse", "FaultMiddleware", "FaultyRequest", "strip_fault"]

HEADER = b"x-emulator-fault"
PREFIX = "/faults/"
NAMED = "voyageai_emulator.fault"
"""Key in an ASGI scope of the fault that the URL names."""
JSON = "application/json"
MAX_HELD = 67_108_864
"""Maximum of bytes of a request's body that are read before a fault happens."""
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class CompleteResponse:
    """A response with its whole body, without a Content-Length."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def of(cls, status: int, body: bytes, content_type: str = JSON) -> CompleteResponse:
        """Return a response with only a Content-Type."""
        return cls(status, (), body).with_header("content-type", content_type)

    @classmethod
    def of_json(cls, status: int, body: object) -> CompleteResponse:
        """Return a JSON response."""
        return cls.of(status, json.dumps(body).encode())

    def with_header(self, name: str, value: str) -> CompleteResponse:
        """Return the response with a header replaced, or removed if the value is empty."""
        key = name.encode()
        kept = tuple(pair for pair in self.headers if pair[0] != key)
        # HTTP decodes headers as Latin-1, and they must not contain line breaks.
        raw = CONTROL.sub(" ", value).strip().encode("latin-1", "replace")
        return replace(self, headers=(*kept, (key, raw)) if raw else kept)

    def with_body(self, body: bytes) -> CompleteResponse:
        """Return the response with another body."""
        return replace(self, body=body)


class FaultyRequest:
    """A request to which a fault happens, with methods to answer it.

    Attributes:
        scope: ASGI scope of the request.
    """

    def __init__(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, record: RecordedRequest
    ) -> None:
        self.scope = scope
        self._app = app
        self._receive = receive
        self._send_message = send
        self._record = record
        self._body: list[Message] = []
        self._unread = True  # until the whole body has been read

    async def drain(self) -> None:
        """Read the body, up to `MAX_HELD` bytes, so that the client can send all of it."""
        left = MAX_HELD
        while self._unread and left > 0:
            message = await self._receive()
            self._body.append(message)
            left -= len(message.get("body", b""))
            self._unread = message.get("more_body", False)

    async def real_response(self) -> CompleteResponse:
        """Return the response without the fault."""
        start: Message = {}
        body = bytearray()

        async def receive() -> Message:
            return self._body.pop(0) if self._body else await self._receive()

        async def collect(message: Message) -> None:
            start.update(message)
            body.extend(message.get("body", b""))

        await self._app(self.scope, receive, collect)
        self._unread = False
        headers: list[tuple[bytes, bytes]] = start["headers"]
        kept = tuple(pair for pair in headers if pair[0] != b"content-length")
        return CompleteResponse(start["status"], kept, bytes(body))

    async def respond(self, response: CompleteResponse) -> None:
        """Send a response."""
        body = b"" if response.status in (204, 304) else response.body
        await self.begin(response, len(body))
        await self.send(body, last=True)

    async def begin(self, response: CompleteResponse, length: int | None) -> None:
        """Send status and headers; without a length the body is chunked."""
        headers = list(response.headers)
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        await self._send_message(
            {"type": "http.response.start", "status": response.status, "headers": headers}
        )

    async def send(self, body: bytes, *, last: bool = False) -> None:
        """Send a part of the body."""
        await self._send_message(
            {"type": "http.response.body", "body": body, "more_body": not last}
        )

    async def pause(self, seconds: float) -> bool:
        """Wait, and return True. Return False at once if the client disconnects."""
        if self._unread:  # to notice a disconnect, the rest of the body would have to be read
            await asyncio.sleep(seconds)
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._disconnected()
        except TimeoutError:
            return True
        return False

    async def hang_up(self, *, reset: bool = False) -> None:
        """End the connection with a reset or a close, once all written bytes are sent."""
        self._record.finish()
        connection = connection_of(self.scope)
        if connection is None:
            raise RuntimeError("this fault needs a server with sockets")
        await connection.hang_up(reset=reset)
        await self._disconnected()

    def mark_unused(self) -> None:
        """Record that no fault happened, because it does not apply to this response."""
        self._record.fault = None

    async def _disconnected(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def strip_fault(scope: Scope) -> Scope:
    """Convert the scope of ``/faults/NAME/v1/...`` to that of ``/v1/...``, with the fault in it."""
    # Slashes in a fault's values are encoded in the raw path, but not in `path`.
    if not scope["raw_path"].startswith(PREFIX.encode()):
        return scope
    named, _, rest = scope["raw_path"].removeprefix(PREFIX.encode()).partition(b"/")
    raw = b"/" + rest
    path = unquote(raw.decode("ascii"))
    return {**scope, "path": path, "raw_path": raw, NAMED: named.decode("ascii")}


class FaultMiddleware:
    """ASGI middleware that injects faults."""

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request with the fault that it names or that is planned, or pass it on."""
        record: RecordedRequest = scope[RECORD]
        named = scope.get(NAMED) or _in_header(scope)
        fault, reason = None, ""
        if named is None:
            fault = self._plan.draw(record.operation)
        else:
            try:
                fault = self._plan.named(named)
            except ValueError as error:
                reason = f"The request names an invalid fault: {error}"
        if fault is None and not reason:
            await self._app(scope, receive, send)
            return
        request = FaultyRequest(self._app, scope, receive, send, record)
        await request.drain()
        if fault is None:
            await request.respond(CompleteResponse.of_json(400, ApiError(reason).body()))
            return
        record.fault = fault
        await FAULTS[fault.name].run(request, **fault.parameters)


def _in_header(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == HEADER:
            return str(value, "latin-1")
    return None
