"""Bodies with files, read as they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import httpx2


class Upload(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that is read piece by piece as it is sent; for an event loop, in threads.

    Args:
        body: Gives the pieces, anew each time it is iterated over.
        length: Bytes of them all; None if nobody knows.
        on_sent: Called after each piece, on the thread or the event loop that sends it.
        rewinds: Whether the body can be read again from its beginning.

    Attributes:
        handed_over: Whether all of it was sent, as far as one can tell: if not, the server can't
            have acted on it.
    """

    def __init__(
        self,
        body: httpx2.SyncByteStream,
        length: int | None,
        on_sent: Callable[[], object] | None = None,
        *,
        rewinds: bool,
    ) -> None:
        self._body = body
        self._length = length
        self._on_sent = on_sent
        self._rewinds = rewinds
        self.handed_over = False

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent again, and has no effect so far."""
        return self._rewinds and not self.handed_over

    def _pieces(self) -> Iterator[bytes]:
        sent = 0
        self.handed_over = self._length is None
        for piece in self._body:
            sent += len(piece)
            self.handed_over = self._length is None or sent >= self._length
            yield piece

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces():
            yield piece
            self._tell()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        from anyio import to_thread

        pieces = self._pieces()
        while (piece := await to_thread.run_sync(next, pieces, None)) is not None:
            yield piece
            self._tell()

    def _tell(self) -> None:
        if self._on_sent is not None:
            self._on_sent()
