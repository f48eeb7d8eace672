"""Connecting: several addresses of a name, some of them unreachable, and untrusted servers."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from contextlib import ExitStack

import httpx2
import pytest
from voyageai.transport import network_async
from voyageai.transport.config import CERTIFICATES
from voyageai.transport.network import SOCKET_OPTIONS, interleave, numeric_addresses

from .scripted_server import SERVER_TLS, Server, echo, unused

SIX, FOUR = socket.AF_INET6, socket.AF_INET
URL = "http://several.example/"


@pytest.fixture
def resolve(monkeypatch):
    """Return a function that makes a name resolve to addresses or to none, or never."""
    original, over = socket.getaddrinfo, threading.Event()

    def lead(*found, silent=False):
        def look_up(host, *args, **options):
            if host != "several.example" or options.get("flags") == socket.AI_NUMERICHOST:
                return original(host, *args, **options)
            if silent:
                over.wait(10)
            return [(FOUR, socket.SOCK_STREAM, 6, "", where) for where in found]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    yield lead
    over.set()


@pytest.fixture
def full():
    """Return an address that never accepts, because its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as fillers:
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def test_the_next_address_is_tried_when_one_refuses(carry, resolve):
    """DNS may still list an old address of a host that moved, and the call succeeds anyway."""
    with Server(echo) as server:
        resolve(unused(), unused(), ("127.0.0.1", server.port))
        assert 200 == carry().send(URL, timeout={"connect": 30.0}).status_code


def test_the_next_address_is_tried_at_once_when_one_refuses():
    """A refused connection is known at once, so the wait meant for silent addresses is skipped."""

    async def main(port):
        found = [numeric_addresses("127.0.0.1", each)[0] for each in (unused()[1], port)]
        async with asyncio.timeout(30):
            (await network_async._connect_first(found, [], stagger=60)).close()

    with Server(echo) as server:
        asyncio.run(main(server.port))


def test_the_next_address_is_tried_when_one_is_silent(carry, resolve, full):
    """Networks without a route for IPv6 are common, and must not cost the whole timeout."""
    with Server(echo) as server:
        resolve(full, ("127.0.0.1", server.port))
        assert 200 == carry().send(URL, timeout={"connect": 1.0}).status_code


def test_unresolvable_names_are_connect_errors(carry, resolve):
    """Nothing was sent, so the call is safe to retry; the cause stays in the exception chain."""
    resolve()
    with pytest.raises(httpx2.ConnectError, match=r"several\.example has no address"):
        carry().send(URL)
    with pytest.raises(httpx2.ConnectError, match="label"):  # a name that no host can have
        carry().send(f"http://{'x' * 64}.example/")
    resolve(unused(), unused())
    with pytest.raises(httpx2.ConnectError, match=r"refused|Connect call failed") as caught:
        carry().send(URL)
    first = caught.value
    while (earlier := first.__cause__ or first.__context__) is not None:
        first = earlier
    assert isinstance(first, OSError)


def test_looking_up_and_connecting_are_within_their_time(carry, resolve, full):
    """A silent resolver takes half a minute by itself, and an unreachable host as long."""
    resolve(silent=True)
    with pytest.raises(httpx2.TimeoutException):
        carry().send(URL, timeout={"connect": 0.1})
    with pytest.raises(httpx2.ConnectTimeout):
        carry().send(f"http://127.0.0.1:{full[1]}/", timeout={"connect": 0.1})


def test_of_several_connections_one_is_kept():
    """The loser of the race is closed, also if both win in one turn or the caller was cancelled."""

    def still_open():
        found = (each for each in gc.get_objects() if type(each) is network_async._Socket)
        return [sock for sock in found if sock.fileno() >= 0 and sock not in others]

    async def main(port):
        found = [numeric_addresses("127.0.0.1", port)[0]] * 3
        for turns in range(9):
            task = asyncio.ensure_future(network_async._connect_first(found, [], stagger=0))
            if turns < 8:
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
            [outcome] = await asyncio.gather(task, return_exceptions=True)
            is_socket = isinstance(outcome, socket.socket)
            assert still_open() == [outcome] * is_socket
            if is_socket:
                outcome.close()
        assert is_socket

    others = []
    others = still_open()  # left open by earlier tests
    with Server(echo) as server:
        asyncio.run(main(server.port))


def test_addresses_are_not_looked_up():
    """Looking up a numeric address would cost a thread and gain nothing."""
    for host, families in (("127.0.0.1", [FOUR]), ("::1", [SIX]), ("localhost", [])):
        assert families == [family for family, *_ in numeric_addresses(host, 80)]


def test_families_take_turns():
    """If one address family is unreachable, the second attempt already uses the other."""
    families = zip((SIX, SIX, SIX, FOUR), "abcd", strict=True)
    found = [(family, 1, 6, "", where) for family, where in families]

    assert ["a", "d", "b", "c"] == [where for *_, where in interleave(found)]
    assert [] == interleave([])


def test_sockets_send_at_once_and_stay_alive(carry):
    """Nagle's delay costs 40 ms, and gateways drop connections that are silent for minutes."""
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in SOCKET_OPTIONS
    with Server(echo) as server:
        response = carry().send(server.url)
        sock = response.extensions["network_stream"].get_extra_info("socket")
        for level, name, value in SOCKET_OPTIONS:
            assert value == sock.getsockopt(level, name)


def in_clear(peer):
    peer.socket.recv(1000)
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("script", "tls", "host", "settings", "message"),
    [
        (echo, SERVER_TLS, "localhost", {"verify": True}, "CERTIFICATE_VERIFY_FAILED"),
        (echo, SERVER_TLS, "127.0.0.1", {}, r"127\.0\.0\.1"),
        (in_clear, None, "localhost", {}, "SSL"),
    ],
    ids=["another authority", "another name", "no TLS"],
)
def test_a_server_that_can_not_prove_its_name_gets_nothing(
    carry, script, tls, host, settings, message, monkeypatch
):
    """The key goes only to a server with a trusted certificate for the requested name."""
    for name in CERTIFICATES:
        monkeypatch.delenv(name, raising=False)
    wire = carry(**settings)
    with Server(script, tls) as server:
        with pytest.raises(httpx2.ConnectError, match=message):
            wire.send(f"https://{host}:{server.port}/")
        assert [] == [request for peer in server.peers for request in peer.requests]
        assert 0 == wire.connections
