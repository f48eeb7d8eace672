"""Requests and responses over real sockets, whole or in pieces, for both transports."""

from __future__ import annotations

import asyncio
import threading

import httpx2
import pytest
from voyageai.transport import AsyncTransport
from voyageai.transport.config import ConnectionConfig

from .conftest import answered, ask, either_scheme, every_loop
from .scripted_server import HEAD, OK, Server, echo

pytestmark = pytest.mark.smoke


@every_loop
@either_scheme
def test_bodies_of_any_size_arrive_whole_over_one_connection(carry, tls):
    """Small bodies travel with the headers, large ones in many pieces, over plain TCP or TLS."""
    with Server(echo, tls) as server:
        wire = carry()
        for size in (0, 1, 70_000, 3_000_000):
            body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
            assert body == wire.send(server.url, body).content
        assert (1, 1) == (len(server.peers), wire.connections)


@pytest.fixture(params=["directly", "by a proxy"])
def lead(request, carry):
    """Return a transport, and a URL that leads to a server directly or through it as a proxy."""
    if request.param == "directly":
        return lambda server: (carry(), server.url)
    return lambda server: (carry(proxy=server.origin), "http://api.example/v1/embeddings")


def test_head_and_body_of_a_small_request_are_one_write(lead):
    """Two writes would be two packets and two system calls, a tenth of the cost of a call."""
    writes = []

    def script(peer):
        while data := peer.socket.recv(65536):
            writes.append(data)
            peer.answer()

    with Server(script) as server:
        wire, url = lead(server)
        for body in (b"body", b""):
            assert b"ok" == wire.send(url, body).content

    assert 2 == len(writes)
    assert writes[0].endswith(b"\r\n\r\nbody")
    assert writes[1].endswith(b"\r\n\r\n")


def test_bytes_beyond_an_answer_spoil_its_connection(lead):
    """They would become the start of the next response, and so return another call's vectors."""

    def script(peer):
        while peer.read() is not None:
            peer.send(HEAD % 2 + b"ok" + HEAD % 6 + b"poison")

    with Server(script) as server:
        wire, url = lead(server)
        for _ in range(2):
            assert b"ok" == wire.send(url).content
            assert 0 == wire.connections
        assert 2 == len(server.peers)


def test_an_answer_in_the_middle_of_the_request_is_read(carry):
    """A server that refuses a large body says why and stops reading, and users see the reason."""

    def refuse(peer):
        peer.socket.recv(1000)
        peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")

    with Server(refuse) as server:
        wire = carry()
        response = wire.send(server.url, b"x" * 20_000_000)
        assert (413, b"big") == (response.status_code, response.content)
        assert 0 == wire.connections


@every_loop
def test_pieces_are_there_before_the_end_is(carry):
    """A gigabyte file is never whole in memory, and its length is known from the start."""
    steps = [threading.Event(), threading.Event()]

    def script(peer):
        peer.read()
        peer.send(HEAD % 6)
        for step, piece in zip(steps, (b"abc", b"def"), strict=True):
            assert step.wait(10)
            peer.send(piece)
        peer.wait()

    with Server(script) as server:
        wire = carry()
        response = wire.send(server.url, streamed=True)
        assert (200, "6") == (response.status_code, response.headers["content-length"])
        pieces = wire.pieces(response)
        for step, piece in zip(steps, (b"abc", b"def"), strict=True):
            step.set()
            assert piece == next(pieces)
        assert [] == [*pieces]


def test_a_body_that_is_left_half_read_gives_its_place_back(carry):
    """Its connection can't be reused, but the next request must get the slot."""

    def script(peer):
        while peer.read() is not None:
            peer.send(HEAD % 1_000_000 + b"x" * 1_000_000)

    with Server(script) as server:
        wire = carry(max_connections=1)
        for _ in range(2):
            response = wire.send(server.url, streamed=True)
            pieces = wire.pieces(response)
            assert next(pieces)
            with pytest.raises(httpx2.PoolTimeout):
                wire.send(server.url, timeout={"pool": 0.01})
            wire.leave(response)
            assert 0 == wire.connections
        assert 1_000_000 == len(b"".join(wire.pieces(wire.send(server.url, streamed=True))))
        assert 3 == len(server.peers)


def test_each_piece_has_its_time_and_the_whole_has_not(carry):
    """A long download may take its time, and a stalled one raises an error."""
    now, later, sent = 100.0, threading.Event(), threading.Event()

    def script(peer):
        peer.read()
        peer.send(HEAD % 6)
        later.wait(10)
        peer.send(b"abc")
        sent.set()
        peer.wait()

    with Server(script) as server:
        wire = carry(clock=lambda: now)
        response = wire.send(server.url, streamed=True, timeout={"read": 0.5}, deadline=109.0)
        now = 110.0
        later.set()
        assert sent.wait(10)
        pieces = wire.pieces(response)
        assert b"abc" == next(pieces)
        with pytest.raises(httpx2.ReadTimeout):
            next(pieces)
        wire.leave(response)


def test_others_on_the_loop_are_not_kept_waiting():
    """A server faster than the reader never pauses, yet other tasks must still run."""
    size, beats = 300_000, 0
    sent = threading.Event()

    def script(peer):
        peer.read()
        peer.send(OK + b"\r\n" + b"x" * size)
        sent.set()

    async def beat():
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    async def main(url):
        transport = AsyncTransport(ConnectionConfig())
        response = answered(await transport._send(ask(url, streamed=True)))
        assert await asyncio.to_thread(sent.wait, 10)
        beating = asyncio.ensure_future(beat())
        assert size == len(await response.aread())
        beating.cancel()
        await transport.aclose()

    with Server(script) as server:
        asyncio.run(main(server.url))
    assert beats > 1
