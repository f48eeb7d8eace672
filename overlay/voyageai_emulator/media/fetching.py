"""Files from the hosts that are allowed, and from no others.

No proxy, no cookies, no credentials, no cache; http and https only. Where a host sends us on, the
next address is checked as the first was.
"""

from __future__ import annotations

import io
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from .medium import UnreadableError, check_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from socket import socket

    from _typeshed import WriteableBuffer

__all__ = ["Fetcher"]

SCHEMES = {"http": (HTTPConnection, 80), "https": (HTTPSConnection, 443)}
REDIRECTS = 3
"""Redirects that are followed."""
REDIRECTING = frozenset({301, 302, 303, 307, 308})
HEADERS = {"accept": "*/*", "user-agent": "voyageai-emulator"}
UNTOUCHED = "%/:?@!$&'()*+,;=~[]"
"""Characters of a URL's path and query that are sent as they are, besides letters and digits."""
CHUNK = 65_536
"""Most bytes read at once."""
MOST = 20_000_000
"""Bytes of a file for a model whose own limit is not known: that of the others."""


class _Address(NamedTuple):
    scheme: str
    host: str
    port: int
    target: str
    """Path and query."""

    @property
    def place(self) -> str:
        """What has to be allowed."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == SCHEMES[self.scheme][1] else f"{host}:{self.port}"


class Fetcher:
    """Fetches files.

    Args:
        allow_hosts: Hosts, or ``host:port``.
        timeout: Seconds that a file may take, from the first connection to the last byte.
        monotonic: Tells the time in seconds.

    Raises:
        ValueError: One of the hosts is not a host.
    """

    def __init__(
        self, allow_hosts: Iterable[str], timeout: float, monotonic: Callable[[], float]
    ) -> None:
        if isinstance(allow_hosts, str):
            raise ValueError(f"allow_hosts must be a list of hosts, such as [{allow_hosts!r}]")
        self._allowed = frozenset(_allowed(host) for host in allow_hosts)
        self._timeout = timeout
        self._monotonic = monotonic

    def fetch(self, url: str, most: int | None) -> bytes:
        """Fetch a file.

        Args:
            url: Where it is.
            most: The most bytes to take.

        Raises:
            UnreadableError: It is not allowed, not there, too large or too slow.
        """
        deadline = self._monotonic() + self._timeout

        def left() -> float:
            seconds = deadline - self._monotonic()
            if seconds <= 0:
                raise TimeoutError(f"it took more than {self._timeout:g} seconds")
            return seconds

        for _ in range(1 + REDIRECTS):
            address = _parse(url)
            self._check(address)
            try:
                found = _ask(address, MOST if most is None else most, left)
            except (OSError, HTTPException) as error:
                reason = str(error) or type(error).__name__
                raise UnreadableError(
                    f"{address.place} cannot be fetched from: {reason}"
                ) from error
            if isinstance(found, bytes):
                return found
            url = _joined(url, found)
        raise UnreadableError(f"the URL redirects more than {REDIRECTS} times")

    def _check(self, address: _Address) -> None:
        anywhere = (address.host, None)
        if (address.host, address.port) not in self._allowed and (
            anywhere not in self._allowed or address.port != SCHEMES[address.scheme][1]
        ):
            raise UnreadableError(
                f"the emulator was not allowed to fetch from {address.place}: start it with "
                f"allow_hosts=[{address.place!r}] or --allow-host {address.place}, or send the "
                "file as base64"
            )


class _Timed(io.RawIOBase):
    """Reads from a socket, for no longer than there is left.

    A socket's own timeout begins anew with each byte that comes, and a head has many.
    """

    def __init__(self, sock: socket, left: Callable[[], float]) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._left = left

    def makefile(self, _: str) -> io.BufferedReader:
        """All that a response asks of its socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(self._left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _ask(address: _Address, most: int, left: Callable[[], float]) -> bytes | str:
    """The file, or the URL of where it is."""
    connect, _ = SCHEMES[address.scheme]
    with closing(connect(address.host, address.port, timeout=left())) as connection:
        connection.request("GET", address.target, headers=HEADERS)
        timed = _Timed(connection.sock, left)
        with HTTPResponse(timed, method="GET") as response:  # type: ignore[arg-type]  # as it reads
            response.begin()
            location: str | None = response.getheader("location")
            if response.status in REDIRECTING and location:
                return location
            if response.status != HTTPStatus.OK:
                raise UnreadableError(f"{address.place} answered {response.status}")
            return _download(response, address.place, most)


def _download(response: HTTPResponse, place: str, most: int) -> bytes:
    size = response.length
    if size is None:
        raise UnreadableError(f"the answer of {place} has no Content-Length")
    check_bytes(size, most)
    data = bytearray()
    while len(data) < size:
        piece = response.read1(CHUNK)
        data += piece
        if not piece:
            raise UnreadableError(f"{place} sent {len(data)} of {size} bytes")
    return bytes(data)


def _allowed(host: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{host}")
        name, port = _ascii(parts.hostname), parts.port
    except ValueError as error:
        raise ValueError(f"allow_hosts: {host!r} is not a host or host:port: {error}") from error
    if not name or parts.netloc != host or "@" in host:
        raise ValueError(f"allow_hosts: {host!r} is not a host or host:port, such as example.com")
    return name, port


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError as error:
        raise UnreadableError(f"the URL redirects to one that is not valid: {error}") from error


def _parse(url: str) -> _Address:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, _ascii(parts.hostname), parts.port
        path = parts.path or "/"
        target = quote(f"{path}?{parts.query}" if parts.query else path, safe=UNTOUCHED)
    except ValueError as error:
        raise UnreadableError(f"the URL is not valid: {error}") from error
    if scheme not in SCHEMES or not host:
        raise UnreadableError("a URL must begin with http:// or https:// and name a host")
    return _Address(scheme, host, SCHEMES[scheme][1] if port is None else port, target)


def _ascii(host: str | None) -> str:
    """A host as the network knows it, which may be written in any script."""
    return (host or "").encode("idna").decode("ascii")
