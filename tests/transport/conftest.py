"""Both transports, used the same way, so that each test runs for both."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import httpx2
import pytest
import trustme
from voyageai.transport.blocking import Connections
from voyageai.transport.looping import AsyncConnections

T = TypeVar("T")


class Blocking:
    """The blocking transport."""

    def __init__(self, context: Callable[[], ssl.SSLContext], **options: Any) -> None:
        self.transport = Connections(context, **options)

    def send(self, request: httpx2.Request) -> httpx2.Response:
        return self.transport.handle_request(request)

    def settle(self) -> None:
        """Nothing happens but in calls."""

    def close(self) -> None:
        self.transport.close()

    def stop(self) -> None:
        self.close()


class Looping:
    """The asynchronous transport, on an event loop that runs while it is used."""

    def __init__(
        self, context: Callable[[], ssl.SSLContext], loop: asyncio.AbstractEventLoop, **options: Any
    ) -> None:
        self.loop = loop
        self.transport = AsyncConnections(context, **options)

    def run(self, awaitable: Awaitable[T]) -> T:
        async def bounded() -> T:
            return await awaitable

        return self.loop.run_until_complete(bounded())

    def send(self, request: httpx2.Request) -> httpx2.Response:
        return self.run(self.transport.handle_async_request(request))

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


Carrier = Blocking | Looping
Carry = Callable[..., Carrier]


def no_context() -> ssl.SSLContext:
    """For tests without TLS: making a context would be work for nothing."""
    raise AssertionError("a TLS context was made for a connection without TLS")


@pytest.fixture(params=["blocking", "asyncio", "uvloop"])
def carry(request: pytest.FixtureRequest) -> Iterator[Carry]:
    """Makes a transport; all are closed in the end."""
    made: list[Carrier] = []

    def make(context: Callable[[], ssl.SSLContext] = no_context, **options: Any) -> Carrier:
        carrier: Carrier
        if request.param == "blocking":
            carrier = Blocking(context, **options)
        else:
            module = pytest.importorskip(request.param)
            carrier = Looping(context, module.new_event_loop(), **options)
        made.append(carrier)
        return carrier

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
def trusting(authority: trustme.CA) -> Callable[[], ssl.SSLContext]:
    """Makes TLS contexts that know the authority."""

    def make() -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    return make
