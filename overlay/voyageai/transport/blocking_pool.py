"""The blocking connections of one process, shared between its threads."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .pool import Idle, Origin, Places
from .timeouts import Timeouts, expired

if TYPE_CHECKING:
    from .blocking_connection import Connection


class Pool:
    """The connections of one process."""

    def __init__(self, most: int | None, max_idle: int | None, expiry: float | None) -> None:
        self.process = os.getpid()
        self._lock = threading.Lock()
        self._places: Places[threading.Event] = Places(most)
        self._idle: Idle[Connection] = Idle(expiry)
        self._busy: set[Connection] = set()
        self._most = most
        self._max_idle = max_idle
        self._closed = False

    @contextmanager
    def turn(self, timeouts: Timeouts) -> Generator[None]:
        """Wait for the right to have a connection, and hold it."""
        event: threading.Event | None = None
        with self._lock:
            if not self._places.enter():
                event = threading.Event()
                self._places.wait(event)
        if event is not None:
            self._wait(event, timeouts)
        try:
            yield
        finally:
            self._leave()

    def _wait(self, event: threading.Event, timeouts: Timeouts) -> None:
        try:
            in_time = event.wait(timeouts.left("pool"))
        except BaseException:
            if not self._withdraw(event):
                self._leave()
            raise
        if not in_time and self._withdraw(event):
            raise expired("pool")

    def _withdraw(self, event: threading.Event) -> bool:
        with self._lock:
            return self._places.give_up(event)

    def _leave(self) -> None:
        with self._lock:
            following = self._places.leave()
        if following is not None:
            following.set()

    def take(self, origin: Origin) -> Connection | None:
        """An idle connection that is still open."""
        with self._lock:
            old = self._idle.expired(time.monotonic())
            found = self._idle.take(origin)
        while found is not None and not found.usable:
            old.append(found)
            with self._lock:
                found = self._idle.take(origin)
        _close(old)
        return found

    def make_room(self) -> None:
        """Close idle connections to elsewhere, where one more would be too many."""
        if self._most is None:
            return
        with self._lock:
            old = self._idle.beyond(self._most - self._places.taken)
        _close(old)

    def opened(self, connection: Connection) -> None:
        """Count a connection as in use."""
        with self._lock:
            self._busy.add(connection)

    def give_back(self, connection: Connection, *, reusable: bool) -> None:
        """Keep a connection for later, or close it."""
        old: list[Connection] = []
        with self._lock:
            self._busy.discard(connection)
            if reusable and not self._closed:
                self._idle.put(connection.origin, connection, time.monotonic())
                if self._max_idle is not None:
                    old = self._idle.beyond(self._max_idle)
            else:
                old.append(connection)
        _close(old)

    def close(self) -> None:
        """Close what is idle, and from now on what comes back."""
        with self._lock:
            self._closed = True
            old = self._idle.beyond(0)
        _close(old)

    def __del__(self) -> None:
        # Many clients are never closed; the interpreter would complain of each connection.
        _close(self._idle.beyond(0))

    def abandon(self) -> None:
        """Let go of another process's connections, which goes on using them.

        Only this process's file numbers are closed; nothing is said to the server. The lock is left
        alone, as whoever held it may not exist here.
        """
        _close([*self._idle.beyond(0), *self._busy])

    @property
    def open_connections(self) -> int:
        """How many are in use or idle."""
        with self._lock:
            return len(self._busy) + len(self._idle)

    @property
    def idle_connections(self) -> int:
        """How many are idle."""
        with self._lock:
            return len(self._idle)


def _close(connections: Iterable[Connection]) -> None:
    for connection in connections:
        connection.close()
