"""Bodies that are read as they arrive, and files that are read as they are sent."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpcore2
import httpx2
import pytest
from voyageai.transport import AsyncTransport
from voyageai.transport.request import Upload

from .conftest import Blocking, Carrier, Carry, answered, ask, step, wire
from .scripted_server import Peer, Server, saying

pytestmark = pytest.mark.smoke

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
LONG = bytes(range(256)) * 4096
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Reader:
    """The body of an answer, piece by piece, whichever transport it comes from."""

    def __init__(self, carrier: Carrier, response: httpx2.Response) -> None:
        self.carrier = carrier
        self.response = response
        self._pieces: Any = (
            response.iter_raw() if isinstance(carrier, Blocking) else response.aiter_raw()
        )

    def piece(self) -> bytes:
        """The next piece; nothing at the end."""
        if isinstance(self.carrier, Blocking):
            return next(self._pieces, b"")
        return self.carrier.run(anext(self._pieces, b""))

    def rest(self) -> bytes:
        """All that is left."""
        return b"".join(iter(self.piece, b""))

    def close(self) -> None:
        if isinstance(self.carrier, Blocking):
            self.response.close()
        else:
            self.carrier.run(self.response.aclose())


def opened(carrier: Carrier, url: str, **extensions: Any) -> Reader:
    """An answer whose body is left to be read."""
    return Reader(carrier, carrier.send(ask(url, None, method="GET", streamed=True, **extensions)))


def waits_between(first: bytes, second: bytes) -> tuple[Callable[[Peer], None], threading.Event]:
    """A script that sends the second part when it is told to, and goes on to answer."""
    event = threading.Event()

    def script(peer: Peer) -> None:
        peer.read()
        peer.send(first)
        event.wait(10)
        peer.send(second)
        while peer.read() is not None:
            peer.answer()

    return script, event


def test_pieces_are_there_before_the_end_is(carry: Carry) -> None:
    """A file of a gigabyte is never whole in memory."""
    script, event = waits_between(HEAD % 6 + b"abc", b"def")
    with Server(script) as server:
        reader = opened(carry(), server.url)
        assert 200 == reader.response.status_code
        assert b"abc" == reader.piece()
        event.set()
        assert b"def" == reader.rest()


def test_headers_without_a_body_are_an_answer_already(carry: Carry) -> None:
    """Status and length are looked at before the first byte."""
    script, event = waits_between(HEAD % 3, b"abc")
    with Server(script) as server:
        reader = opened(carry(), server.url)
        assert "3" == reader.response.headers["content-length"]
        event.set()
        assert b"abc" == reader.rest()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_long_body_arrives_whole_and_its_connection_is_used_again(
    carry: Carry, chunked: bool
) -> None:
    """Many pieces, of any size, in order."""

    def script(peer: Peer) -> None:
        while peer.read() is not None:
            if not chunked:
                peer.send(HEAD % len(LONG) + LONG)
                continue
            peer.send(CHUNKED)
            for start in range(0, len(LONG), 9999):
                piece = LONG[start : start + 9999]
                peer.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            peer.send(b"0\r\n\r\n")

    carrier = carry()
    with Server(script) as server:
        for _ in range(3):
            reader = opened(carrier, server.url)
            assert LONG == reader.rest()
            reader.close()
        assert 1 == len(server.peers)
        assert 1 == carrier.connections


def test_a_body_that_ends_with_the_connection(carry: Carry) -> None:
    """Old servers tell no length."""
    with Server(saying(b"HTTP/1.0 200 OK\r\n\r\n" + LONG)) as server:
        carrier = carry()
        reader = opened(carrier, server.url)
        assert LONG == reader.rest()
        reader.close()
        assert 0 == carrier.connections


def test_one_that_is_left_half_read_gives_its_place_back(carry: Carry) -> None:
    """The next request can't use the connection, but must get one."""

    def script(peer: Peer) -> None:
        while peer.read() is not None:
            peer.send(HEAD % len(LONG) + LONG)

    carrier = carry(max_connections=1)
    with Server(script) as server:
        for _ in range(3):
            reader = opened(carrier, server.url)
            assert reader.piece()
            reader.close()
            reader.close()
        assert 3 == len(server.peers)
        carrier.settle()
        assert 0 == carrier.connections
        held = opened(carrier, server.url)
        with pytest.raises(httpx2.PoolTimeout):
            opened(carrier, server.url, timeout={"pool": 0.05})
        held.close()
        assert LONG == opened(carrier, server.url).rest()


def test_refusals_are_read_whole(carry: Carry) -> None:
    """Their reason is in the body."""
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"
    with Server(saying(answer)) as server:
        response = carry().send(ask(server.url, None, method="GET", streamed=True))
    assert (404, b"gone") == (response.status_code, response.content)


@pytest.mark.parametrize("answer", [HEAD % 9 + b"abc", CHUNKED + b"9\r\nabc"])
def test_a_body_that_breaks_off_is_no_body(carry: Carry, answer: bytes) -> None:
    """Bytes that arrived are given first; the break is not mistaken for the end of the file."""
    with Server(saying(answer)) as server:
        reader = opened(carry(), server.url)
        assert b"abc" == reader.piece()
        with pytest.raises(httpx2.RemoteProtocolError, match="complete message body") as caught:
            reader.rest()
        assert "GET" == caught.value.request.method
        reader.close()


