"""Who may have a connection, and which are at hand; without I/O, locks or waiting."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, NamedTuple, TypeVar

import httpx2

C = TypeVar("C")
W = TypeVar("W")

PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Where a connection leads."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, request: httpx2.Request) -> Origin:
        """Where a request goes.

        Raises:
            httpx2.UnsupportedProtocol: Neither by http nor by https.
        """
        url = request.url
        if url.scheme not in PORTS or not url.host:
            raise httpx2.UnsupportedProtocol(f"not an http or https URL with a host: {url}")
        return cls(url.scheme, url.raw_host.decode("ascii"), url.port or PORTS[url.scheme])


class Places(Generic[W]):
    """A number of places, given in order of arrival.

    Attributes:
        taken: How many have a place.
    """

    def __init__(self, count: int | None) -> None:
        self.taken = 0
        self._count = count
        self._waiting: OrderedDict[W, None] = OrderedDict()

    def enter(self) -> bool:
        """Take a place, if there is a free one."""
        if self._count is not None and self.taken >= self._count:
            return False
        self.taken += 1
        return True

    def wait(self, waiter: W) -> None:
        """Stand in line for a place."""
        self._waiting[waiter] = None

    def give_up(self, waiter: W) -> bool:
        """Leave the line; False if no longer in it."""
        if waiter not in self._waiting:
            return False
        del self._waiting[waiter]
        return True

    def leave(self) -> W | None:
        """Free a place; it passes to the first in line, who is returned and must be told."""
        if self._waiting:
            return self._waiting.popitem(last=False)[0]
        self.taken -= 1
        return None


class Idle(Generic[C]):
    """Connections that wait for their next request, the oldest first."""

    def __init__(self, expiry: float | None) -> None:
        self._expiry = expiry
        self._lines: list[tuple[Origin, C, float]] = []

    def __len__(self) -> int:
        return len(self._lines)

    def put(self, origin: Origin, connection: C, now: float) -> None:
        """Keep a connection that has just been used."""
        self._lines.append((origin, connection, now))

    def take(self, origin: Origin) -> C | None:
        """The connection to there that was used last: the likeliest to be still open."""
        for place in range(len(self._lines) - 1, -1, -1):
            if self._lines[place][0] == origin:
                return self._lines.pop(place)[1]
        return None

    def expired(self, now: float) -> list[C]:
        """Take out those that have been idle for too long."""
        lines, expiry = self._lines, self._expiry
        if expiry is None or not lines or now - lines[0][2] < expiry:
            return []
        old = [connection for _, connection, since in lines if now - since >= expiry]
        del lines[: len(old)]
        return old

    def beyond(self, count: int) -> list[C]:
        """Take out the oldest, so that no more than `count` stay."""
        excess = max(0, len(self._lines) - max(0, count))
        old = [connection for _, connection, _ in self._lines[:excess]]
        del self._lines[:excess]
        return old

    def drop(self, connection: C) -> None:
        """Take out this one, if it is here."""
        self._lines = [line for line in self._lines if line[1] is not connection]
