"""The wire for asyncio: slots of one event loop, over its own sockets.

The library's own backend goes through anyio's streams: they cost more for each call, give a body in
pieces of 64 KiB, and complain one by one when a loop is closed before they are.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import httpcore2
import httpx2

from .network import (
    READ_MORE,
    SOCKET_OPTIONS,
    Address,
    Reuse,
    in_turn,
    literal,
    spoilt,
    use,
)
from .slots import NO_SLOT, ONE, Body, Idle, Slot, resend, translated

if TYPE_CHECKING:
    from ..environment import Wire

T = TypeVar("T")

STAGGER = 0.25
"""Seconds until the next address is tried beside one that has not answered (RFC 8305)."""


class Backend(httpcore2.AsyncNetworkBackend):
    """Sockets of the event loop that is running."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  # the library's, and never given
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the one of a host's addresses that answers first.

        Raises:
            httpcore2.ConnectError: None answers, or the host has none.
            httpcore2.ConnectTimeout: None answers in time.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                found = literal(host, port) or in_turn(
                    await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                )
                if not found:
                    raise httpcore2.ConnectError(f"{host} has no address")
                return _Stream(await _first(found, [*SOCKET_OPTIONS, *(socket_options or ())]))
        except TimeoutError as failure:
            raise httpcore2.ConnectTimeout(f"no connection to {host} in time") from failure
        except (OSError, UnicodeError) as failure:  # UnicodeError: a name that no host can have
            raise httpcore2.ConnectError(str(failure)) from failure


