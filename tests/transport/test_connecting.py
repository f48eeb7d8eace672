"""Names with several addresses, of which some lead nowhere."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest
from voyageai.transport import network_async
from voyageai.transport.network import SOCKET_OPTIONS, interleave, numeric_addresses

from .conftest import Blocking, Carry, ask
from .scripted_server import Server, echo

SIX, FOUR = socket.AF_INET6, socket.AF_INET


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes a name lead to addresses."""
    original = socket.getaddrinfo

    def lead(*found: tuple[str, int]) -> None:
        def look_up(host: str, *args: object, **options: object) -> list[object]:
            if host != "several.example":
                return original(host, *args, **options)  # type: ignore[arg-type, return-value]
            return [(FOUR, socket.SOCK_STREAM, 6, "", where) for where in found]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

        async def looked_up(self: object, *args: object, **options: object) -> list[object]:
            return look_up(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", looked_up)

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


def skip_uvloop(carrier: object) -> None:
    """Its look-ups are in C; the rest is the same code."""
    if "uvloop" in str(getattr(carrier, "loop", "")):
        pytest.skip("uvloop looks names up by itself")


def test_the_next_address_is_tried_when_one_refuses(
    carry: Carry, resolve: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once: the time that a silent one gets is not waited for."""
    monkeypatch.setattr(network_async, "STAGGER", 60)
    skip_uvloop(carrier := carry())
    with Server(echo) as server:
        resolve(unused(), unused(), ("127.0.0.1", server.port))
        request = ask("http://several.example/", timeout={"connect": 5.0})
        assert 200 == carrier.send(request).status_code


def test_the_next_address_is_tried_when_one_is_silent(
    carry: Carry,
    resolve: Callable[..., None],
    full: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A network without a way out for IPv6 is common; it must not use up the time."""
    monkeypatch.setattr(network_async, "STAGGER", 0.05)
    skip_uvloop(carrier := carry())
    with Server(echo) as server:
        resolve(full, ("127.0.0.1", server.port))
        timeout = {"connect": 2.0 if isinstance(carrier, Blocking) else 5.0}
        start = time.monotonic()
        assert 200 == carrier.send(ask("http://several.example/", timeout=timeout)).status_code
        assert 0.04 < time.monotonic() - start


def test_when_all_refuse_that_is_the_reason(carry: Carry, resolve: Callable[..., None]) -> None:
    """And when there is none, that."""
    skip_uvloop(carrier := carry())
    resolve(unused(), unused())
    with pytest.raises(httpx2.ConnectError, match=r"refused|Connect call failed"):
        carrier.send(ask("http://several.example/"))
    resolve()
    with pytest.raises(httpx2.ConnectError, match=r"several\.example has no address"):
        carrier.send(ask("http://several.example/"))


def test_looking_a_name_up_is_within_the_deadline(
    carry: Carry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver that is silent takes half a minute by itself; this one a second."""
    answered = threading.Event()

    def silent(*args: object, **options: object) -> list[object]:
        answered.wait(1)
        return []

    skip_uvloop(carrier := carry())
    monkeypatch.setattr(socket, "getaddrinfo", silent)
    with pytest.raises(httpx2.TimeoutException):
        carrier.send(ask("http://slow.example/", deadline=time.monotonic() + 0.1))
    answered.set()


def test_of_two_that_answer_one_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if both answer in the same turn of the event loop, or the caller has gone by then."""
    made: list[socket.socket] = []

    class Noted(network_async._Socket):
        def __init__(self, *args: int) -> None:
            super().__init__(*args)
            made.append(self)

    def still_open() -> list[socket.socket]:
        return [sock for sock in made if sock.fileno() >= 0]

    async def main(port: int) -> None:
        found = [numeric_addresses("127.0.0.1", port)[0]] * 3
        winner = await network_async._connect_first(found, [])
        assert [winner] == still_open()
        winner.close()

        for turns in range(8):
            task = asyncio.ensure_future(network_async._connect_first(found, []))
            for _ in range(turns):
                await asyncio.sleep(0)
            if task.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await task
            else:
                task.result().close()
            assert [] == still_open()

    monkeypatch.setattr(network_async, "STAGGER", 0)
    monkeypatch.setattr(network_async, "_Socket", Noted)
    with Server(echo) as server:
        asyncio.run(main(server.port))
    assert len(made) > 8


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", FOUR), ("::1", SIX), ("localhost", None)]
)
def test_addresses_are_not_looked_up(host: str, family: int | None) -> None:
    """A lookup would take a thread for nothing."""
    assert ([] if family is None else [(family, host)]) == [
        (found, where[0]) for found, _, _, where in numeric_addresses(host, 80)
    ]


def test_families_take_turns() -> None:
    """Where one family leads nowhere, the second attempt is by the other."""
    found = [
        (SIX, 1, 6, "", "a"),
        (SIX, 1, 6, "", "b"),
        (SIX, 1, 6, "", "c"),
        (FOUR, 1, 6, "", "d"),
    ]

    assert ["a", "d", "b", "c"] == [where for _, _, _, where in interleave(found)]
    assert [] == interleave([])


def test_sockets_send_at_once_and_stay_alive(carry: Carry) -> None:
    """Delayed sends cost 40 ms; gateways forget connections that are silent for minutes."""
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in SOCKET_OPTIONS
    with Server(echo) as server:
        response = carry().send(ask(server.url, streamed=True))
        sock = response.extensions["network_stream"].get_extra_info("socket")
        for level, name, value in SOCKET_OPTIONS:
            assert value == sock.getsockopt(level, name)
        sock.close()
