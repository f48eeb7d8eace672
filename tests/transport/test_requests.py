"""Requests and answers over real sockets, for both transports."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from .conftest import Carry, Looping, ask
from .scripted_server import Peer, Server, echo, saying

OK = b"HTTP/1.1 200 OK\r\n"


def test_a_request_is_answered(carry: Carry) -> None:
    """Status, reason, headers, body and the request itself are all there."""
    with Server(saying(OK + b"X-Request-Id: r1\r\nContent-Length: 2\r\n\r\nhi")) as server:
        request = ask(server.url)
        response = carry().send(request)

    assert (200, "OK", b"hi") == (response.status_code, response.reason_phrase, response.content)
    assert "r1" == response.headers["x-request-id"]
    assert request is response.request
    assert "HTTP/1.1" == response.http_version


def test_the_request_arrives_as_it_was_made(carry: Carry) -> None:
    """Path, query, host and headers are what the server decides by."""
    with Server(echo) as server:
        carry().send(ask(f"{server.url}?a=b%20c", headers={"X-One": "1"}))
        head, body = server.peers[0].requests[0]

    assert head.startswith(b"POST /v1/embeddings?a=b%20c HTTP/1.1\r\n")
    assert b"\r\nX-One: 1\r\n" in head
    assert b"\r\nHost: 127.0.0.1:%d\r\n" % server.port in head
    assert b"{}" == body


@pytest.mark.parametrize("size", [0, 1, 60_000, 70_000, 3_000_000])
def test_bodies_of_any_size_arrive_whole(carry: Carry, size: int) -> None:
    """Small ones travel with the headers, large ones in many pieces."""
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    with Server(echo) as server:
        carrier = carry()
        for _ in range(2):
            assert body == carrier.send(ask(server.url, body)).content
        assert 1 == len(server.peers)


def test_streamed_bodies_are_sent_in_chunks(carry: Carry) -> None:
    """Uploads need not be held in memory."""

    def parts() -> Iterator[bytes]:
        yield from (b"one", b"", b"two" * 50_000)

    async def async_parts() -> AsyncIterator[bytes]:
        for part in parts():
            yield part

    with Server(echo) as server:
        carrier = carry()
        content = async_parts() if isinstance(carrier, Looping) else parts()
        assert b"one" + b"two" * 50_000 == carrier.send(ask(server.url, content)).content


def test_a_body_that_fails_leaves_its_own_exception(carry: Carry) -> None:
    """It is the caller's; and the connection, which has half a request, is not used again."""

    def parts() -> Iterator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    async def async_parts() -> AsyncIterator[bytes]:
        for part in parts():
            yield part

    with Server(echo) as server:
        carrier = carry()
        content = async_parts() if isinstance(carrier, Looping) else parts()
        with pytest.raises(ZeroDivisionError):
            carrier.send(ask(server.url, content))
        assert 0 == carrier.connections


def test_connections_are_kept(carry: Carry) -> None:
    """A new one costs round trips, and more with TLS."""
    with Server(echo) as server:
        carrier = carry()
        for number in range(5):
            assert b"%d" % number == carrier.send(ask(server.url, b"%d" % number)).content

        assert 1 == len(server.peers)
        assert 1 == carrier.connections


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", id="said so"),
        pytest.param(OK + b"\r\nok", id="without a length"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", id="HTTP/1.0"),
    ],
)
def test_connections_that_can_not_be_kept_are_closed(carry: Carry, answer: bytes) -> None:
    """Bytes left on them would be taken for the next answer."""
    with Server(saying(answer)) as server:
        carrier = carry()
        for _ in range(2):
            assert b"ok" == carrier.send(ask(server.url)).content
            assert 0 == carrier.connections
        assert 2 == len(server.peers)


@pytest.mark.parametrize("rest", [b"x", OK + b"Content-Length: 6\r\n\r\npoison"])
def test_bytes_beyond_an_answer_spoil_its_connection(carry: Carry, rest: bytes) -> None:
    """Otherwise they would be the beginning of the next answer: somebody else's vectors."""

    def script(peer: Peer) -> None:
        while peer.read() is not None:
            peer.send(OK + b"Content-Length: 2\r\n\r\nok" + rest)

    with Server(script) as server:
        carrier = carry()
        for _ in range(2):
            assert b"ok" == carrier.send(ask(server.url)).content
            assert 0 == carrier.connections
        assert 2 == len(server.peers)


def test_an_answer_in_the_middle_of_the_request_is_read(carry: Carry) -> None:
    """A server that refuses a large body says why, and stops reading."""

    def refuse(peer: Peer) -> None:
        peer.socket.recv(1000)
        peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
        time.sleep(0.02)  # the reset that follows would overtake it

    with Server(refuse) as server:
        carrier = carry()
        response = carrier.send(ask(server.url, b"x" * 20_000_000))
        assert (413, b"big") == (response.status_code, response.content)
        assert 0 == carrier.connections


def test_compressed_bodies_are_decompressed(carry: Carry) -> None:
    """Only if asked for; but some gateways do not wait to be asked."""
    import gzip

    packed = gzip.compress(b"hello")
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with Server(saying(head + packed)) as server:
        assert b"hello" == carry().send(ask(server.url)).content


def test_bodies_that_can_not_be_decompressed_are_errors_of_the_library(carry: Carry) -> None:
    """They become an exception of ours like all errors of the library."""
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
    with (
        Server(saying(head + b"junk")) as server,
        pytest.raises(httpx2.DecodingError),
    ):
        carry().send(ask(server.url))


def test_other_schemes_are_refused(carry: Carry) -> None:
    """With the same exception as httpx2's own transports."""
    with pytest.raises(httpx2.UnsupportedProtocol):
        carry().send(ask("ftp://127.0.0.1/x"))


def test_the_deadline_of_a_request_that_had_time_is_not_in_its_way(carry: Carry) -> None:
    """It bounds, and does nothing else."""
    with Server(echo) as server:
        deadline = time.monotonic() + 5
        assert 200 == carry().send(ask(server.url, deadline=deadline)).status_code


def test_head_and_body_of_a_small_request_are_one_write(carry: Carry) -> None:
    """Two would be two packets and two system calls, a tenth of the cost of a call."""
    first: list[bytes] = []

    def script(peer: Peer) -> None:
        while data := peer.socket.recv(65536):
            first.append(data)
            peer.answer()

    carrier = carry()
    with Server(script) as server:
        for request in (ask(server.url, b"body"), ask(server.url, None, method="GET")):
            assert b"ok" == carrier.send(request).content

    assert 2 == len(first)
    assert first[0].startswith(b"POST ")
    assert first[0].endswith(b"\r\n\r\nbody")
    assert first[1].startswith(b"GET ")
