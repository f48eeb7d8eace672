"""Clients and transports of legacy `httpx`, which many tools still know alone, for HTTPX2."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx2


def is_legacy(given: object, *names: str) -> bool:
    """Whether something is one of these classes of `httpx`, which is only looked at if loaded."""
    httpx = sys.modules.get("httpx")
    return isinstance(given, tuple(getattr(httpx, name) for name in names if hasattr(httpx, name)))


class LegacyTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Sends what HTTPX2 has to send by a client or a transport of `httpx`.

    Args:
        given: An `httpx.Client`, `httpx.AsyncClient` or a transport of one of them.
    """

    def __init__(self, given: Any) -> None:
        import httpx

        self._httpx: Any = httpx
        self._given = given
        client = isinstance(given, (httpx.Client, httpx.AsyncClient))
        self._send: Any = partial(given.send, stream=True) if client else None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            httpx2.RequestError: What `httpx` raised, by its name there.
        """
        with self.translated(request):
            send = self._send or self._given.handle_request
            answer = send(self._request(request, request.stream))
        return self._response(answer, request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The same, without blocking."""
        with self.translated(request):
            send = self._send or self._given.handle_async_request
            answer = await send(self._request(request, _Pieces(request.stream)))
        return self._response(answer, request)

    def _request(self, request: httpx2.Request, pieces: Any) -> Any:
        return self._httpx.Request(
            request.method,
            str(request.url),
            headers=request.headers.raw,
            content=request.content if isinstance(request.stream, httpx2.ByteStream) else pieces,
            extensions={k: v for k, v in request.extensions.items() if k == "timeout"},
        )

    def _response(self, answer: Any, request: httpx2.Request) -> httpx2.Response:
        headers, stream = httpx2.Headers(answer.headers.raw), answer.stream
        if answer.is_stream_consumed:  # by a hook, say: what is left is the decoded content
            stream = self._httpx.ByteStream(answer.content)
            if headers.pop("Content-Encoding", None):
                headers["Content-Length"] = str(len(answer.content))
        return httpx2.Response(
            answer.status_code,
            headers=headers,
            stream=_Body(self, request, stream),
            extensions={k: v for k, v in answer.extensions.items() if k != "network_stream"},
            request=request,
        )

    @contextmanager
    def translated(self, request: httpx2.Request) -> Generator[None]:
        """Raise HTTPX2's exception of the same name, or of that of the nearest base class."""
        try:
            yield
        except self._httpx.RequestError as failure:
            names = [kind.__name__ for kind in type(failure).__mro__]
            kind = next(getattr(httpx2, name) for name in names if hasattr(httpx2, name))
            raise kind(str(failure), request=request) from failure


class _Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, transport: LegacyTransport, request: httpx2.Request, stream: Any) -> None:
        self._transport = transport
        self._request = request
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with self._transport.translated(self._request):
            yield from self._stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._transport.translated(self._request):
            async for piece in self._stream:
                yield piece

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Pieces:
    """A body, of which `httpx` must not see that it can be read by blocking too."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)