def test_each_piece_has_its_time_and_the_whole_has_not(carry: Carry) -> None:
    """A long download is no failure; one that stands still is."""
    script, event = waits_between(HEAD % 6 + b"abc", b"def")
    now = time.monotonic()
    with Server(script) as server:
        carrier = carry(clock=lambda: now)
        reader = opened(carrier, server.url, timeout={"read": 0.5}, deadline=now + 9)
        now += 10
        assert b"abc" == reader.piece()
        with pytest.raises(httpx2.ReadTimeout):
            reader.piece()
        reader.close()
        event.set()


def test_no_more_is_read_than_somebody_takes(carry: Carry) -> None:
    """A slow reader of a fast server must not fill the memory."""
    size, sent = 64 * 1024 * 1024, 0

    def script(peer: Peer) -> None:
        nonlocal sent
        peer.read()
        peer.send(HEAD % size)
        with suppress(OSError):
            while sent < size:
                peer.send(LONG)
                sent += len(LONG)

    carrier = carry()
    with Server(script) as server:
        reader = opened(carrier, server.url)
        seen = len(reader.piece())
        for _ in range(20):
            carrier.settle()
        time.sleep(0.2)
        assert sent < size / 2
        seen += len(reader.rest())
        reader.close()
        assert size == seen


def test_others_on_the_loop_are_not_kept_waiting() -> None:
    """A server that is faster than the reader always has something there, and so no pause."""
    size, beats = 8 * len(LONG), 0

    def script(peer: Peer) -> None:
        peer.read()
        peer.send(HEAD % size + 8 * LONG)

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    async def main(url: str) -> None:
        transport = AsyncTransport(wire())
        response = answered(await transport._send(step(ask(url, streamed=True))))
        await asyncio.sleep(0.2)  # all of it, or what there is room for, has arrived
        beating = asyncio.ensure_future(beat())
        assert size == len(await response.aread())
        beating.cancel()
        await transport.aclose()

    with Server(script) as server:
        asyncio.run(main(server.url))
    assert beats > 20


def test_over_tls(carry: Carry, trusting: ssl.SSLContext, server_context: ssl.SSLContext) -> None:
    """Pausing and closing are other things there."""

    def script(peer: Peer) -> None:
        while peer.read() is not None:
            peer.send(HEAD % (8 * len(LONG)) + 8 * LONG)

    carrier = carry(trusting)
    with Server(script, server_context) as server:
        url = f"https://localhost:{server.port}/"
        reader = opened(carrier, url)
        assert reader.piece()
        reader.close()
        reader = opened(carrier, url)
        for _ in range(5):
            carrier.settle()
        assert 8 * LONG == reader.rest()
        reader.close()
        assert 1 == carrier.connections


def test_what_is_compressed_is_decompressed_as_it_comes(carry: Carry) -> None:
    """A server may compress although it was asked not to."""
    body = gzip.compress(LONG)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    with Server(saying(head % len(body) + body)) as server:
        carrier = carry()
        response = opened(carrier, server.url).response
        if isinstance(carrier, Blocking):
            content = response.read()
        else:
            content = carrier.run(response.aread())
    assert LONG == content


class Pieces(httpx2.SyncByteStream):
    """A body that notes how often it is begun."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.begun = 0

    def __iter__(self) -> Iterator[bytes]:
        self.begun += 1
        yield from self.pieces


def uploading(
    url: str, body: Pieces, on_sent: Callable[[], object] | None = None
) -> httpx2.Request:
    """A request with a file."""
    length = sum(map(len, body.pieces))
    request = ask(url, b"", repeatable=False)
    request.headers["Content-Length"] = str(length)
    request.stream = Upload(body, length, on_sent, rewinds=True)
    return request


def test_pieces_are_told_of_once_they_are_sent(carry: Carry) -> None:
    """A progress bar shows them."""
    told: list[int] = []

    def script(peer: Peer) -> None:
        peer.read()
        peer.answer()

    with Server(script) as server:
        body = Pieces(b"ab", b"cd", b"ef")
        request = uploading(server.url, body, lambda: told.append(len(told)))
        assert 200 == carry().send(request).status_code
        assert b"abcdef" == server.peers[0].requests[0][1]
    assert [0, 1, 2] == told


def test_a_file_that_was_sent_to_its_end_is_not_sent_again_by_itself(
    carry: Carry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may have stored it before it closed the idle connection."""
    monkeypatch.setattr(httpcore2.HTTP11Connection, "has_expired", lambda self: False)
    monkeypatch.setattr(httpcore2.AsyncHTTP11Connection, "has_expired", lambda self: False)

    def script(peer: Peer) -> None:
        peer.read()
        peer.answer()
        if peer.number == 0:
            peer.read()
            peer.finish()

    carrier = carry()
    with Server(script) as server:
        carrier.send(ask(server.url))
        body = Pieces(b"ab", b"cd")
        with pytest.raises(httpx2.TransportError):
            carrier.send(uploading(server.url, body))
    assert 1 == body.begun


def test_what_was_not_handed_over_can_be_sent_again() -> None:
    """Half a file can't be stored."""
    upload = Upload(Pieces(b"ab", b"cd"), 4, rewinds=True)
    pieces = iter(upload)
    assert upload.repeatable
    assert b"ab" == next(pieces)
    assert upload.repeatable
    assert b"cd" == next(pieces)
    assert not upload.repeatable
    assert b"ab" == next(iter(upload))
    assert upload.repeatable


def test_a_body_of_unknown_length_may_be_complete_at_any_time() -> None:
    """So it is never taken for half a file."""
    upload = Upload(Pieces(b"ab", b"cd"), None, rewinds=True)
    next(iter(upload))
    assert not upload.repeatable
    assert not Upload(Pieces(b"ab"), 2, rewinds=False).repeatable
