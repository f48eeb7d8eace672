"""Both transports on the default wire, used the same way, so that each test runs for both."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import httpx2
import pytest
import trustme
import voyageai
from voyageai.flow import Environment, Request
from voyageai.response_limits import ResponseLimits
from voyageai.transport import AsyncTransport, Transport
from voyageai.transport.config import LIMITS, ConnectionConfig

T = TypeVar("T")


def wire(
    verify: ssl.SSLContext | bool = True, proxy: str | None = None, **limits: Any
) -> ConnectionConfig:
    """Return the configuration of a transport, with some limits of its own."""
    return ConnectionConfig(
        verify=verify, proxy=proxy, limits=httpx2.Limits(**vars(LIMITS) | limits)
    )


def answered(answer: httpx2.Response | httpx2.RequestError) -> httpx2.Response:
    """The response, or the exception raised."""
    if isinstance(answer, httpx2.RequestError):
        raise answer
    return answer


def step(request: httpx2.Request) -> Request[httpx2.Request]:
    """The step that sends a request, within its deadline."""
    request.extensions.setdefault("bounds", ResponseLimits())
    return Request(request)


def kept(slots: Any) -> list[Any]:
    """The slots that are idle."""
    return list(slots._idle._slots)


class Carrier:
    """A transport, and what it keeps."""

    transport: Any

    @property
    def slots(self) -> Any:
        """The slots in use."""
        raise NotImplementedError("one for each kind")

    @property
    def connections(self) -> int:
        """Return the number of idle connections: all of them, while nothing is sent."""
        return sum(
            not one.is_closed()
            for slot in kept(self.slots)
            for one in slot.transport._pool.connections
        )


class Blocking(Carrier):
    """The blocking transport."""

    def __init__(self, settings: ConnectionConfig, environment: Environment | None = None) -> None:
        self.transport = Transport(settings, environment=environment)

    @property
    def slots(self) -> Any:
        return self.transport._pool

    def send(self, request: httpx2.Request) -> httpx2.Response:
        return answered(self.transport._send(step(request)))

    def settle(self) -> None:
        """Nothing happens but in calls."""

    def close(self) -> None:
        self.transport.close()

    stop = close


class Looping(Carrier):
    """The asynchronous transport, on an event loop that runs while it is used."""

    def __init__(
        self,
        settings: ConnectionConfig,
        loop: asyncio.AbstractEventLoop,
        environment: Environment | None = None,
    ) -> None:
        self.loop = loop
        self.transport = AsyncTransport(settings, environment=environment)

    @property
    def slots(self) -> Any:
        return self.transport._clients[self.loop].transport

    def run(self, awaitable: Awaitable[T]) -> T:
        async def bounded() -> T:
            return await awaitable

        return self.loop.run_until_complete(bounded())

    async def asend(self, request: httpx2.Request) -> httpx2.Response:
        return answered(await self.transport._send(step(request)))

    def send(self, request: httpx2.Request) -> httpx2.Response:
        return self.run(self.asend(request))

    def settle(self) -> None:
        """Let the loop see what has arrived."""
        self.run(asyncio.sleep(0.01))

    def close(self) -> None:
        self.run(self.transport.aclose())

    def stop(self) -> None:
        self.close()
        self.settle()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


Carry = Callable[..., Any]


@pytest.fixture(params=["blocking", "asyncio", "uvloop"])
def carry(request: pytest.FixtureRequest) -> Iterator[Carry]:
    """Makes a transport; all are closed in the end."""
    made: list[Blocking | Looping] = []

    def make(
        verify: ssl.SSLContext | bool = True,
        clock: Callable[[], float] = time.monotonic,
        **limits: Any,
    ) -> Blocking | Looping:
        settings, environment = wire(verify, **limits), Environment(clock=clock)
        if request.param == "blocking":
            made.append(Blocking(settings, environment))
        else:
            module = pytest.importorskip(request.param)
            made.append(Looping(settings, module.new_event_loop(), environment))
        return made[-1]

    yield make
    for carrier in made:
        carrier.stop()


def ask(
    url: str,
    content: Any = b"{}",
    *,
    headers: dict[str, str] | None = None,
    method: str = "POST",
    **extensions: Any,
) -> httpx2.Request:
    """A request; timeouts are long unless given."""
    timeout = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}
    timeout.update(extensions.pop("timeout", {}))
    return httpx2.Request(
        method, url, content=content, headers=headers, extensions={"timeout": timeout, **extensions}
    )


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


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """A TLS context that knows the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


Embed = Callable[..., list[list[float]]]


@pytest.fixture(params=["Client", "AsyncClient"])
def embed(request: pytest.FixtureRequest) -> Embed:
    """Embeds a text with a client that is made for it with some settings, and gives the vectors."""
    kind: Any = getattr(voyageai, request.param)
    arguments: dict[str, Any] = {"texts": ["a"], "model": "voyage-4", "input_type": "query"}

    def blocking(client: Any) -> Any:
        with client:
            return client.embed(**arguments)

    async def looping(client: Any) -> Any:
        async with client:
            return await client.embed(**arguments)

    def call(url: str, extra_headers: Any = None, **settings: Any) -> list[list[float]]:
        arguments["extra_headers"] = extra_headers
        client = kind("pa-key", base_url=url, **{"timeout": 10, **settings})
        made = kind is voyageai.Client
        result = blocking(client) if made else asyncio.run(looping(client))
        vectors: list[list[float]] = result.embeddings
        return vectors

    return call
