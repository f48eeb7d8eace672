"""An answer whose body is read piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import TYPE_CHECKING

import httpx2
from voyageai_rest.errors import REQUEST_ID

from . import failures

if TYPE_CHECKING:
    from ..error import VoyageError


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
