"""The network backend for threads: the library's own sockets, with a deadline.

Code shared with the backend for asyncio is here too: addresses, socket options, stale connections.
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

# Family, type, protocol, and the address in the form of its family.
Address = tuple[int, int, int, Any]

LARGE_READ = 128 * 1024
"""Bytes per read once a response has turned out to be large; the library's default is 64 KiB."""
WRITE_SIZE = 16 * 1024
"""Bytes of a body per write."""

# Keeps routers from dropping a connection that waits for minutes for its response.
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
    """Make a transport open its connections through a backend.

    A pool of `httpcore2` takes a backend as an argument, but HTTPX2's transports make their pools
    themselves.
    """
    transport._pool._network_backend = backend  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


def has_unread_bytes(transport: httpx2.HTTPTransport | httpx2.AsyncHTTPTransport) -> bool:
    """Return whether a used connection holds bytes beyond its response.

    The library would read them as the beginning of the next response: another request's vectors.
    """
    inner: Any = next(iter(transport._pool.connections), None)  # pyright: ignore[reportPrivateUsage]
    while inner is not None and not hasattr(inner, "_h11_state"):
        inner = getattr(
            inner, "_connection", None
        )  # a connection through a proxy wraps another one
    return inner is not None and inner._h11_state.trailing_data[0] != b""


def numeric_addresses(host: str, port: int) -> list[Address]:
    """Return the address of a numeric host without a lookup, which would take a thread."""
    try:
        numeric = socket.AI_NUMERICHOST
        return interleave(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=numeric))
    except (OSError, UnicodeError):
        return []


def interleave(found: Iterable[tuple[Any, ...]]) -> list[Address]:
    """Return addresses with alternating families, so that a broken family costs one attempt."""
    every = [(family, kind, protocol, where) for family, kind, protocol, _, where in found]
    same = [address for address in every if address[0] == every[0][0]]
    others = [address for address in every if address[0] != every[0][0]]
    return [address for address in chain(*zip_longest(same, others)) if address is not None]


class Exchange:
    """The request in flight on a slot, shared by the pool and the streams below it.

    Args:
        clock: A monotonic clock, in seconds.

    Attributes:
        deadline: Time by which the exchange must end, by the clock; None for none. Only blocking
            streams use it.
        unanswered: True if the connection was reused and nothing has been read from it since. A
            failure then may mean that the server had closed it while it was idle.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.deadline: float | None = None
        self.unanswered = False

    def left(self, timeout: float | None, expired: type[Exception]) -> float | None:
        """Return the timeout of a step that begins now: its own, or less if the deadline is closer.

        Raises:
            Exception: The deadline has passed; of the type `expired`.
        """
        if self.deadline is None:
            return timeout
        left = self.deadline - self.clock()
        if left <= 0:
            raise expired("the time for this attempt has run out")
        return left if timeout is None else min(timeout, left)


class Backend(httpcore2.NetworkBackend):
    """The library's own backend, with a deadline."""

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
        """Connect to the first address of a host that answers; each gets an equal share of the
        time.

        Raises:
            httpcore2.ConnectError: No address answers, or the host has none.
            httpcore2.ConnectTimeout: No address answers in time.
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
    """Look up the addresses of a host in a thread, as a lookup can't be stopped otherwise."""
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
    """A stream of the library's own, with a deadline."""

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
            self._head = buffer  # sent with the body that follows: one write, not two
            return
        data, self._head = self._head + buffer, b""
        for start in range(0, len(data), WRITE_SIZE):  # the timeout is for each write
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
        self._stream.close()  # avoids a ResourceWarning: many clients are never closed

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _TlsInTls(httpcore2.NetworkStream):
    """TLS within TLS to a proxy. The library's own has no deadline and loses buffered bytes."""

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
        """Run a TLS operation on the received bytes, and receive more as long as it needs them."""
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
