"""The pure parts: framing, timeouts, turns, what is kept. No sockets, no clock."""

from __future__ import annotations

import io
import socket
from types import SimpleNamespace

import httpx2
import pytest
from voyageai.transport import timeouts
from voyageai.transport.chunks import Chunks
from voyageai.transport.incoming import Reply
from voyageai.transport.outgoing import Outgoing, repeatable
from voyageai.transport.pool import Idle, Origin, Places
from voyageai.transport.sockets import Address, interleaved
from voyageai.transport.timeouts import Timeouts

from .conftest import ask

URL = "http://localhost/"


def read(answer: bytes, method: str = "GET") -> Reply:
    """A reply that got an answer at once."""
    reply = Reply(method)
    reply.feed(answer)
    return reply


def test_headers_keep_their_case_and_order() -> None:
    """As they came; values lose the spaces around them, and folded lines become one."""
    reply = read(b"HTTP/1.1 200 OK\r\nX-Two:  b \r\nx-one: a\r\n\tc\r\nContent-Length: 0\r\n\r\n")
    assert [(b"X-Two", b"b"), (b"x-one", b"a c"), (b"Content-Length", b"0")] == reply.headers


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\n\n", b"HTTP/1.1 200\r\n\r\n"])
def test_lenient_where_nothing_is_ambiguous(answer: bytes) -> None:
    """Bare newlines and missing reasons are seen in the wild."""
    reply = read(answer)
    reply.end()
    assert (200, True) == (reply.status, reply.done)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX y: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
    ],
)
def test_strict_where_two_readers_may_differ(answer: bytes) -> None:
    """What a gateway and a client read differently lets one answer pass for another."""
    with pytest.raises(httpx2.RemoteProtocolError):
        read(answer)


def test_a_length_beside_chunks_ends_the_connection() -> None:
    """Chunks count, but somebody on the way may have counted by the length."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    chunks = b"\r\n3\r\nabc\r\n0\r\n\r\n"
    alone, both = read(head + chunks), read(head + b"Content-Length: 3" + b"\r\n" + chunks)
    assert b"abc" == alone.content == both.content
    assert (True, False) == (alone.reusable, both.reusable)


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: Close\r\n", False),
        (b"1.1", b"Connection: x, close\r\n", False),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: keep-alive\r\n", True),
    ],
)
def test_who_keeps_connections(version: bytes, connection: bytes, kept: bool) -> None:
    """By version and header."""
    reply = read(b"HTTP/%s 200 OK\r\n%sContent-Length: 0\r\n\r\n" % (version, connection))
    assert kept is reply.reusable


def test_a_claimed_length_costs_nothing_before_it_arrives() -> None:
    """A server that claims an exabyte must not take the client's memory."""
    reply = read(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\nabc")
    room = reply.room()
    assert room is not None
    assert len(room) <= 16 * 1024 * 1024


def test_chunks_may_have_extensions_and_trailers() -> None:
    """They are legal, and nobody needs them."""
    body = io.BytesIO()
    chunks = Chunks(body)
    assert b"next" == chunks.feed(b'3 ;a="b"\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\nnext')
    assert (True, b"abc0123456789") == (chunks.done, body.getvalue())


@pytest.mark.parametrize("data", [b"1" * 5000, b"0\r\n" + b"T: 1234\r\n" * 20_000])
def test_endless_lines_and_trailers_are_refused(data: bytes) -> None:
    """They would fill memory."""
    with pytest.raises(httpx2.RemoteProtocolError, match="too long"):
        Chunks(io.BytesIO()).feed(data)


@pytest.mark.parametrize(
    ("length", "pieces", "said"),
    [("3", [b"abcd"], "longer"), ("3", [b"ab"], "shorter"), ("x", [], "no number")],
)
def test_bodies_are_as_long_as_they_say(length: str, pieces: list[bytes], said: str) -> None:
    """Otherwise the server would take the next request's beginning for this one's end."""
    request = httpx2.Request("POST", URL, headers={"Content-Length": length})
    with pytest.raises(httpx2.LocalProtocolError, match=said):  # noqa: PT012  # whichever step
        outgoing = Outgoing(request)
        for piece in pieces:
            outgoing.piece(piece)
        outgoing.end()


def test_only_bodies_at_hand_are_repeatable() -> None:
    """And only if the sender does not mind."""
    assert repeatable(ask(URL))
    assert not repeatable(ask(URL, repeatable=False))
    assert not repeatable(ask(URL, iter([b"a"])))


def test_a_step_ends_with_its_phase_or_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever is first."""
    # Not the module itself: servers in other threads go by it.
    monkeypatch.setattr(timeouts, "time", SimpleNamespace(monotonic=lambda: 100.0))
    both = Timeouts({"read": 5.0, "write": None}, 103.0)
    assert [103.0, 103.0, 103.0] == [both.end(phase, 100.0) for phase in ("read", "write", "pool")]
    assert 3.0 == both.left("read")
    assert 5.0 == Timeouts({"read": 5.0}, 110.0).left("read")
    assert None is Timeouts({}, None).left("connect")
    with pytest.raises(httpx2.PoolTimeout, match="free connection"):
        Timeouts({}, 100.0).left("pool")


def test_requests_without_extensions_have_no_timeouts() -> None:
    """As in httpx2's own transports."""
    assert Timeouts({}, None) == Timeouts.of(httpx2.Request("GET", URL))


def test_places_are_given_in_order() -> None:
    """A place passes from hand to hand; who came later can't take it meanwhile."""
    places: Places[str] = Places(1)
    assert places.enter()
    assert not places.enter()
    for waiter in ("a", "b", "c"):
        places.wait(waiter)
    assert places.give_up("b")
    assert not places.give_up("b")
    assert "a" == places.leave()
    assert not places.enter()
    assert "c" == places.leave()
    assert None is places.leave()
    assert 0 == places.taken
    assert places.enter()


def test_without_a_bound_nobody_waits() -> None:
    """`max_connections=None`."""
    places: Places[str] = Places(None)
    assert all(places.enter() for _ in range(1000))
    assert 1000 == places.taken


def test_the_connection_used_last_is_taken_first() -> None:
    """The others get the chance to expire."""
    here, there = Origin("http", "a", 80), Origin("https", "a", 443)
    idle: Idle[str] = Idle(10.0)
    for name, origin, now in (("a", here, 0.0), ("b", there, 1.0), ("c", here, 2.0)):
        idle.put(origin, name, now)
    assert "c" == idle.take(here)
    assert ["a"] == idle.expired(10.5)
    assert None is idle.take(here)
    assert ["b"] == idle.beyond(0)
    assert 0 == len(idle)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost/", Origin("http", "localhost", 80)),
        ("https://LOCALHOST:8443/", Origin("https", "localhost", 8443)),
        ("http://[::1]/", Origin("http", "::1", 80)),
        ("https://bücher.example/", Origin("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_origins(url: str, expected: Origin) -> None:
    """Scheme, host and port decide which connections are of use."""
    assert expected == Origin.of(httpx2.Request("GET", url))


def test_families_take_turns() -> None:
    """Where one of them leads nowhere, the second attempt is by the other."""

    def address(family: int, name: str) -> Address:
        return family, socket.SOCK_STREAM, 0, (name, 80)

    six, four = socket.AF_INET6, socket.AF_INET
    resolved = [address(six, "a"), address(six, "b"), address(six, "c"), address(four, "d")]
    assert ["a", "d", "b", "c"] == [where[0] for _, _, _, where in interleaved(resolved)]
    assert [] == interleaved([])
