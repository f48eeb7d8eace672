"""Adapters of the user's own clients and transports, of HTTPX2 and of legacy `httpx`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, TypeVar

import httpx2
from attrs import frozen

from ..error import ArgumentError
from .pool import AsyncTransportClient, TransportClient

C = TypeVar("C", httpx2.Client, httpx2.AsyncClient)


class _UnwatchedClient(TransportClient):
    """Wraps a legacy client, which tools instrument itself: they must not see a request twice."""

    def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        return self._send_single_request(request)


class _AsyncUnwatchedClient(AsyncTransportClient):
    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        return await self._send_single_request(request)


def as_client(given: Any) -> httpx2.Client:
    """Return a client for a client or transport of HTTPX2 or legacy `httpx`.

    Raises:
        ArgumentError: `given` is neither, or asynchronous.
    """
    return _client(given, httpx2.Client, "handle_request", TransportClient, _UnwatchedClient)


def as_async_client(given: Any) -> httpx2.AsyncClient:
    """Return an asynchronous client for a client or transport, as `as_client` does."""
    kinds = (AsyncTransportClient, _AsyncUnwatchedClient)
    return _client(given, httpx2.AsyncClient, "handle_async_request", *kinds)


def _client(
    given: Any,
    kind: type[C],
    handler: str,
    of_transport: Callable[[Any], C],
    of_legacy_client: Callable[[Any], C],
) -> C:
    name = kind.__name__
    if isinstance(given, kind):
        return given
    if _is_legacy(given, name):
        return of_legacy_client(LegacyTransport(given))
    if _is_legacy(given, name.replace("Client", "BaseTransport")):
        return of_transport(LegacyTransport(given))
    if hasattr(given, handler) and not isinstance(given, type):
        return of_transport(given)
    a, found = ("the class ", given) if isinstance(given, type) else ("", type(given))
    raise ArgumentError(
        f"voyageai.{name} takes an httpx2.{name} or a transport of it as http_client or transport, "
        f"not {a}{found.__module__}.{found.__qualname__}",
        "http_client",
    )


def _is_legacy(given: object, name: str) -> bool:
    """Return whether an object is an instance of a class of `httpx`, without importing `httpx`."""
    return isinstance(given, getattr(sys.modules.get("httpx"), name, ()))


def check_open(client: httpx2.Client | httpx2.AsyncClient) -> None:
    """Raise if the user has closed their own client.

    Raises:
        ArgumentError: The client is closed.
    """
    transport = getattr(client, "transport", None)
    given = transport.client if isinstance(transport, LegacyTransport) else client
    if getattr(given, "is_closed", False):
        raise ArgumentError(
            "the http_client that was given to this client is closed; pass one that stays open as "
            "long as it is used",
            "http_client",
        )


def digest(username: str, password: str) -> httpx2.Auth:
    """Return HTTP digest authentication; no repr shows the user name and the password."""
    return httpx2.DigestAuth(username, password)


class LegacyTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Sends HTTPX2's requests through a client or transport of legacy `httpx`.

    Attributes:
        client: The `httpx.Client`, `httpx.AsyncClient`, or transport for one of them.
    """

    def __init__(self, client: Any) -> None:
        import httpx

        self._httpx: Any = httpx
        self.client = client
        sends = isinstance(client, (httpx.Client, httpx.AsyncClient))
        self._send: Any = partial(client.send, stream=True) if sends else None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the response, whose body is not read yet.

        Raises:
            httpx2.RequestError: `httpx` raised the exception of the same name.
        """
        with self.mapped_exceptions(request):
            send = self._send or self.client.handle_request
            answer = send(self._request(request, request.stream))
        return self._response(answer, request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request without blocking, as `handle_request` does."""
        with self.mapped_exceptions(request):
            send = self._send or self.client.handle_async_request
            answer = await send(self._request(request, _AsyncOnlyStream(request.stream)))
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
        if answer.is_stream_consumed:  # such as by an event hook: only the decoded content is left
            stream = self._httpx.ByteStream(answer.content)
            if headers.pop("Content-Encoding", None):
                headers["Content-Length"] = str(len(answer.content))
        return httpx2.Response(
            answer.status_code,
            headers=headers,
            stream=_LegacyStream(stream, partial(self.mapped_exceptions, request)),
            extensions={k: v for k, v in answer.extensions.items() if k != "network_stream"},
            request=request,
        )

    @contextmanager
    def mapped_exceptions(self, request: httpx2.Request) -> Generator[None]:
        """Raise HTTPX2's exception of the same name, or of the name of the nearest base class."""
        try:
            yield
        except self._httpx.RequestError as failure:
            names = [kind.__name__ for kind in type(failure).__mro__]
            kind = next(getattr(httpx2, name) for name in names if hasattr(httpx2, name))
            raise kind(str(failure), request=request) from failure


@frozen(eq=False)
class _LegacyStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A response body of `httpx` that raises HTTPX2's exceptions."""

    stream: Any
    mapped: Callable[[], AbstractContextManager[None]]

    def __iter__(self) -> Iterator[bytes]:
        with self.mapped():
            yield from self.stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self.mapped():
            async for piece in self.stream:
                yield piece

    def close(self) -> None:
        self.stream.close()

    async def aclose(self) -> None:
        await self.stream.aclose()


@frozen
class _AsyncOnlyStream:
    """A request body without the synchronous interface, so that `httpx` reads it asynchronously."""

    body: Any

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self.body)
