"""One request to the application and its answer, between two event loops or threads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from .connections import STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Scope

    from .connections import Connections

__all__ = ["Exchange", "Head"]

FULL = 65_536
"""Bytes that wait for the other side before more of them have to wait."""


class Head(NamedTuple):
    """How an answer begins."""

    status: int
    headers: list[tuple[bytes, bytes]]


class Exchange:
    """A request under way. It takes the place of its connection, below HTTP, as well.

    All of it happens on the application's event loop: a client elsewhere has its coroutines run
    there.

    Args:
        app: Answers.
        scope: The request, but for its body.
        connections: Counts it as one.

    Attributes:
        lost: Whether the client went away.
        hung_up: Whether it was ended from the application's side.
        closed: Whether it has ended, on whichever side.
    """

    def __init__(self, app: ASGIApp, scope: Scope, connections: Connections) -> None:
        self._app = app
        self._scope = {**scope, "state": {STATE: self}}
        self._connections = connections
        self.lost = False
        self.hung_up = False
        self.closed = False
        self._asked: list[bytes] = []
        self._asked_all = False
        self._heard_all = False
        self._head: Head | None = None
        self._answered: list[bytes] = []
        self._answered_all = False
        self._failure: Exception | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    # The client's side

    def begin(self) -> asyncio.Task[None]:
        """Let the application begin to answer."""
        self._connections.opened()
        self._task = asyncio.create_task(self._run())
        return self._task

    async def send(self, part: bytes, seconds: float | None) -> bool:
        """Send a part of the body. False if nobody wants any more of it.

        Raises:
            TimeoutError: There is no room for it in time.
        """
        async with asyncio.timeout(seconds):
            await self._until(lambda: self._over or _size(self._asked) < FULL)
        if not self._over:
            self._asked.append(part)
            self._tell()
        return not self._over

    async def head(self, seconds: float | None) -> Head:
        """End the body and wait for how the answer begins.

        Raises:
            TimeoutError: It does not, in time.
            ConnectionResetError: The connection is reset instead.
            EOFError: The connection is closed instead.
        """
        self._asked_all = True
        self._tell()
        async with asyncio.timeout(seconds):
            await self._until(lambda: self._head is not None or self._failure is not None)
        if self._head is None:
            assert self._failure is not None  # noqa: S101  # what was waited for
            raise self._failure
        return self._head

    async def receive(self, seconds: float | None) -> bytes:
        """The next part of the answer's body; empty at its end.

        Raises:
            TimeoutError, ConnectionResetError, EOFError: As in `head`.
        """
        async with asyncio.timeout(seconds):
            await self._until(
                lambda: bool(self._answered) or self._answered_all or self._failure is not None
            )
        part = b"".join(self._answered)
        self._answered.clear()
        self._tell()
        if not part and self._failure is not None:
            raise self._failure
        return part

    def leave(self, *, cancel: bool = False) -> None:
        """Go away, as a client does that closes its connection.

        Args:
            cancel: Whether the application is not only told but cancelled.
        """
        self.lost = self.lost or not self._over
        self._close()
        if cancel and self._task is not None:
            self._task.cancel()

    def stop(self) -> None:
        """End it, as a server does that stops."""
        self._fail(EOFError("the emulator was stopped"))
        self.leave(cancel=True)

    # The application's side

    async def hang_up(self, *, reset: bool) -> None:
        """End it once all that was sent is there, by a reset or as connections end."""
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
            await self._app(self._scope, self._hear, self._answer)
        finally:
            self._fail(EOFError("the application ended without a complete answer"))

    async def _hear(self) -> Message:
        await self._until(lambda: self._over or (self._has_asked and not self._heard_all))
        if self._over:
            return {"type": "http.disconnect"}
        body = b"".join(self._asked)
        self._asked.clear()
        self._heard_all = self._asked_all
        self._tell()
        return {"type": "http.request", "body": body, "more_body": not self._asked_all}

    async def _answer(self, message: Message) -> None:
        await self._until(lambda: self._over or _size(self._answered) < FULL)
        if self._over:
            return
        if message["type"] == "http.response.start":
            self._head = Head(message["status"], list(message.get("headers", ())))
        else:
            body: bytes = message.get("body", b"")
            if body and self._scope["method"] != "HEAD":
                self._answered.append(body)
            self._answered_all = not message.get("more_body", False)
        self._tell()

    # Both

    @property
    def done(self) -> bool:
        """Whether it has ended and the application is done with it."""
        return self.closed and self._task is not None and self._task.done()

    @property
    def _has_asked(self) -> bool:
        return self._asked_all or bool(self._asked)

    @property
    def _over(self) -> bool:
        return self.lost or self.hung_up or self._answered_all

    def _fail(self, failure: Exception) -> None:
        if not self._answered_all and self._failure is None:
            self._failure = failure
        self._tell()

    def _close(self) -> None:
        if not self.closed:
            self.closed = True
            self._connections.closed()
        self._tell()

    def _tell(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter


def _size(parts: list[Any]) -> int:
    return sum(map(len, parts))
