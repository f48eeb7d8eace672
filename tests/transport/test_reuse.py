"""Connections that the server closes while they are idle, for both transports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import httpcore2
import httpx2
import pytest

from .conftest import Carry, Looping, ask, kept
from .scripted_server import Peer, Server, echo, saying

pytestmark = pytest.mark.smoke


def closing_after_one(closed: threading.Event) -> Callable[[Peer], None]:
    """The first connection is closed after its first answer, later ones are kept."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.answer(b"first" if peer.number == 0 else b"second")
        if peer.number == 0:
            peer.close()
            closed.set()
        else:
            echo(peer)

    return script


def test_a_connection_closed_while_idle_is_not_used(carry: Carry) -> None:
    """It is looked at first, so nothing is sent into the void, not even what can't be repeated."""
    closed = threading.Event()
    with Server(closing_after_one(closed)) as server:
        carrier = carry()
        assert b"first" == carrier.send(ask(server.url)).content
        assert closed.wait(5)
        time.sleep(0.01)

        assert b"second" == carrier.send(ask(server.url, repeatable=False)).content
        assert [1, 1] == [len(peer.requests) for peer in server.peers]
        assert 1 == carrier.connections


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's close comes just after the look: as if every idle connection were fine."""
    monkeypatch.setattr(httpcore2.HTTP11Connection, "has_expired", lambda self: False)
    monkeypatch.setattr(httpcore2.AsyncHTTP11Connection, "has_expired", lambda self: False)


def dying(how: str) -> Callable[[Peer], None]:
    """The first connection takes a second request and dies; later ones answer."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.answer(b"first")
        if peer.number:
            echo(peer)
        elif peer.read() is not None:
            if how == "reset":
                peer.reset()
            elif how == "half":
                peer.send(b"H")
                peer.finish()
            else:
                peer.finish()

    return script


@pytest.mark.parametrize("how", ["end", "reset"])
def test_a_request_that_met_a_closed_connection_is_sent_once_more(
    carry: Carry, blind: None, how: str
) -> None:
    """Servers close idle connections when they like; the caller should not notice."""
    with Server(dying(how)) as server:
        carrier = carry()
        carrier.send(ask(server.url))
        assert b"first" == carrier.send(ask(server.url)).content
        assert [2, 1] == [len(peer.requests) for peer in server.peers]
        assert 1 == carrier.connections


@pytest.mark.parametrize("how", ["end", "reset"])
def test_what_must_not_be_repeated_is_not(carry: Carry, blind: None, how: str) -> None:
    """The server may have done it: the caller says `repeatable=False`."""
    with Server(dying(how)) as server:
        carrier = carry()
        carrier.send(ask(server.url))
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)) as caught:
            carrier.send(ask(server.url, repeatable=False))

        assert caught.value.request.extensions["repeatable"] is False
        assert 1 == len(server.peers)
        assert 0 == carrier.connections


def test_streams_are_not_repeated(carry: Carry, blind: None) -> None:
    """A stream that was read is empty the second time."""

    def parts() -> Iterator[bytes]:
        yield b"one"

    async def async_parts() -> object:
        yield b"one"

    with Server(dying("end")) as server:
        carrier = carry()
        carrier.send(ask(server.url))
        content = async_parts() if isinstance(carrier, Looping) else parts()
        with pytest.raises(httpx2.RemoteProtocolError):
            carrier.send(ask(server.url, content))
        assert 1 == len(server.peers)


def test_an_answer_that_had_begun_is_not_asked_for_again(carry: Carry, blind: None) -> None:
    """One byte shows that the server had the request."""
    with Server(dying("half")) as server:
        carrier = carry()
        carrier.send(ask(server.url))
        with pytest.raises(httpx2.RemoteProtocolError):
            carrier.send(ask(server.url))
        assert 1 == len(server.peers)


def test_a_new_connection_gets_no_second_chance(carry: Carry) -> None:
    """It was not idle, so the server means it."""
    with Server(saying()) as server:
        carrier = carry()
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            carrier.send(ask(server.url))
        assert 1 == len(server.peers)


def test_timeouts_on_used_connections_are_not_repeated(carry: Carry) -> None:
    """The server is alive, and at work."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.answer()
        peer.read()
        peer.wait()

    with Server(script) as server:
        carrier = carry()
        carrier.send(ask(server.url))
        with pytest.raises(httpx2.ReadTimeout):
            carrier.send(ask(server.url, timeout={"read": 0.05}))
        assert 1 == len(server.peers)


def test_bytes_on_an_idle_connection_spoil_it(carry: Carry) -> None:
    """They would pass for the answer to the next request: somebody else's vectors."""
    spoil = threading.Event()
    spoiled = threading.Event()

    def script(peer: Peer) -> None:
        peer.read()
        peer.answer()
        if peer.number == 0:
            spoil.wait(5)
            peer.answer(b"poison")
            spoiled.set()
        echo(peer)

    with Server(script) as server:
        carrier = carry()
        carrier.send(ask(server.url))
        spoil.set()
        assert spoiled.wait(5)
        time.sleep(0.01)
        assert b"ok" == carrier.send(ask(server.url)).content
        assert 2 == len(server.peers)


def test_idle_connections_expire(carry: Carry) -> None:
    """Servers forget them too, and some gateways without a word."""
    now = 100.0
    with Server(echo) as server:
        carrier = carry(clock=lambda: now, keepalive_expiry=60.0)
        for later, expected in ((0.0, 1), (59.0, 1), (60.0, 2)):
            now += later
            carrier.send(ask(server.url))
            assert expected == len(server.peers)
        assert 1 == carrier.connections


def test_idle_connections_to_elsewhere_make_room(carry: Carry) -> None:
    """The bound is on all connections; an idle one must not keep another host waiting."""
    with Server(echo) as one, Server(echo) as other:
        carrier = carry(max_connections=1)
        for server in (one, other, one):
            carrier.send(ask(server.url, timeout={"pool": 0.1}))
            assert 1 == carrier.connections
        assert (2, 1) == (len(one.peers), len(other.peers))


def test_closing_ends_all_connections(carry: Carry) -> None:
    """And the server sees it; one in use at that moment ends when its answer is read."""
    ended = threading.Semaphore(0)

    def script(peer: Peer) -> None:
        echo(peer)
        ended.release()

    with Server(script) as server:
        carrier = carry()
        streamed = carrier.send(ask(server.url, streamed=True))
        carrier.send(ask(server.url))
        slots = carrier.slots
        assert 1 == len(kept(slots))
        carrier.close()
        assert ended.acquire(timeout=5)
        if isinstance(carrier, Looping):
            carrier.run(streamed.aclose())
        else:
            streamed.close()
        assert ended.acquire(timeout=5)
        assert 0 == len(kept(slots))
