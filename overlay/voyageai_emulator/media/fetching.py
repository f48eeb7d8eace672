"""Read the files of images and videos: from URLs of allowed hosts, or from base64 in the request.

Downloads use only http and https, and no proxy, cookies, credentials or cache. Each redirect is
checked like the first URL.
"""

from __future__ import annotations

import binascii
import io
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from .limits import UnreadableError, check_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from socket import socket

    from _typeshed import WriteableBuffer

__all__ = ["Fetcher", "decode_base64"]

SCHEMES = {"http": (HTTPConnection, 80), "https": (HTTPSConnection, 443)}
MAX_REDIRECTS = 3
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
HEADERS = {"accept": "*/*", "user-agent": "voyageai-emulator"}
SAFE = "%/:?@!$&'()*+,;=~[]"
"""Characters of a URL's path and query that are not percent-encoded, besides letters and digits."""
READ_SIZE = 65_536
"""Maximum of bytes read at once."""
DEFAULT_MAX_BYTES = 20_000_000
"""Maximum of bytes of a file if the model's own limit is not known: that of the other models."""
DATA_SCHEME = "data:"
DATA_BASE64 = ";base64"


class _Address(NamedTuple):
    scheme: str
    host: str
    port: int
    target: str
    """Path and query."""

    @property
    def origin(self) -> str:
        """The host, with its port unless that is the default: as in `allow_hosts`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == SCHEMES[self.scheme][1] else f"{host}:{self.port}"


class Fetcher:
    """Downloads files from allowed hosts.

    Args:
        allow_hosts: Hosts, or ``host:port``.
        timeout: Seconds that a download may take, from the first connection to the last byte.
        monotonic: Monotonic clock, in seconds.

    Raises:
        ValueError: `allow_hosts` is a string, or has an item that is not a host or ``host:port``.
    """

    def __init__(
        self, allow_hosts: Iterable[str], timeout: float, monotonic: Callable[[], float]
    ) -> None:
        if isinstance(allow_hosts, str):
            raise ValueError(f"allow_hosts must be a list of hosts, such as [{allow_hosts!r}]")
        self._allowed = frozenset(_parse_host(host) for host in allow_hosts)
        self._timeout = timeout
        self._monotonic = monotonic

    def fetch(self, url: str, limit: int | None) -> bytes:
        """Download a file.

        Args:
            url: URL of the file.
            limit: Maximum of bytes; None for the default.

        Raises:
            UnreadableError: The host is not allowed, the file is missing or too large, or the
                download takes too long.
        """
        deadline = self._monotonic() + self._timeout
        max_bytes = DEFAULT_MAX_BYTES if limit is None else limit

        def remaining() -> float:
            seconds = deadline - self._monotonic()
            if seconds <= 0:
                raise TimeoutError(f"it took more than {self._timeout:g} seconds")
            return seconds

        for _ in range(1 + MAX_REDIRECTS):
            address = _parse(url)
            self._check(address)
            try:
                found = _get(address, max_bytes, remaining)
            except (OSError, HTTPException) as error:
                reason = str(error) or type(error).__name__
                raise UnreadableError(f"cannot fetch from {address.origin}: {reason}") from error
            if isinstance(found, bytes):
                return found
            url = _join(url, found)
        raise UnreadableError(f"the URL redirects more than {MAX_REDIRECTS} times")

    def _check(self, address: _Address) -> None:
        default_port = address.port == SCHEMES[address.scheme][1]
        if (address.host, address.port) not in self._allowed and (
            (address.host, None) not in self._allowed or not default_port
        ):
            raise UnreadableError(
                f"the emulator is not allowed to fetch from {address.origin}: start it with "
                f"allow_hosts=[{address.origin!r}] or --allow-host {address.origin}, or send the "
                "file as base64"
            )


def decode_base64(value: str, limit: int | None) -> bytes:
    """Decode a data URL, or base64 without a prefix. The media type of the URL is ignored.

    >>> decode_base64("data:image/png;base64,iVBORw0KGgo=", 1000)[1:4]
    b'PNG'

    Args:
        value: The data URL, or base64.
        limit: Maximum of bytes of the file; None for no limit.

    Raises:
        UnreadableError: `value` is not valid base64, or the file is too large.
    """
    content = value
    if value[: len(DATA_SCHEME)].lower() == DATA_SCHEME:
        head, comma, content = value.partition(",")
        if not comma or not head.lower().endswith(DATA_BASE64):
            raise UnreadableError("a data URL must be of the form data:[<mediatype>];base64,<data>")
    check_bytes(len(content) // 4 * 3 - content.endswith("=") - content.endswith("=="), limit)
    try:
        # By default, other characters and data after the padding would be ignored.
        return binascii.a2b_base64(content, strict_mode=True)
    except ValueError as error:  # also raised for non-ASCII characters
        raise UnreadableError(f"the data is not valid base64: {error}") from error


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a deadline.

    A socket's own timeout restarts with each read, so a slow response could take forever.
    """

    def __init__(self, sock: socket, remaining: Callable[[], float]) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._remaining = remaining

    def makefile(self, _: str) -> io.BufferedReader:
        """Return a buffered reader; `HTTPResponse` calls no other method of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(self._remaining())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _get(address: _Address, max_bytes: int, remaining: Callable[[], float]) -> bytes | str:
    """Return the content of the file, or the location of a redirect."""
    connect, _ = SCHEMES[address.scheme]
    with closing(connect(address.host, address.port, timeout=remaining())) as connection:
        connection.request("GET", address.target, headers=HEADERS)
        timed = _TimedReader(connection.sock, remaining)
        with HTTPResponse(timed, method="GET") as response:  # type: ignore[arg-type]  # it only calls makefile
            response.begin()
            location: str | None = response.getheader("location")
            if response.status in REDIRECT_STATUSES and location:
                return location
            if response.status != HTTPStatus.OK:
                raise UnreadableError(f"{address.origin} answered {response.status}")
            return _download(response, address.origin, max_bytes)


def _download(response: HTTPResponse, origin: str, max_bytes: int) -> bytes:
    size = response.length
    if size is None:
        raise UnreadableError(f"the answer of {origin} has no Content-Length")
    check_bytes(size, max_bytes)
    data = bytearray()
    while len(data) < size:
        piece = response.read1(READ_SIZE)
        data += piece
        if not piece:
            raise UnreadableError(f"{origin} sent {len(data)} of {size} bytes")
    return bytes(data)


def _parse_host(host: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{host}")
        name, port = _ascii(parts.hostname), parts.port
    except ValueError as error:
        raise ValueError(f"allow_hosts: {host!r} is not a host or host:port: {error}") from error
    if not name or parts.netloc != host or "@" in host:
        raise ValueError(f"allow_hosts: {host!r} is not a host or host:port, such as example.com")
    return name, port


def _join(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError as error:
        raise UnreadableError(f"the URL redirects to one that is not valid: {error}") from error


def _parse(url: str) -> _Address:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, _ascii(parts.hostname), parts.port
        path = parts.path or "/"
        target = quote(f"{path}?{parts.query}" if parts.query else path, safe=SAFE)
    except ValueError as error:
        raise UnreadableError(f"the URL is not valid: {error}") from error
    if scheme not in SCHEMES or not host:
        raise UnreadableError("a URL must begin with http:// or https:// and name a host")
    return _Address(scheme, host, SCHEMES[scheme][1] if port is None else port, target)


def _ascii(host: str | None) -> str:
    """Encode an internationalized host name as ASCII."""
    return (host or "").encode("idna").decode("ascii")
