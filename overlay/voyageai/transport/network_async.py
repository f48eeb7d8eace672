"""The network backend for asyncio: sockets of the event loop.

The library's own backend uses anyio's streams: they cost more per call, deliver bodies in pieces of
64 KiB, and give a warning each if the loop is closed first.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

import anyio
import httpcore2

from .network import (
    LARGE_READ,
    SOCKET_OPTIONS,
    Address,
    Exchange,
    interleave,
    numeric_addresses,
)

T = TypeVar("T")

STAGGER = 0.25
"""Seconds after which the next address is tried as well (RFC 8305)."""


class AsyncBackend(httpcore2.AsyncNetworkBackend):
    """Opens sockets of the running event loop."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  # part of the interface; never given by the library
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the address of a host that answers first.

        Raises:
            httpcore2.ConnectError: No address answers, or the host has none.
            httpcore2.ConnectTimeout: No address answers in time.
        """
        self._exchange.unanswered = False  # the connection is a new one
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                found = numeric_addresses(host, port) or interleave(
                    await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                )
                if not found:
                    raise httpcore2.ConnectError(f"{host} has no address")
                options = [*SOCKET_OPTIONS, *(socket_options or ())]
                return _Stream(await _connect_first(found, options), self._exchange)
        except TimeoutError as failure:
            raise httpcore2.ConnectTimeout(f"no connection to {host} in time") from failure
        except (OSError, UnicodeError) as failure:  # UnicodeError: an impossible host name
            raise httpcore2.ConnectError(str(failure)) from failure


class _Stream(httpcore2.AsyncNetworkStream):
    """A socket with the interface of httpcore2's streams."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self.socket = sock
        self.exchange = exchange
        self._head = b""
        self._full = False

    async def receive(self, size: int) -> bytes:
        if self._full:  # more may be available at once: give other tasks their turn
            await asyncio.sleep(0)
            size = LARGE_READ
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
            raise httpcore2.ReadError(str(failure)) from failure
        if data:
            self.exchange.unanswered = False
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not self._head and buffer[:1].isalpha() and buffer.endswith(b"\r\n\r\n"):
            self._head = buffer  # sent with the body that follows: one write, not two
            return
        data, self._head = self._head + buffer, b""
        if not data:
            return
        try:
            async with asyncio.timeout(timeout):
                await self.send(data)
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
                await stream.do_handshake()
                return stream
        except BaseException as failure:
            self.socket.close()
            if isinstance(failure, TimeoutError):
                raise httpcore2.ConnectTimeout("timed out opening a connection") from failure
            if isinstance(failure, (OSError, ValueError)):  # TLS errors are OSErrors
                raise httpcore2.ConnectError(str(failure)) from failure
            raise

    async def aclose(self) -> None:
        self.socket.close()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _is_readable(self.socket)
        return self.socket if info == "socket" else None


class _TlsStream(_Stream):
    """TLS over another stream, which itself may be TLS to a proxy."""

    def __init__(self, inner: _Stream, context: ssl.SSLContext, hostname: str | None) -> None:
        super().__init__(inner.socket, inner.exchange)
        self._inner = inner
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)

    async def do_handshake(self) -> None:
        await self._run(self._tls.do_handshake)

    async def receive(self, size: int) -> bytes:
        pieces: list[bytes] = []
        try:
            pieces.append(await self._run(self._tls.read, size))
            while pieces[-1]:  # a read returns one record of 16 KiB; several may have arrived
                pieces.append(self._tls.read(size))
        except (ssl.SSLWantReadError, ssl.SSLEOFError):  # EOF: closed without close_notify
            pass
        return b"".join(pieces)

    async def send(self, data: bytes) -> None:
        await self._run(self._tls.write, data)

    async def _run(self, operation: Callable[..., T], *arguments: Any) -> T:
        """Run a TLS operation on the received bytes, and receive more as long as it needs them."""
        while True:
            try:
                result = operation(*arguments)
            except ssl.SSLWantReadError:
                await self._flush()
                if data := await self._inner.receive(LARGE_READ):
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
    """A socket that closes without a ResourceWarning: many clients and loops are never closed."""

    def __del__(self) -> None:
        with suppress(AttributeError):  # it was never opened
            self.close()


async def _connect_first(
    found: list[Address], options: list[Any], stagger: float = STAGGER
) -> socket.socket:
    """Connect to the address that answers first, starting each `stagger` seconds after the last.

    `loop.create_connection` can do that too, but uvloop's tries one address after another.
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
                with anyio.move_on_after(stagger):
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


def _is_readable(sock: socket.socket) -> bool:
    """Return whether an idle socket has bytes or an end to read, so that it is unusable."""
    if sock.fileno() < 0:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()  # unlike select, takes any descriptor
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
