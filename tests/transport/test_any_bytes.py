"""Whatever a server says: an answer or one kind of exception, the same from both transports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .conftest import Blocking, Looping, ask, wire
from .scripted_server import Peer, Server

Outcome = tuple[int, list[tuple[bytes, bytes]], bytes] | tuple[type[Exception], str]

HEADERS = st.sampled_from(
    [
        b"Content-Length: 3",
        b"content-length:3, 3",
        b"Content-Length: 5",
        b"Content-Length: 99999999999999999999",
        b"Content-Length: x",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Connection: close",
        b"Connection: keep-alive",
        b"Content-Encoding: gzip",
        b"Content-Type: application/json; charset=nonsense",
        b" folded",
        b"X: \xff\xfe",
        b"No colon",
        b"Space : x",
        b"",
    ]
)
BODIES = st.one_of(
    st.binary(max_size=20),
    st.lists(
        st.sampled_from([b"3\r\n", b"abc", b"\r\n", b"0\r\n", b"3;x=y\r\n", b"T: 1\r\n", b"\n"])
    ).map(b"".join),
)
STATUS_LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 200",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 999 \xff",
        b"HTTP/1.1 0200 OK",
        b"HTTP/1.2 200 OK",
        b"http/1.1 200 OK",
        b"",
    ]
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Answers that are right, nearly right, or nothing of the kind."""
    lines = [draw(STATUS_LINES), *draw(st.lists(HEADERS, max_size=4)), b"", b""]
    whole = draw(st.sampled_from([b"\r\n", b"\n"])).join(lines) + draw(BODIES)
    return draw(st.sampled_from([whole, whole * 2, whole[:-1], draw(st.binary(max_size=40))]))


def outcome_of(response: httpx2.Response) -> Outcome:
    return response.status_code, response.headers.raw, response.content


class Pair:
    """Both transports, asking the same server."""

    def __init__(self, server: Server) -> None:
        self.carriers = (Blocking(wire()), Looping(wire(), asyncio.new_event_loop()))
        self.url = server.url

    def outcomes(self) -> list[Outcome]:
        found: list[Outcome] = []
        for carrier in self.carriers:
            try:
                found.append(
                    outcome_of(carrier.send(ask(self.url, headers={"Connection": "close"})))
                )
            except httpx2.RequestError as failure:
                found.append((type(failure), str(failure)))
        return found

    def close(self) -> None:
        for carrier in self.carriers:
            carrier.stop()


said: list[bytes] = []


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Both transports, and a server that says to each connection what `said` holds, then ends."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.send(said[0])
        peer.finish()

    with Server(script) as server:
        pair = Pair(server)
        yield pair
        pair.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers())
@example(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\njunk")
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\n")
@example(b"\r\n\r\n")
def test_any_answer_means_the_same_to_both(pair: Pair, answer: bytes) -> None:
    """A response, or a transport error, whose kind and words are equal."""
    said[:] = [answer]
    blocking, looping = pair.outcomes()
    assert blocking == looping
    assert [0, 0] == [carrier.connections for carrier in pair.carriers]
