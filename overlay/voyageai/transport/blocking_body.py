"""The body of an answer, read from its connection when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from .blocking_connection import Connection
    from .blocking_pool import Pool
    from .incoming import Reply
    from .timeouts import Timeouts


class Body(httpx2.SyncByteStream):
    """The body of an answer that is streamed. It holds its connection until it is closed.

    Args:
        reply: The answer so far.
        connection: Where the rest will come from.
        timeouts: How long to wait for each piece.
        pool: Where the connection belongs.
        turn: The right to have a connection, held until then.
    """

    def __init__(
        self,
        reply: Reply,
        connection: Connection,
        timeouts: Timeouts,
        pool: Pool,
        turn: ExitStack,
    ) -> None:
        self._reply = reply
        self._connection = connection
        self._timeouts = timeouts
        self._pool = pool
        self._turn = turn
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        reply = self._reply
        while reply.waiting or not reply.done:
            if reply.waiting:
                yield reply.take()
            else:
                self._connection.read(reply, self._timeouts)

    def close(self) -> None:
        """Give the connection back; one that was left half-read is closed."""
        if self._closed:
            return
        self._closed = True
        with self._turn:
            reusable = self._reply.done and self._reply.reusable
            self._pool.give_back(self._connection, reusable=reusable)
