"""One request to an ASGI application and its response, in memory instead of over a socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from .connections import STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Scope

    from .connections import Connections

__all__ = ["Exchange", "Head"]

BUFFER = 65_536
"""Maximum of bytes that wait to be received; beyond it the sender waits."""


class Head(NamedTuple):
    """Status and headers of a response."""

    status: int
    headers: list[tuple[bytes, bytes]]


class Exchange:
    """A request in progress, which is also the request's connection to the application.

    Everything runs on the application's event loop; clients in other threads run the coroutines
    there.

    Args:
        app: The application.
        scope: The ASGI scope of the request.
        connections: Counter of connections, which counts this exchange as one.

    Attributes:
        lost: True once the client has disconnected.
        hung_up: True once the application has ended the exchange.
        closed: True once either side has ended the exchange.
    """

    def __init__(self, app: ASGIApp, scope: Scope, connections: Connections) -> None:
        self._app = app
        self._scope = {**scope, "state": {STATE: self}}
        self._connections = connections
        self.lost = False
        self.hung_up = False
        self.closed = False
        self._request: list[bytes] = []
        self._request_complete = False
        self._request_read = False
        self._head: Head | None = None
        self._response: list[bytes] = []
        self._response_complete = False
        self._failure: Exception | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    # The client's side

    def begin(self) -> asyncio.Task[None]:
        """Start the application, and return its task."""
        self._connections.opened()
        self._task = asyncio.create_task(self._run())
        return self._task

    async def send(self, part: bytes, seconds: float | None) -> bool:
        """Send a part of the body. Return whether the application reads on.

        Raises:
            TimeoutError: The buffer was full for the whole time.
        """
        async with asyncio.timeout(seconds):
            await self._until(lambda: self._over or _size(self._request) < BUFFER)
        if not self._over:
            self._request.append(part)
            self._notify()
        return not self._over

    async def head(self, seconds: float | None) -> Head:
        """End the body, and return the status and the headers of the response.

        Raises:
            TimeoutError: The response did not begin in time.
            ConnectionResetError: The connection was reset before the response began.
            EOFError: The connection was closed before the response began.
        """
        self._request_complete = True
        self._notify()
        async with asyncio.timeout(seconds):
            await self._until(lambda: self._head is not None or self._failure is not None)
        if self._head is None:
            assert self._failure is not None  # noqa: S101  # one of the two was awaited
            raise self._failure
        return self._head

    async def receive(self, seconds: float | None) -> tuple[bytes, bool]:
        """Return the next part of the response's body, and whether it is the last one.

        Raises:
            TimeoutError: The part did not arrive in time.
            ConnectionResetError: The connection was reset.
            EOFError: The connection was closed before the body was complete.
        """
        async with asyncio.timeout(seconds):
            await self._until(
                lambda: bool(self._response) or self._response_complete or self._failure is not None
            )
        part = b"".join(self._response)
        self._response.clear()
        self._notify()
        if not part and self._failure is not None:
            raise self._failure
        return part, self._response_complete

    def leave(self, *, cancel: bool = False) -> None:
        """Disconnect, like a client that closes its connection.

        Args:
            cancel: Cancel the application, instead of only announcing the disconnect to it.
        """
        self.lost = self.lost or not self._over
        self._close()
        if cancel and self._task is not None:
            self._task.cancel()

    def stop(self) -> None:
        """End the exchange, like a server that shuts down."""
        self._fail(EOFError("the emulator was stopped"))
        self.leave(cancel=True)

    # The application's side

    async def hang_up(self, *, reset: bool) -> None:
        """End the exchange from the application's side, with a reset or a regular close."""
        self.hung_up = True
        if reset:
            self._fail(ConnectionResetError("the connection was reset"))
        elif self._head is None:
            self._fail(EOFError("the server disconnected without sending a response"))
        else:
            self._fail(EOFError("the connection was closed before the body was complete"))
        self._close()

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._asgi_receive, self._asgi_send)
        finally:
            self._fail(EOFError("the application ended without a complete answer"))

    async def _asgi_receive(self) -> Message:
        await self._until(
            lambda: (
                self._over
                or (bool(self._request or self._request_complete) and not self._request_read)
            )
        )
        if self._over:
            return {"type": "http.disconnect"}
        body = b"".join(self._request)
        self._request.clear()
        self._request_read = self._request_complete
        self._notify()
        return {"type": "http.request", "body": body, "more_body": not self._request_complete}

    async def _asgi_send(self, message: Message) -> None:
        await self._until(lambda: self._over or _size(self._response) < BUFFER)
        if self._over:
            return
        if message["type"] == "http.response.start":
            self._head = Head(message["status"], list(message.get("headers", ())))
        else:
            body: bytes = message.get("body", b"")
            if body and self._scope["method"] != "HEAD":
                self._response.append(body)
            self._response_complete = not message.get("more_body", False)
        self._notify()

    # Both sides

    @property
    def begun(self) -> bool:
        """True once the application was started."""
        return self._task is not None

    @property
    def done(self) -> bool:
        """True once the exchange has ended and the application has returned."""
        return self.closed and self._task is not None and self._task.done()

    @property
    def _over(self) -> bool:
        return self.lost or self.hung_up or self._response_complete

    def _fail(self, failure: Exception) -> None:
        if not self._response_complete and self._failure is None:
            self._failure = failure
        self._notify()

    def _close(self) -> None:
        if not self.closed:
            self.closed = True
            self._connections.closed()
        self._notify()

    def _notify(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter


def _size(parts: list[bytes]) -> int:
    return sum(map(len, parts))
