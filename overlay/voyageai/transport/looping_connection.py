"""One HTTP/1.1 connection of an event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import httpx2

from .incoming import Reply
from .outgoing import Outgoing, Stale
from .sockets import readable
from .timeouts import Phase, Timeouts, expired

if TYPE_CHECKING:
    from .pool import Origin

AHEAD = 256 * 1024
"""Bytes of a streamed body that may wait to be taken before no more are read."""


class Connection(asyncio.BufferedProtocol):
    """One connection. It carries one request at a time.

    Attributes:
        origin: Where it leads.
        lost: Done when nothing is left of it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        origin: Origin,
        scratch: memoryview,
        forget: Callable[[Connection], None],
    ) -> None:
        self.origin = origin
        self.lost: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._scratch = scratch
        self._forget = forget
        self._transport: asyncio.Transport | None = None
        self._used = False
        self._paused = False
        self._in_room = False
        self._held = False
        # Of the request that is under way:
        self._reply: Reply | None = None
        self._failure: httpx2.TransportError | None = None
        self._phase: Phase = "write"
        self._since = 0.0
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def usable(self) -> bool:
        """Whether the server has neither closed the idle connection nor sent what nobody asked.

        The event loop may not have seen it yet, if it has been busy with other things or stopped.
        """
        if self._transport is None or self._transport.is_closing():
            return False
        return not readable(self._transport.get_extra_info("socket").fileno())

    def abort(self) -> None:
        """Close the connection, without a word."""
        if self._transport is not None:
            self._transport.abort()
            self._forget(self)

    def expect(self, request: httpx2.Request) -> Reply:
        """Be ready for an answer, which may come before the request: a refusal."""
        self._reply, self._failure = Reply.to(request), None
        return self._reply

    async def exchange(
        self, request: httpx2.Request, outgoing: Outgoing, timeouts: Timeouts
    ) -> Reply:
        """Send a request and read the answer, which must be expected, of a streamed one the head.

        Raises:
            Stale: The connection had been used before, and nothing came.
            httpx2.TransportError: There is no answer.
        """
        reply = self._reply
        assert reply is not None  # noqa: S101  # see above
        reused, self._used = self._used, True
        streams = False
        try:
            if not await self._write(request, outgoing, timeouts):
                reply.reusable = False
            while not self._over and not reply.ready:
                await self._wait("read", timeouts)
            if self._failure is not None:
                raise self._failure
            streams = not reply.done
        except (httpx2.NetworkError, httpx2.RemoteProtocolError) as failure:
            if reused and not reply.started:
                raise Stale(failure) from failure
            raise
        finally:
            if not streams:
                self.finish()
        return reply

    async def take(self, timeouts: Timeouts) -> bytes:
        """What has arrived of a streamed body, as soon as something has; nothing at its end.

        Raises:
            httpx2.TransportError: There is no more, or not in time.
        """
        reply = self._reply
        assert reply is not None  # noqa: S101  # it is streamed
        while not reply.waiting and not self._over:
            await self._wait("read", timeouts)
        data = reply.take()
        if self._held and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._held = False
        if not data and self._failure is not None:
            raise self._failure
        return data

    def finish(self) -> bool:
        """Be done with an answer; says whether the connection can carry another request."""
        reply, failure = self._reply, self._failure
        self._reply = self._failure = None
        if reply is None:
            return False
        reply.close()
        return failure is None and reply.done and reply.reusable and not self._held

    @property
    def _over(self) -> bool:
        return self._failure is not None or (self._reply is not None and self._reply.done)

    async def _write(self, request: httpx2.Request, outgoing: Outgoing, timeouts: Timeouts) -> bool:
        """Send a request; False if the answer, or the end, came before its end."""
        stream = request.stream
        if isinstance(stream, httpx2.ByteStream):
            for piece in outgoing.whole(request.read()):
                if not await self._put(piece, timeouts):
                    return False
            return True
        if not isinstance(stream, httpx2.AsyncByteStream):
            raise TypeError("this body can only be read synchronously")
        if not await self._put(outgoing.head, timeouts):
            return False
        async for data in stream:
            if not await self._put(outgoing.piece(data), timeouts):
                return False
        return await self._put(outgoing.end(), timeouts)

    async def _put(self, data: bytes, timeouts: Timeouts) -> bool:
        timeouts.left("write")
        if self._over:
            return False
        assert self._transport is not None  # noqa: S101  # it is connected
        if data:
            self._phase = "write"
            self._transport.write(data)
        # A transport that closes is about to say why.
        while (self._paused or self._transport.is_closing()) and not self._over:
            await self._wait("write", timeouts)
        return not self._paused

    async def _wait(self, phase: Phase, timeouts: Timeouts) -> None:
        """Wait until something has changed, or for too long."""
        self._phase, self._since = phase, time.monotonic()
        self._waiter = self._loop.create_future()
        self._watch(timeouts)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _watch(self, timeouts: Timeouts) -> None:
        """See to it that the wait ends.

        What arrives only moves `_since`, so that there is one timer for many pieces.
        """
        end, now = timeouts.end(self._phase, self._since), time.monotonic()
        if end is None:
            return
        if end > now:
            self._timer = self._loop.call_later(end - now, self._watch, timeouts)
        else:
            self._fail(expired(self._phase))

    def _fail(self, failure: httpx2.TransportError) -> None:
        if not self._over:
            self._failure = failure
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The event loop has a transport for it."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # we know better
        """Where the event loop is to put what arrives."""
        room = None if self._reply is None else self._reply.room()
        self._in_room = room is not None
        return self._scratch if room is None else room

    def buffer_updated(self, nbytes: int) -> None:
        """So much has arrived there."""
        reply = self._reply
        if reply is None or self._over:  # nobody asked for this
            self.abort()
            return
        self._since = time.monotonic()
        try:
            done = reply.filled(nbytes) if self._in_room else self._feed(reply, nbytes)
        except httpx2.RemoteProtocolError as failure:
            self._fail(failure)
        else:
            if reply.streams and not done and reply.waiting >= AHEAD:
                self._hold()
            if done or reply.streams:
                self._wake()

    def _hold(self) -> None:
        """Read no more until what has arrived is taken."""
        if not self._held and self._transport is not None:
            self._held = True
            self._transport.pause_reading()

    def _feed(self, reply: Reply, count: int) -> bool:
        return reply.feed(bytes(self._scratch[:count]))

    def pause_writing(self) -> None:
        """The server takes no more now."""
        self._paused = True

    def resume_writing(self) -> None:
        """The server takes more again."""
        self._paused = False
        self._wake()

    def eof_received(self) -> None:
        """The server says no more."""
        self._ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left."""
        self._ended(exc)
        self._forget(self)
        if not self.lost.done():
            self.lost.set_result(None)

    def _ended(self, reason: Exception | None) -> None:
        if self._reply is None or self._over:
            return
        if reason is not None:
            kind = httpx2.WriteError if self._phase == "write" else httpx2.ReadError
            failure = kind(str(reason))
            failure.__cause__ = reason
            self._fail(failure)
            return
        try:
            self._reply.end()
        except httpx2.RemoteProtocolError as failure:
            self._fail(failure)
        else:
            self._wake()
