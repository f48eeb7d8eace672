"""The network backend for threads: the library's own sockets, within a deadline.

What the backend for asyncio shares is here too: addresses, socket options, stale connections.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore2

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

# Family, type, protocol, and the address as its family has it.
Address = tuple[int, int, int, Any]

LARGE_READ = 128 * 1024
"""Bytes of a read, once a response has turned out to be large; the library asks for 64 KiB."""
WRITE_SIZE = 16 * 1024
"""Bytes of a body that are sent at once."""

# A connection that waits for minutes for its response must not be forgotten on the way.
_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 60, "TCP_KEEPCNT": 5}
SOCKET_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, int(getattr(socket, name)), value)
        for name, value in _KEEPALIVE.items()
        if hasattr(socket, name)  # platforms have some of them
    ),
]


def set_backend(
    transport: httpx2.HTTPTransport | httpx2.AsyncHTTPTransport,
    backend: httpcore2.NetworkBackend | httpcore2.AsyncNetworkBackend,
) -> None:
    """Let a transport open its connections by a backend.

    A pool of `httpcore2` takes one when it is made, but HTTPX2's transports make their pools
    themselves.
    """
    transport._pool._network_backend = backend  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


def has_unread_bytes(transport: httpx2.HTTPTransport | httpx2.AsyncHTTPTransport) -> bool:
    """Return whether a used connection holds bytes beyond its response.

    The library would take them for the beginning of the next one: somebody else's vectors.
    """
    inner: Any = next(iter(transport._pool.connections), None)  # pyright: ignore[reportPrivateUsage]
    while inner is not None and not hasattr(inner, "_h11_state"):
        inner = getattr(inner, "_connection", None)  # a proxy's connection has another one in it
    return inner is not None and inner._h11_state.trailing_data[0] != b""


def numeric_addresses(host: str, port: int) -> list[Address]:
    """Return the address of a host that is one; to look it up would take a thread for nothing."""
    try:
        numeric = socket.AI_NUMERICHOST
        return interleave(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=numeric))
    except (OSError, UnicodeError):
        return []


def interleave(found: Iterable[tuple[Any, ...]]) -> list[Address]:
    """Return addresses with their families in turn, so that a broken family costs one attempt."""
    every = [(family, kind, protocol, where) for family, kind, protocol, _, where in found]
    same = [address for address in every if address[0] == every[0][0]]
    others = [address for address in every if address[0] != every[0][0]]
    return [address for address in chain(*zip_longest(same, others)) if address is not None]


class Exchange:
    """The request in flight on a slot: what the pool and the streams below it both know of it.

    Args:
        clock: A monotonic clock, in seconds.

    Attributes:
        deadline: When all must be over, by the clock; None for never. Blocking streams need it.
        unanswered: Whether the connection was kept, and nothing has been read from it since. If it
            fails so, the server may have closed it while it was idle.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.deadline: float | None = None
        self.unanswered = False

    def left(self, timeout: float | None, expired: type[Exception]) -> float | None:
        """Return the seconds for a step that begins now and has a timeout of its own.

        Raises:
            Exception: None are left; of the given kind.
        """
        if self.deadline is None:
            return timeout
        left = self.deadline - self.clock()
        if left <= 0:
            raise expired("the time for this attempt is over")
        return left if timeout is None else min(timeout, left)


class Backend(httpcore2.NetworkBackend):
    """The library's own backend, within a deadline."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._library = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first of a host's addresses that answers, each in its share of the time.

        Raises:
            httpcore2.ConnectError: None answers, or the host has none.
            httpcore2.ConnectTimeout: None answers in time.
        """
        exchange, clock = self._exchange, self._exchange.clock
        exchange.unanswered = False  # the connection is a new one
        left = exchange.left(timeout, httpcore2.ConnectTimeout)
        end = None if left is None else clock() + left
        options = [*SOCKET_OPTIONS, *(socket_options or ())]
        found = numeric_addresses(host, port) or _resolve(host, port, left)
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for place, (_, _, _, (name, number, *_)) in enumerate(found):
            share = None if end is None else max(0.001, end - clock()) / (len(found) - place)
            try:
                stream = self._library.connect_tcp(name, number, share, local_address, options)
                return _Stream(stream, exchange)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as refused:
                failure = refused
        raise failure


