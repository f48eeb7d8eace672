"""Both transports and both clients, used the same way, so that each test runs for both."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import httpx2
import pytest
import trustme
import voyageai
from voyageai.flow import Environment, Request
from voyageai.response_limits import ResponseLimits
from voyageai.transport import AsyncTransport, Transport
from voyageai.transport.config import LIMITS, ConnectionConfig


def ask(
    url: str,
    content: Any = b"{}",
    *,
    headers: dict[str, str] | None = None,
    timeout: dict[str, float] | None = None,
    **extensions: Any,
) -> Request[httpx2.Request]:
    """The step that sends a request; timeouts are long unless given."""
    extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), 60.0)
    extensions["timeout"].update(timeout or {})
    extensions["bounds"] = ResponseLimits()
    streamed = isinstance(content, httpx2.SyncByteStream)
    body = b"" if streamed else content
    request = httpx2.Request("POST", url, content=body, headers=headers, extensions=extensions)
    if streamed:
        request.stream = content
    return Request(request)


def answered(answer: httpx2.Response | httpx2.RequestError) -> httpx2.Response:
    """The response, or the exception raised."""
    if isinstance(answer, httpx2.RequestError):
        raise answer
    return answer


class Wire:
    """A transport, and what it keeps.

    Attributes:
        loop: The event loop that an asynchronous transport runs on; None for a blocking one.
    """

    def __init__(
        self,
        kind: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        verify: ssl.SSLContext | bool = True,
        proxy: str | None = None,
        **limits: Any,
    ) -> None:
        pool = httpx2.Limits(**vars(LIMITS) | limits)
        config = ConnectionConfig(verify=verify, proxy=proxy, limits=pool)
        blocking = kind == "blocking"
        self.loop = None if blocking else import_module(kind).new_event_loop()
        make: Any = Transport if blocking else AsyncTransport
        self.transport = make(config, environment=Environment(clock=clock))

    def run(self, result: Any) -> Any:
        """Return what a method returned, which is awaited if the transport is asynchronous."""
        return result if self.loop is None else self.loop.run_until_complete(result)

    def send(self, url: str, content: Any = b"{}", **options: Any) -> httpx2.Response:
        """Send a request; an error is raised."""
        return answered(self.run(self.transport._send(ask(url, content, **options))))

    def pieces(self, response: httpx2.Response) -> Iterator[bytes]:
        """The body of a response that is streamed."""
        if self.loop is None:
            return response.iter_raw()
        body = response.aiter_raw()
        return iter(lambda: self.run(anext(body, b"")), b"")

    def leave(self, response: httpx2.Response) -> None:
        """Close a response that is streamed."""
        self.run(response.close() if self.loop is None else response.aclose())

    @property
    def pool(self) -> Any:
        """The slots, of which `slots` and `connections` count those that are idle."""
        if self.loop is None:
            return self.transport._pool
        return self.transport._clients[self.loop].transport

    @property
    def slots(self) -> list[Any]:
        idle = self.pool._idle
        idle._sort_in()
        found: list[Any] = idle._slots
        return found

    @property
    def connections(self) -> int:
        every = [one for slot in self.slots for one in slot.transport._pool.connections]
        return sum(not one.is_closed() for one in every)

    def close(self) -> None:
        self.run(self.transport.close() if self.loop is None else self.transport.aclose())

    def stop(self) -> None:
        self.close()
        if self.loop is not None:
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()


Carry = Callable[..., Wire]

every_loop = pytest.mark.parametrize("carry", ["blocking", "asyncio", "uvloop"], indirect=True)


@pytest.fixture(params=["blocking", "asyncio"])
def carry(request: pytest.FixtureRequest, trusting: ssl.SSLContext) -> Iterator[Carry]:
    """Makes a transport, which is closed in the end."""
    if request.param != "blocking":
        pytest.importorskip(request.param)
    made: list[Wire] = []

    def make(**settings: Any) -> Wire:
        made.append(Wire(request.param, **{"verify": trusting} | settings))
        return made[-1]

    yield make
    for wire in made:
        wire.stop()


Call = Callable[..., Any]


def embed(client: Any) -> Any:
    """The shortest call."""
    return client.embed(["a"], "voyage-4", "query")


@pytest.fixture(params=["Client", "AsyncClient"])
def call(request: pytest.FixtureRequest) -> Call:
    """Makes a client with some settings and a call with it, and gives the result."""
    kind: Any = getattr(voyageai, request.param)

    def call(
        base_url: str | None = None, act: Callable[[Any], Any] = embed, **settings: Any
    ) -> Any:
        client = kind("pa-key", base_url=base_url, **{"timeout": 30} | settings)

        async def looping() -> Any:
            async with client:
                return await act(client)

        if kind is voyageai.AsyncClient:
            return asyncio.run(looping())
        with client:
            return act(client)

    return call


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Signs certificates for tests."""
    return trustme.CA()


@pytest.fixture(scope="session")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """TLS of a server whose name is localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest, server_context: ssl.SSLContext) -> ssl.SSLContext | None:
    """TLS of a server, or none."""
    return server_context if request.param else None


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """A TLS context that knows the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def full() -> Iterator[tuple[str, int]]:
    """An address that answers nothing: its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address: tuple[str, int] = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        yield address
        for filler in fillers:
            filler.close()


def unused() -> tuple[str, int]:
    """An address that refuses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address: tuple[str, int] = listener.getsockname()
    return address
