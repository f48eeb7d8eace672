"""Bodies of responses, read in full within their limits or piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING

import httpx2
from voyageai_rest.errors import REQUEST_ID

from ..response_limits import ERROR_SIZE
from . import failures

if TYPE_CHECKING:
    from typing import Any

    from ..error import VoyageError
    from ..response_limits import ResponseLimits


LATE = "the time for this attempt has run out"


class _BodyTooLong(Exception):
    """A body exceeds its size limit."""


class _CompressedStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A compressed body as it arrives, limited to the size of the decompressed one.

    Otherwise compressed bytes that decompress to nothing would not be counted: empty blocks, and
    those after the end.
    """

    def __init__(self, stream: Any, size: int) -> None:
        self._stream = stream
        self._size = size

    def _counted(self, piece: bytes) -> bytes:
        self._size -= len(piece)
        if self._size < 0:
            raise _BodyTooLong
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


def _limit(response: httpx2.Response) -> tuple[int, bool]:
    """Return the size limit of a body in bytes, and whether it must be decoded."""
    bounds: ResponseLimits = response.request.extensions["bounds"]
    size = bounds.size if response.is_success else ERROR_SIZE
    if response.is_stream_consumed:
        return size, True
    encoded = "content-encoding" in response.headers
    if encoded:
        response.stream = _CompressedStream(response.stream, size)
    return size, encoded


def _finish(response: httpx2.Response, pieces: list[bytes], size: int, *, too_long: bool) -> None:
    """Set the body of a response.

    Of a success that is too long nothing is kept, and the extension `too_long` of the response
    holds the limit. Of an error that is too long the beginning is kept.
    """
    if too_long and response.is_success:
        response.extensions["too_long"] = size
        pieces = []
    # A private name of HTTPX2's: its public way would read a body of any length.
    response._content = b"".join(pieces)[:size]  # pyright: ignore[reportPrivateUsage]


def read(response: httpx2.Response, clock: Callable[[], float]) -> None:
    """Read the body of a response up to its size limit, and close the response.

    Args:
        response: The response. The extensions `bounds` and `deadline` of its request limit the size
            of the body and the time by which it must have arrived, by the clock.
        clock: A monotonic clock, in seconds.

    Raises:
        httpx2.RequestError: The body breaks off, arrives too late, or can't be decompressed.
    """
    size, encoded = _limit(response)
    deadline: float | None = response.request.extensions.get("deadline")
    pieces: list[bytes] = []
    left = size
    try:
        for piece in response.iter_bytes() if encoded else response.iter_raw():
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                break
            if deadline is not None and clock() >= deadline:
                raise httpx2.ReadTimeout(LATE)
    except _BodyTooLong:
        left = -1
    finally:
        response.close()
    _finish(response, pieces, size, too_long=left < 0)


async def aread(response: httpx2.Response, clock: Callable[[], float]) -> None:
    """Read the body of a response without blocking, as `read` does."""
    size, encoded = _limit(response)
    deadline: float | None = response.request.extensions.get("deadline")
    pieces: list[bytes] = []
    left = size
    try:
        async for piece in response.aiter_bytes() if encoded else response.aiter_raw():
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                break
            if deadline is not None and clock() >= deadline:
                raise httpx2.ReadTimeout(LATE)
    except _BodyTooLong:
        left = -1
    finally:
        await response.aclose()
    _finish(response, pieces, size, too_long=left < 0)


class Stream:
    """A response whose body is read piece by piece, decompressed. It must be closed.

    Blocking clients use `pieces` and `close`, asynchronous ones `apieces` and `aclose`.

    Args:
        response: The open response. The extension `body_deadline` of its request is the time by
            which the body must have arrived, by the clock.
        clock: A monotonic clock, in seconds.
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
        """Headers of the response, with case-insensitive names."""
        return self._response.headers

    @property
    def content(self) -> bytes:
        """The body of a response that was read in full."""
        return self._response.content

    def pieces(self) -> Generator[bytes]:
        """Yield the body as it arrives.

        Raises:
            VoyageError: The body breaks off, or arrives too late.
        """
        try:
            yield from self._response.iter_bytes()
        except httpx2.RequestError as failure:
            raise self._broken(failure) from failures.strip_frames(failure)

    async def apieces(self) -> AsyncGenerator[bytes]:
        """Yield the body as it arrives, without blocking."""
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
            raise self._broken(
                httpx2.ReadTimeout("the rest of the body did not arrive in time")
            ) from None
        except httpx2.RequestError as failure:
            raise self._broken(failure) from failures.strip_frames(failure)

    def close(self) -> None:
        """Return the connection to the pool."""
        self._response.close()

    async def aclose(self) -> None:
        """Return the connection to the pool, without blocking."""
        await self._response.aclose()

    def _left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def _broken(self, failure: httpx2.RequestError) -> VoyageError:
        left = self._left()
        raised = failures.unreachable(failure, "", overdue=left is not None and left < 0.01)
        raised.request_id = self.headers.get(REQUEST_ID)
        return raised
