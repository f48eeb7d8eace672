"""Kept connections between two requests, for both transports."""

from __future__ import annotations

import select
import threading

import httpcore2
import httpx2
import pytest
from voyageai.transport.request import Upload

from .conftest import Body, either_scheme, every_loop
from .scripted_server import Peer, Server, echo

pytestmark = pytest.mark.smoke


@every_loop
@either_scheme
@pytest.mark.parametrize("poison", [False, True], ids=["closed", "poisoned"])
def test_a_connection_closed_or_written_to_while_idle_is_not_reused(carry, tls, poison):
    """Bytes that arrived while it was idle would be taken for the next response."""
    received = threading.Event()

    def script(peer):
        peer.answer(peer.read() or b"")
        if peer.number == 0:
            assert received.wait(10)
            if poison:
                peer.answer(b"poison")
            else:
                peer.finish()
        echo(peer)

    with Server(script, tls) as server:
        wire = carry()
        response = wire.send(server.url)
        received.set()
        sock = response.extensions["network_stream"].get_extra_info("socket")
        assert select.select([sock], [], [], 10)[0]
        assert b"second" == wire.send(server.url, b"second", repeatable=False).content
        assert [1, 1] == [len(peer.requests) for peer in server.peers]
        assert 1 == wire.connections


def half_an_answer(peer):
    peer.send(b"H")
    peer.finish()


def stream():
    return Body(iter([b"on", b"e"]))


def file(length=3):
    return Upload([b"on", b"e"], length, rewinds=True)


@pytest.mark.parametrize(
    ("end", "content", "options", "attempts"),
    [
        pytest.param(Peer.finish, bytes, {}, 2, id="end"),
        pytest.param(Peer.reset, bytes, {}, 2, id="reset"),
        pytest.param(Peer.finish, bytes, {"repeatable": False}, 1, id="not repeatable, end"),
        pytest.param(Peer.reset, bytes, {"repeatable": False}, 1, id="not repeatable, reset"),
        pytest.param(Peer.finish, stream, {}, 1, id="a stream"),
        pytest.param(Peer.finish, file, {}, 1, id="a file that the server may have"),
        pytest.param(half_an_answer, bytes, {}, 1, id="half an answer"),
        pytest.param(Peer.wait, bytes, {"timeout": {"read": 0.1}}, 1, id="silence"),
    ],
)
def test_a_request_on_a_closed_connection_is_sent_once_more(
    carry, monkeypatch, end, content, options, attempts
):
    """A repeatable request survives a server that closes the kept connection unanswered."""
    monkeypatch.setattr(httpcore2.HTTP11Connection, "has_expired", lambda self: False)
    monkeypatch.setattr(httpcore2.AsyncHTTP11Connection, "has_expired", lambda self: False)

    def script(peer):
        peer.read()
        peer.answer()
        if peer.number == 0:
            peer.read()
            end(peer)

    with Server(script) as server:
        wire = carry()
        wire.send(server.url)
        if attempts == 2:
            assert b"ok" == wire.send(server.url, content(), **options).content
        else:
            with pytest.raises(httpx2.TransportError):
                wire.send(server.url, content(), **options)
        assert [2, 1][:attempts] == [len(peer.requests) for peer in server.peers]
        assert attempts - 1 == wire.connections


@every_loop
@pytest.mark.parametrize("end", [Peer.finish, Peer.reset], ids=["end", "reset"])
def test_a_request_that_was_sent_on_a_new_connection_is_not_sent_once_more(carry, end):
    """The server may have begun to carry out the request, so a repetition could act twice."""
    received = threading.Event()

    def script(peer):
        peer.read()
        if peer.number == 0:
            peer.answer()
            assert received.wait(10)
            peer.finish()
        else:
            end(peer)

    with Server(script) as server:
        wire = carry()
        response = wire.send(server.url)
        received.set()
        sock = response.extensions["network_stream"].get_extra_info("socket")
        assert select.select([sock], [], [], 10)[0]
        with pytest.raises(httpx2.TransportError):
            wire.send(server.url)
        assert [1, 1] == [len(peer.requests) for peer in server.peers]


def test_a_file_can_be_sent_again_until_its_last_piece_is_handed_over():
    """A server can't store half a file, but one of unknown length may be complete at any piece."""
    known, unknown = file(), file(None)
    assert [True, False] == [known.repeatable for _ in known]
    assert [False, False] == [unknown.repeatable for _ in unknown]
    next(iter(known))
    assert known.repeatable


def test_idle_connections_expire(carry):
    """Servers and gateways drop idle connections too, some without closing them."""
    now = 100.0
    with Server(echo) as server:
        wire = carry(clock=lambda: now, keepalive_expiry=60.0)
        for later, expected in ((0.0, 1), (59.0, 1), (60.0, 2)):
            now += later
            wire.send(server.url)
            assert expected == len(server.peers)
        assert 1 == wire.connections


@pytest.mark.parametrize(
    ("limits", "counts"),
    [
        ({"max_connections": 1}, (2, 1)),
        ({"max_connections": None, "max_keepalive_connections": 1}, (1, 1)),
    ],
    ids=["in all", "idle"],
)
def test_no_more_connections_are_kept_than_allowed(carry, limits, counts):
    """An idle connection makes room for another host, and a surplus one is closed."""
    with Server(echo) as one, Server(echo) as other:
        wire = carry(**limits)
        for server in (one, other, one):
            wire.send(server.url, timeout={"pool": 1.0})
            assert 1 == wire.connections
        assert counts == (len(one.peers), len(other.peers))


def test_closing_ends_all_connections(carry):
    """The server sees each connection close, those in use after their response is read."""
    ended = threading.Semaphore(0)

    def script(peer):
        echo(peer)
        ended.release()

    with Server(script) as server:
        wire = carry()
        streamed = wire.send(server.url, streamed=True)
        wire.send(server.url)
        wire.close()
        assert ended.acquire(timeout=10)
        assert b"{}" == b"".join(wire.pieces(streamed))
        assert ended.acquire(timeout=10)
