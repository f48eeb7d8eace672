"""Names with several addresses, of which some lead nowhere."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from voyageai.transport import dialing

from .conftest import Blocking, Carry, ask
from .scripted import Server, echo


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes a name lead to addresses, for blocking and asynchronous look-ups."""

    def lead(*addresses: tuple[str, int]) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)

        async def looked_up(loop: Any, host: str, port: int) -> list[dialing.Address]:
            return [(family, kind, number, at) for family, kind, number, _, at in found]

        monkeypatch.setattr(dialing, "_resolve", looked_up)

    return lead


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


def test_the_next_address_is_tried_when_one_refuses(
    carry: Carry, resolve: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once: the time that a silent one gets is not waited for."""
    monkeypatch.setattr(dialing, "DELAY", 60)
    with Server(echo) as server:
        resolve(unused(), unused(), ("127.0.0.1", server.port))
        request = ask("http://several.example/", timeout={"connect": 5.0})
        assert 200 == carry().send(request).status_code


def test_the_next_address_is_tried_when_one_is_silent(
    carry: Carry,
    resolve: Callable[..., None],
    full: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A network without a way out for IPv6 is common; it must not use up the time."""
    monkeypatch.setattr(dialing, "DELAY", 0.05)
    with Server(echo) as server:
        resolve(full, ("127.0.0.1", server.port))
        carrier = carry()
        timeout = {"connect": 0.6 if isinstance(carrier, Blocking) else 2.0}
        start = time.monotonic()
        assert 200 == carrier.send(ask("http://several.example/", timeout=timeout)).status_code
        assert 0.04 < time.monotonic() - start


def test_when_all_refuse_that_is_the_reason(carry: Carry, resolve: Callable[..., None]) -> None:
    """And when there is none, that."""
    carrier = carry()
    resolve(unused(), unused())
    with pytest.raises(httpx2.ConnectError, match=r"refused|Connect call failed"):
        carrier.send(ask("http://several.example/"))
    resolve()
    with pytest.raises(httpx2.ConnectError, match="no address"):
        carrier.send(ask("http://several.example/"))


def test_of_two_that_answer_one_is_kept(resolve: Callable[..., None]) -> None:
    """Also if both answer in the same turn of the event loop, or the caller has gone by then."""
    made: list[socket.socket] = []

    def still_open() -> list[socket.socket]:
        return [sock for sock in made if sock.fileno() >= 0]

    async def main() -> None:
        loop = asyncio.get_running_loop()
        winner = await dialing.dial(loop, "several.example", 80)
        await asyncio.sleep(0)
        assert [winner] == still_open()
        winner.close()

        for turns in range(8):
            task = loop.create_task(dialing.dial(loop, "several.example", 80))
            for _ in range(turns):
                await asyncio.sleep(0)
            if task.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await task
            else:
                task.result().close()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert [] == still_open()

    with Server(echo) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialing, "DELAY", 0)
        patch.setattr(dialing, "tune", made.append)
        resolve(*[("127.0.0.1", server.port)] * 3)
        asyncio.run(main())
    assert len(made) > 8


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_addresses_are_not_looked_up(host: str) -> None:
    """That would take a thread for nothing."""
    assert [host] == [where[0] for _, _, _, where in dialing._literal(host, 80)]
    assert [] == dialing._literal("localhost", 80)