class _Stream(httpcore2.AsyncNetworkStream):
    """A socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._full = False
        self._reuse = Reuse()

    async def receive(self, size: int) -> bytes:
        if self._full:  # more may be there already: others on the loop go first
            await asyncio.sleep(0)
            size = READ_MORE
        data = await asyncio.get_running_loop().sock_recv(self.socket, size)
        self._full = len(data) == size
        return data

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            async with asyncio.timeout(timeout):
                data = await self.receive(max_bytes)
        except TimeoutError as failure:
            raise httpcore2.ReadTimeout("timed out waiting for the answer") from failure
        except OSError as failure:
            raise self._reuse.broken(failure) from failure
        return self._reuse.received(data)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        self._reuse.sending()
        try:
            async with asyncio.timeout(timeout):
                await self.send(buffer)
        except TimeoutError as failure:
            raise httpcore2.WriteTimeout("timed out sending the request") from failure
        except OSError as failure:
            raise httpcore2.WriteError(str(failure)) from failure

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                stream = _TlsStream(self, ssl_context, server_hostname)
                await stream.shake_hands()
                return stream
        except BaseException as failure:
            self.socket.close()
            if isinstance(failure, TimeoutError):
                raise httpcore2.ConnectTimeout("timed out opening a connection") from failure
            if isinstance(failure, (OSError, ValueError)):  # OSError: those of TLS too
                raise httpcore2.ConnectError(str(failure)) from failure
            raise

    async def aclose(self) -> None:
        self.socket.close()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _readable(self.socket)
        return self.socket if info == "socket" else None


class _TlsStream(_Stream):
    """TLS over another stream, which may be TLS already, to a proxy."""

    def __init__(self, inner: _Stream, context: ssl.SSLContext, hostname: str | None) -> None:
        super().__init__(inner.socket)
        self._inner = inner
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)

    async def shake_hands(self) -> None:
        await self._do(self._tls.do_handshake)

    async def receive(self, size: int) -> bytes:
        pieces: list[bytes] = []
        try:
            pieces.append(await self._do(self._tls.read, size))
            while pieces[-1]:  # each is a record of 16 KiB, and several may have arrived
                pieces.append(self._tls.read(size))
        except (ssl.SSLWantReadError, ssl.SSLEOFError):  # EOF: without a goodbye
            pass
        return b"".join(pieces)

    async def send(self, data: bytes) -> None:
        await self._do(self._tls.write, data)

    async def _do(self, operation: Callable[..., T], *arguments: Any) -> T:
        """Do something with what has arrived, and wait for more while that is not enough."""
        while True:
            try:
                result = operation(*arguments)
            except ssl.SSLWantReadError:
                await self._flush()
                if data := await self._inner.receive(READ_MORE):
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._inner.send(self._outgoing.read())

    def get_extra_info(self, info: str) -> Any:
        return self._tls if info == "ssl_object" else super().get_extra_info(info)


class _Socket(socket.socket):
    """A socket that closes without a complaint: many clients, and their loops, are not closed."""

    def __del__(self) -> None:
        with suppress(AttributeError):  # it was never opened
            self.close()


async def _first(found: list[Address], options: list[Any]) -> socket.socket:
    """A connection to the address that answers first, each tried a little after the one before.

    `loop.create_connection` can do that, but uvloop's tries one address after the other.
    """
    winner: socket.socket | None = None
    failures: list[OSError] = []

    async def attempt(address: Address, over: anyio.Event) -> None:
        nonlocal winner
        try:
            sock = await _connect(address, options)
        except OSError as failure:
            failures.append(failure)
        else:
            if winner is None:
                winner = sock
                group.cancel_scope.cancel()
            else:
                sock.close()
        over.set()

    try:
        async with anyio.create_task_group() as group:
            for address in found:
                over = anyio.Event()
                group.start_soon(attempt, address, over)
                with anyio.move_on_after(STAGGER):
                    await over.wait()
    except BaseException:
        if winner is not None:
            winner.close()
        raise
    if winner is None:
        raise failures[-1]
    return winner


async def _connect(address: Address, options: list[Any]) -> socket.socket:
    family, kind, protocol, where = address
    sock = _Socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        for option in options:
            sock.setsockopt(*option)
        await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


def _readable(sock: socket.socket) -> bool:
    """Whether an idle socket has bytes or an end to read: its connection is of no use then."""
    if sock.fileno() < 0:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()  # unlike select, for any file number
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


class AsyncSlots(httpx2.AsyncBaseTransport):
    """The same as `blocking.Slots` for one event loop, where deadlines are kept by cancelling.

    Args:
        wire: How to reach hosts.
        clock: Seconds that only go forwards.
        backend: Opens connections; None for the library's own, as for trio.
    """

    def __init__(
        self, wire: Wire, clock: Callable[[], float], backend: Backend | None = None
    ) -> None:
        most = wire.limits.max_connections
        self._wire = wire
        self._clock = clock
        self._backend = backend
        self._idle: Idle[httpx2.AsyncHTTPTransport] = Idle(wire.limits)
        self._free = None if most is None else anyio.Semaphore(most, fast_acquire=True)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            httpx2.TransportError: There is no answer.
        """
        await self._wait(request)
        slot: Slot[httpx2.AsyncHTTPTransport] | None = None

        async def release(broken: bool) -> None:
            try:
                if slot is not None:
                    slot.broken = broken or spoilt(slot.transport)
                    await _close(self._idle.put(slot, self._clock()))
            finally:
                if self._free is not None:
                    self._free.release()

        try:
            slot, closing = self._idle.take(request.url, self._clock())
            await _close(closing)
            if slot is None:
                slot = self._open(request.url)
                await _close(self._idle.opened(slot))
            with translated():
                response = await _send(slot.transport, request)
        except BaseException:
            await release(True)
            raise
        response.stream = Body(response.stream, release)
        return response

    async def _wait(self, request: httpx2.Request) -> None:
        if self._free is None:
            return
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            try:
                with anyio.fail_after(request.extensions.get("timeout", {}).get("pool")):
                    await self._free.acquire()
            except TimeoutError:
                raise httpx2.PoolTimeout(NO_SLOT, request=request) from None

    def _open(self, url: httpx2.URL) -> Slot[httpx2.AsyncHTTPTransport]:
        transport = httpx2.AsyncHTTPTransport(**self._wire.arguments(url), limits=ONE)
        if self._backend is not None:
            use(self._backend, transport)
        return Slot(url, transport)

    async def aclose(self) -> None:
        """Close the idle connections now, and those in use when they come back."""
        await _close(self._idle.close())


async def _send(transport: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
    try:
        return await transport.handle_async_request(request)
    except httpx2.RemoteProtocolError as failure:
        if not resend(request, failure):
            raise
        return await transport.handle_async_request(request)


async def _close(slots: list[Slot[httpx2.AsyncHTTPTransport]]) -> None:
    for slot in slots:
        await slot.transport.aclose()
