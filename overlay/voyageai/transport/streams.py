"""Bodies of answers: read whole within their bounds, or piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING

import httpx2
from voyageai_rest.errors import REQUEST_ID, ShapeError

from ..bounds import ERROR_SIZE
from . import failures

if TYPE_CHECKING:
    from typing import Any

    from ..bounds import Bounds
    from ..error import VoyageError


class _Excess(Exception):
    """There are more bytes than a body can have."""


class _Coded(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A compressed body as it comes, of which there may be no more than of the body itself.

    What is not seen of it otherwise is what adds nothing to the body: empty blocks, and whatever
    follows its end.
    """

    def __init__(self, stream: Any, size: int) -> None:
        self._stream = stream
        self._size = size

    def _counted(self, piece: bytes) -> bytes:
        self._size -= len(piece)
        if self._size < 0:
            raise _Excess
        return piece

    def __iter__(self) -> Iterator[bytes]:
        return map(self._counted, self._stream)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield self._counted(piece)

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Whole:
    """A body that is put together. It is never longer than it may be, nor are its pieces large.

    Of a success that is too long nothing is kept, and the answer's extension `too_long` says how
    long it may be. Of an error that is too long the beginning is kept.
    """

    def __init__(self, response: httpx2.Response, clock: Callable[[], float]) -> None:
        extensions = response.request.extensions
        bounds: Bounds = extensions["bounds"]
        self._response = response
        self._clock = clock
        self._deadline: float | None = extensions.get("deadline")
        self._size = bounds.size if response.is_success else ERROR_SIZE
        self._left = self._size
        self._pieces: list[bytes] = []
        if "content-encoding" in response.headers and not response.is_stream_consumed:
            response.stream = _Coded(response.stream, self._size)

    def take(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            _Excess: It is too much.
            httpx2.ReadTimeout: It comes too late.
        """
        self._pieces.append(piece)
        self._left -= len(piece)
        if self._left < 0:
            raise _Excess
        if self._deadline is not None and self._clock() >= self._deadline:
            raise httpx2.ReadTimeout("the time for this attempt is over")

    def cut(self) -> None:
        """Take note that there was too much."""
        if self._response.is_success:
            self._response.extensions["too_long"] = self._size
            self._pieces.clear()

    def done(self) -> None:
        """Give the answer its body."""
        # A private name of HTTPX2's, without which a body would be read whatever its length.
        body = b"".join(self._pieces)[: self._size]
        self._response._content = body  # pyright: ignore[reportPrivateUsage]


def read(response: httpx2.Response, clock: Callable[[], float]) -> None:
    """Read the body of an answer whole, but no more than it may have, and close it.

    Args:
        response: The answer. Of its request's extensions, `bounds` says how long the body may be,
            and `deadline` when, by the clock, it must be there.
        clock: Seconds that only go forwards.

    Raises:
        httpx2.RequestError: There is no more of it, or not in time, or it can't be decompressed.
    """
    body = _Whole(response, clock)
    try:
        for piece in response.iter_bytes():
            body.take(piece)
    except _Excess:
        body.cut()
    finally:
        response.close()
    body.done()


async def aread(response: httpx2.Response, clock: Callable[[], float]) -> None:
    """The same, without blocking."""
    body = _Whole(response, clock)
    try:
        async for piece in response.aiter_bytes():
            body.take(piece)
    except _Excess:
        body.cut()
    finally:
        await response.aclose()
    body.done()


def check(response: httpx2.Response) -> None:
    """Refuse a success that is too long, or would take too long to parse.

    Raises:
        ShapeError: It is, or would.
    """
    too_long = response.extensions.get("too_long")
    if too_long is not None:
        raise ShapeError(
            f"more than {too_long:,} bytes, the most that a right answer to this request has; "
            "Client(max_response_bytes=...) sets another limit"
        )
    bounds: Bounds = response.request.extensions["bounds"]
    bounds.check(response.content)


class Stream:
    """An answer whose body is read piece by piece, decompressed. It must be closed.

    Blocking clients use `pieces` and `close`, asynchronous ones `apieces` and `aclose`.

    Args:
        response: The answer, open. Its request's extension `body_deadline` is when, by the clock,
            all of the body must be there.
        clock: Seconds that only go forwards.
    """

    def __init__(self, response: httpx2.Response, clock: Callable[[], float]) -> None:
        self._response = response
        self._clock = clock
        self._deadline: float | None = response.request.extensions.get("body_deadline")

    @property
    def status_code(self) -> int:
        """HTTP status."""
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers, whatever the case of their names."""
        return self._response.headers

    @property
    def content(self) -> bytes:
        """The body, of an answer that was read whole."""
        return self._response.content

    def pieces(self) -> Generator[bytes]:
        """The body as it arrives.

        Raises:
            VoyageError: There is no more of it, or not in time.
        """
        try:
            yield from self._response.iter_bytes()
        except httpx2.RequestError as failure:
            raise self._broken(failure) from failures.without_frames(failure)

    async def apieces(self) -> AsyncGenerator[bytes]:
        """The same, without blocking."""
        import anyio  # a blocking client has no use for it

        body = self._response.aiter_bytes()
        try:
            while True:
                with anyio.fail_after(self._left()):
                    piece = await anext(body, None)
                if piece is None:
                    return
                yield piece
        except TimeoutError:
            raise self._broken(httpx2.ReadTimeout("no more of the body in time")) from None
        except httpx2.RequestError as failure:
            raise self._broken(failure) from failures.without_frames(failure)

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()

    async def aclose(self) -> None:
        """The same, without blocking."""
        await self._response.aclose()

    def _left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def _broken(self, failure: httpx2.RequestError) -> VoyageError:
        left = self._left()
        raised = failures.unreachable(failure, "", overdue=left is not None and left < 0.01)
        raised.request_id = self.headers.get(REQUEST_ID)
        return raised
