"""Both transports and both clients behind one interface; each test runs for both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import httpx2
import pytest
import voyageai
from voyageai.flow import Environment, Request
from voyageai.response_limits import ResponseLimits
from voyageai.transport import AsyncTransport, Transport
from voyageai.transport.config import LIMITS, ConnectionConfig

from .scripted_server import CLIENT_TLS, SERVER_TLS

every_loop = pytest.mark.parametrize("carry", ["blocking", "asyncio", "uvloop"], indirect=True)
either_scheme = pytest.mark.parametrize("tls", [None, SERVER_TLS], ids=["plain", "tls"])


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A request body that either transport can read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    async def __aiter__(self) -> Any:
        for piece in self._pieces:
            yield piece


def ask(
    url: str, content: Any = b"{}", headers: Any = None, **extensions: Any
) -> Request[httpx2.Request]:
    """Return the step that sends a request, with long timeouts by default."""
    phases = dict.fromkeys(("connect", "read", "write", "pool"), 60.0)
    extensions["timeout"] = phases | extensions.get("timeout", {})
    extensions["bounds"] = ResponseLimits()
    stream = content if isinstance(content, httpx2.SyncByteStream) else None
    body = content if stream is None else b"one"  # has the length of the streams in these tests
    request = httpx2.Request("POST", url, content=body, headers=headers, extensions=extensions)
    request.stream = stream or request.stream
    return Request(request)


def answered(answer: httpx2.Response | httpx2.RequestError) -> httpx2.Response:
    """Return the response, or raise the exception if the outcome is one."""
    if isinstance(answer, httpx2.RequestError):
        raise answer
    return answer


class Wire:
    """A transport, and access to its connections.

    Attributes:
        loop: The event loop that an asynchronous transport runs on; None for a blocking one.
    """

    def __init__(
        self,
        kind: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        verify: Any = CLIENT_TLS,
        proxy: str | None = None,
        **limits: Any,
    ) -> None:
        pool = httpx2.Limits(**vars(LIMITS) | limits)
        config = ConnectionConfig(verify=verify, proxy=proxy, limits=pool)
        self.loop = None if kind == "blocking" else import_module(kind).new_event_loop()
        make: Any = AsyncTransport if self.loop else Transport
        self.transport = make(config, environment=Environment(clock=clock))

    def run(self, result: Any) -> Any:
        """Return the result of a method, awaited if the transport is asynchronous."""
        return self.loop.run_until_complete(result) if self.loop else result

    def send(self, url: str, content: Any = b"{}", **extensions: Any) -> httpx2.Response:
        """Send a request and return the response."""
        return answered(self.run(self.transport._send(ask(url, content, **extensions))))

    def pieces(self, response: httpx2.Response) -> Iterator[bytes]:
        """Return an iterator over the body of a streamed response."""
        if self.loop is None:
            return response.iter_raw()
        body = response.aiter_raw()
        return iter(lambda: self.run(anext(body, b"")), b"")

    def leave(self, response: httpx2.Response) -> None:
        """Close a streamed response."""
        self.run(response.aclose() if self.loop else response.close())

    @property
    def pool(self) -> Any:
        """Return the connection pool."""
        return self.transport._clients[self.loop].transport if self.loop else self.transport._pool

    @property
    def slots(self) -> list[Any]:
        """Return the idle slots of the pool."""
        return list(self.pool._idle._slots)

    @property
    def connections(self) -> int:
        """Return the number of open connections of the idle slots."""
        every = [one for slot in self.slots for one in slot.transport._pool.connections]
        return sum(not one.is_closed() for one in every)

    def close(self) -> None:
        self.run(self.transport.aclose() if self.loop else self.transport.close())

    def stop(self) -> None:
        self.close()
        if self.loop:
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()


@pytest.fixture(params=["blocking", "asyncio"])
def carry(request: pytest.FixtureRequest) -> Iterator[Callable[..., Wire]]:
    """Return a function that creates transports, and close them after the test."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    made: list[Wire] = []

    def make(**settings: Any) -> Wire:
        made.append(Wire(request.param, **settings))
        return made[-1]

    yield make
    for wire in made:
        wire.stop()


def embed(client: Any) -> Any:
    """Call `embed` with one short text."""
    return client.embed(["a"], "voyage-4", "query")


@pytest.fixture(params=["Client", "AsyncClient"])
def call(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a function that creates a client, makes a call with it, and returns the result."""
    kind: Any = getattr(voyageai, request.param)

    def call(base_url: str | None = None, act: Any = embed, **settings: Any) -> Any:
        client = kind("pa-key", base_url=base_url, **{"timeout": 30} | settings)

        async def looping() -> Any:
            async with client:
                return await act(client)

        if kind is voyageai.AsyncClient:
            return asyncio.run(looping())
        with client:
            return act(client)

    return call
