"""The body of an answer, read from its connection when it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from .looping_connection import Connection
    from .timeouts import Timeouts


class Body(httpx2.AsyncByteStream):
    """The body of an answer that is streamed. It holds its connection until it is closed.

    Args:
        connection: Where the rest will come from.
        timeouts: How long to wait for each piece.
        finished: Takes the connection back; one that was left half-read is closed.
    """

    def __init__(
        self,
        connection: Connection,
        timeouts: Timeouts,
        finished: Callable[[Connection], None],
    ) -> None:
        self._connection = connection
        self._timeouts = timeouts
        self._finished = finished
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self._connection.take(self._timeouts):
            yield data

    async def aclose(self) -> None:
        """Give the connection back."""
        if not self._closed:
            self._closed = True
            self._finished(self._connection)
