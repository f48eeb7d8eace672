"""An answer whose body is read piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
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
        response: The answer, open.
    """

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response

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
        try:
            async for piece in self._response.aiter_bytes():
                yield piece
        except httpx2.RequestError as failure:
            raise self._broken(failure) from failures.without_frames(failure)

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()

    async def aclose(self) -> None:
        """The same, without blocking."""
        await self._response.aclose()

    def _broken(self, failure: httpx2.RequestError) -> VoyageError:
        raised = failures.unreachable(failure, "", overdue=False)
        raised.request_id = self.headers.get(REQUEST_ID)
        return raised
