"""The wire for code that waits: slots that threads share, over the library's own sockets."""

from __future__ import annotations

import os
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

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
from .slots import NO_SLOT, ONE, Body, Idle, Slot, left_open, resend, translated

if TYPE_CHECKING:
    from ..environment import Wire


PIECE = 16 * 1024
"""Bytes of a body that are sent at once."""


T = TypeVar("T")


class Deadline:
    """When all that a slot does must be over.

    Attributes:
        at: That time by the clock, set before a request; None for never.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.at: float | None = None
        self.clock = clock

    def left(self, timeout: float | None, expired: type[Exception]) -> float | None:
        """Seconds for a step that begins now, of those that it may take by itself.

        Raises:
            Exception: None are left; of the given kind.
        """
        if self.at is None:
            return timeout
        left = self.at - self.clock()
        if left <= 0:
            raise expired("the time for this attempt is over")
        return left if timeout is None else min(timeout, left)


class Backend(httpcore2.NetworkBackend):
    """The library's own backend, within a deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
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
        clock, left = self._deadline.clock, self._deadline.left(timeout, httpcore2.ConnectTimeout)
        end = None if left is None else clock() + left
        options = [*SOCKET_OPTIONS, *(socket_options or ())]
        found = literal(host, port) or _resolve(host, port, left)
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for place, (_, _, _, (name, number, *_)) in enumerate(found):
            share = None if end is None else max(0.001, end - clock()) / (len(found) - place)
            try:
                stream = self._library.connect_tcp(name, number, share, local_address, options)
                return _Stream(stream, self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as refused:
                failure = refused
        raise failure


def _resolve(host: str, port: int, timeout: float | None) -> list[Address]:
    """The addresses of a host, looked up in a thread, as nothing else can be stopped in time."""
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as failure:  # noqa: BLE001  # whatever it is, somebody waits for it
            answers.put(failure)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        found = answers.get(timeout=timeout)
    except queue.Empty:
        raise httpcore2.ConnectTimeout(f"the address of {host} was not found in time") from None
    if isinstance(found, Exception):
        raise httpcore2.ConnectError(str(found)) from found
    return in_turn(found)


class _Stream(httpcore2.NetworkStream):
    """A stream of the library's own, within a deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline
        self._full = False
        self._owner = True
        self._reuse = Reuse()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._deadline.left(timeout, httpcore2.ReadTimeout)
        size = READ_MORE if self._full else max_bytes
        try:
            data = self._stream.read(size, left)
        except httpcore2.ReadError as failure:
            raise self._reuse.broken(failure.__cause__) from failure.__cause__
        self._full = len(data) == size
        return self._reuse.received(data)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._reuse.sending()
        for start in range(0, len(buffer), PIECE):  # each has its time from the library
            left = self._deadline.left(timeout, httpcore2.WriteTimeout)
            self._stream.write(buffer[start : start + PIECE], left)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout, httpcore2.ConnectTimeout)
        self._owner = False  # of the socket, which is the new stream's
        if self.get_extra_info("ssl_object") is not None:
            inner = _Stream(self._stream, self._deadline)
            return _Stream(_TlsInTls(inner, ssl_context, server_hostname, left), self._deadline)
        stream = self._stream.start_tls(ssl_context, server_hostname, left)
        return _Stream(stream, self._deadline)

    def close(self) -> None:
        self._stream.close()

    def __del__(self) -> None:
        if self._owner:  # without a complaint: many clients are never closed
            self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _TlsInTls(httpcore2.NetworkStream):
    """TLS within TLS to a proxy. The library's own knows no deadline, and keeps bytes unseen."""

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
            self._do(timeout, self._tls.do_handshake)
        except httpcore2.TimeoutException as failure:
            raise httpcore2.ConnectTimeout(str(failure)) from failure
        except (OSError, httpcore2.NetworkError) as failure:
            raise httpcore2.ConnectError(str(failure)) from failure

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        pieces: list[bytes] = []
        try:
            pieces.append(self._do(timeout, self._tls.read, max_bytes))
            while pieces[-1]:
                pieces.append(self._tls.read(max_bytes))
        except (ssl.SSLWantReadError, ssl.SSLEOFError):
            pass
        except OSError as failure:
            raise httpcore2.ReadError(str(failure)) from failure
        return b"".join(pieces)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._do(timeout, self._tls.write, buffer)

    def _do(self, timeout: float | None, operation: Callable[..., T], *arguments: Any) -> T:
        while True:
            try:
                result = operation(*arguments)
            except ssl.SSLWantReadError:
                self._inner.write(self._outgoing.read(), timeout)
                if data := self._inner.read(READ_MORE, timeout):
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


class Slots(httpx2.BaseTransport):
    """A transport for any number of calls at once, safe to share between threads.

    A request's extensions may hold, beside HTTPX2's own, `deadline` (when, by the clock, all must
    be over), `repeatable` (whether it may be sent again if the server closed its connection while
    that was idle; it may by default), `streamed` (whether the body of a success is left to be
    read) and `body_deadline` (the deadline for that).

    Args:
        wire: How to reach hosts.
        clock: Seconds that only go forwards.
    """

    def __init__(self, wire: Wire, clock: Callable[[], float]) -> None:
        self._wire = wire
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        most = self._wire.limits.max_connections
        self._idle: Idle[httpx2.HTTPTransport] = Idle(self._wire.limits)
        # Unlike a semaphore's, a queue's permits can be given back by the garbage collector.
        self._free: queue.SimpleQueue[None] | None = None
        if most is not None:
            self._free = queue.SimpleQueue()
            for _ in range(most):
                self._free.put(None)
        self._process = os.getpid()  # last: from here on other threads go by it

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            httpx2.TransportError: There is no answer.
        """
        if self._process != os.getpid():  # after a fork: connections and locks are the parent's
            self._begin()
        idle, free = self._idle, self._free
        self._wait(free, request)
        slot: _Slot | None = None

        def release(broken: bool) -> None:
            try:
                if slot is not None:
                    slot.broken = broken or spoilt(slot.transport)
                    _close(idle.put(slot, self._clock()))
            finally:
                if free is not None:
                    free.put(None)

        try:
            slot, closing = idle.take(request.url, self._clock())  # type: ignore[assignment]
            _close(closing)
            if slot is None:
                slot = _Slot(request.url, self._wire, self._clock)
                _close(idle.opened(slot))
            with translated():
                response = slot.send(request)
        except BaseException:
            release(True)
            raise
        response.stream = Body(response.stream, release)
        return response

    def _wait(self, free: queue.SimpleQueue[None] | None, request: httpx2.Request) -> None:
        if free is None:
            return
        deadline = Deadline(self._clock)
        deadline.at = request.extensions.get("deadline")
        seconds = request.extensions.get("timeout", {}).get("pool")
        try:
            free.get(timeout=deadline.left(seconds, httpx2.PoolTimeout))
        except queue.Empty:
            raise httpx2.PoolTimeout(NO_SLOT, request=request) from None

    def close(self) -> None:
        """Close the idle connections now, and those in use when they come back."""
        _close(self._idle.close())


class _Slot(Slot[httpx2.HTTPTransport]):
    def __init__(self, url: httpx2.URL, wire: Wire, clock: Callable[[], float]) -> None:
        super().__init__(url, httpx2.HTTPTransport(**wire.arguments(url), limits=ONE))
        self._deadline = Deadline(clock)
        use(Backend(self._deadline), self.transport)

    def send(self, request: httpx2.Request) -> httpx2.Response:
        self._deadline.at = request.extensions.get("deadline")
        try:
            response = self.transport.handle_request(request)
        except httpx2.RemoteProtocolError as failure:
            if not resend(request, failure):
                raise
            response = self.transport.handle_request(request)
        if left_open(request, response):
            self._deadline.at = request.extensions.get("body_deadline")
        return response


def _close(slots: list[Slot[httpx2.HTTPTransport]]) -> None:
    for slot in slots:
        slot.transport.close()