def _resolve(host: str, port: int, timeout: float | None) -> list[Address]:
    """Look the addresses of a host up in a thread, as nothing else can be stopped in time."""
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as failure:  # noqa: BLE001  # raised by the thread that waits
            answers.put(failure)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        found = answers.get(timeout=timeout)
    except queue.Empty:
        raise httpcore2.ConnectTimeout(f"the address of {host} was not found in time") from None
    if isinstance(found, Exception):
        raise httpcore2.ConnectError(str(found)) from found
    return interleave(found)


class _Stream(httpcore2.NetworkStream):
    """A stream of the library's own, within a deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, exchange: Exchange) -> None:
        self._stream = stream
        self._exchange = exchange
        self._head = b""
        self._full = False
        self._below_tls = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._exchange.deadline is not None:
            timeout = self._exchange.left(timeout, httpcore2.ReadTimeout)
        size = LARGE_READ if self._full else max_bytes
        data = self._stream.read(size, timeout)
        self._full = len(data) == size
        if data and not self._below_tls:
            self._exchange.unanswered = False
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not self._head and buffer[:1].isalpha() and buffer.endswith(b"\r\n\r\n"):
            self._head = buffer  # sent with the body or the end that follows: one write, not two
            return
        data, self._head = self._head + buffer, b""
        for start in range(0, len(data), WRITE_SIZE):  # each has its time from the library
            left = timeout
            if self._exchange.deadline is not None:
                left = self._exchange.left(timeout, httpcore2.WriteTimeout)
            self._stream.write(data[start : start + WRITE_SIZE], left)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._exchange.left(timeout, httpcore2.ConnectTimeout)
        self._below_tls = True
        if self.get_extra_info("ssl_object") is None:
            stream = self._stream.start_tls(ssl_context, server_hostname, left)
        else:
            stream = _TlsInTls(self, ssl_context, server_hostname, left)
        return _Stream(stream, self._exchange)

    def close(self) -> None:
        self._stream.close()

    def __del__(self) -> None:
        self._stream.close()  # without a ResourceWarning: many clients are never closed

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _TlsInTls(httpcore2.NetworkStream):
    """TLS within TLS to a proxy. The library's own has no deadline, and loses buffered bytes."""

    def __init__(
        self,
        inner: httpcore2.NetworkStream,
        context: ssl.SSLContext,
        hostname: str | None,
        timeout: float | None,
    ) -> None:
        self._inner = inner
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)
        try:
            self._run(timeout, self._tls.do_handshake)
        except httpcore2.TimeoutException as failure:
            raise httpcore2.ConnectTimeout(str(failure)) from failure
        except (OSError, httpcore2.NetworkError) as failure:
            raise httpcore2.ConnectError(str(failure)) from failure

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        pieces: list[bytes] = []
        try:
            pieces.append(self._run(timeout, self._tls.read, max_bytes))
            while pieces[-1]:
                pieces.append(self._tls.read(max_bytes))
        except (ssl.SSLWantReadError, ssl.SSLEOFError):
            pass
        except OSError as failure:
            raise httpcore2.ReadError(str(failure)) from failure
        return b"".join(pieces)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._run(timeout, self._tls.write, buffer)

    def _run(self, timeout: float | None, operation: Callable[..., T], *arguments: Any) -> T:
        """Run an operation on what has been received, and receive more while it needs that."""
        while True:
            try:
                result = operation(*arguments)
            except ssl.SSLWantReadError:
                self._inner.write(self._outgoing.read(), timeout)
                if data := self._inner.read(LARGE_READ, timeout):
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._inner.write(self._outgoing.read(), timeout)
                return result

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._tls if info == "ssl_object" else self._inner.get_extra_info(info)
