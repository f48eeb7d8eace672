"""Clients and transports of legacy `httpx`, which many tools still know alone, for HTTPX2."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2


def is_legacy(given: object, *names: str) -> bool:
    """Whether something is one of these classes of `httpx`, which is only looked at if loaded."""
    httpx = sys.modules.get("httpx")
    kinds = tuple(getattr(httpx, name) for name in names if hasattr(httpx, name))
    return httpx is not httpx2 and isinstance(given, kinds)


class LegacyTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Sends what HTTPX2 has to send by a client or a transport of `httpx`.

    Args:
        given: An `httpx.Client`, `httpx.AsyncClient` or a transport of one of them.
    """

    def __init__(self, given: Any) -> None:
        import httpx

        self._httpx: Any = httpx
        self._given = given
        self._client = isinstance(given, (httpx.Client, httpx.AsyncClient))

    def _request(self, request: httpx2.Request, content: Any) -> Any:
        return self._httpx.Request(
            request.method,
            str(request.url),
            headers=request.headers.raw,
            content=request.content if isinstance(request.stream, httpx2.ByteStream) else content,
            extensions={
                name: request.extensions[name]
                for name in ("timeout",)
                if name in request.extensions
            },
        )

    @staticmethod
    def _response(answer: Any, request: httpx2.Request, stream: Any) -> httpx2.Response:
        return httpx2.Response(
            answer.status_code,
            headers=answer.headers.raw,
            stream=stream,
            extensions={
                name: value for name, value in answer.extensions.items() if name != "network_stream"
            },
            request=request,
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            httpx2.RequestError: What `httpx` raised, by its name there.
        """
        with self._translated(request):
            sent = self._request(request, request.stream)
            if self._client:
                answer = self._given.send(sent, stream=True)
            else:
                answer = self._given.handle_request(sent)
        return self._response(answer, request, _Body(self, request, answer.stream))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The same, without blocking."""
        with self._translated(request):
            sent = self._request(request, _pieces(request))
            if self._client:
                answer = await self._given.send(sent, stream=True)
            else:
                answer = await self._given.handle_async_request(sent)
        return self._response(answer, request, _Body(self, request, answer.stream))

    @contextmanager
    def _translated(self, request: httpx2.Request) -> Generator[None]:
        """Raise HTTPX2's exception of the same name."""
        try:
            yield
        except self._httpx.RequestError as failure:
            kind = getattr(httpx2, type(failure).__name__, httpx2.TransportError)
            raise kind(str(failure), request=request) from failure


class _Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, transport: LegacyTransport, request: httpx2.Request, stream: Any) -> None:
        self._transport = transport
        self._request = request
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with self._transport._translated(self._request):
            yield from self._stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._transport._translated(self._request):
            async for piece in self._stream:
                yield piece

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _pieces(request: httpx2.Request) -> AsyncIterator[bytes]:
    """The body, of which `httpx` must not see that it can be read by blocking too."""
    async for piece in aiter(request.stream):  # type: ignore[arg-type]  # of an asynchronous call
        yield piece
