"""Whatever a server says: an answer or one kind of exception, the same from both transports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from voyageai.transport.blocking import Connections
from voyageai.transport.incoming import Reply, respond
from voyageai.transport.looping import AsyncConnections

from .conftest import ask, no_context
from .scripted import Peer, Server

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
        self.loop = asyncio.new_event_loop()
        self.blocking = Connections(no_context)
        self.looping = AsyncConnections(no_context)
        self.url = server.url

    def outcomes(self) -> list[Outcome]:
        def request() -> httpx2.Request:
            return ask(self.url, headers={"Connection": "close"})

        async def looping() -> httpx2.Response:
            return await self.looping.handle_async_request(request())

        found: list[Outcome] = []
        for send in (
            lambda: self.blocking.handle_request(request()),
            lambda: self.loop.run_until_complete(looping()),
        ):
            try:
                found.append(outcome_of(send()))
            except httpx2.TransportError as failure:
                found.append((type(failure), str(failure)))
        return found

    def close(self) -> None:
        self.blocking.close()
        self.loop.run_until_complete(self.looping.aclose())
        self.loop.close()


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


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers())
@example(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\njunk")
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\n")
@example(b"\r\n\r\n")
def test_any_answer_means_the_same_to_both(pair: Pair, answer: bytes) -> None:
    """A response, or a transport error, whose kind and words are equal."""
    said[:] = [answer]
    blocking, looping = pair.outcomes()
    assert blocking == looping
    assert 0 == pair.blocking.open_connections == pair.looping.open_connections


def parsed(answer: bytes, cuts: list[int]) -> Outcome:
    """What comes of an answer that arrives in pieces and then ends, without a network."""
    reply = Reply("POST")
    edges = [0, *sorted(cut for cut in cuts if cut < len(answer)), len(answer)]
    try:
        for start, stop in pairwise(edges):
            data = answer[start:stop]
            while data and not reply.done:
                room = reply.room()
                if room is None:
                    reply.feed(data)
                    break
                count = min(len(room), len(data))
                room[:count] = data[:count]
                del room
                reply.filled(count)
                data = data[count:]
        reply.end()
        return outcome_of(respond(reply, ask("http://localhost/")))
    except httpx2.TransportError as failure:
        return type(failure), str(failure)
    finally:
        reply.close()


@settings(max_examples=500)
@given(answers(), st.lists(st.integers(0, 200), max_size=8))
@example(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", [*range(70)]
)
def test_where_an_answer_is_cut_does_not_matter(answer: bytes, cuts: list[int]) -> None:
    """Networks cut where they like."""
    whole, pieces = parsed(answer, []), parsed(answer, cuts)
    if isinstance(whole[0], type):
        assert whole[0] is pieces[0]  # the words may quote what had arrived
    else:
        assert whole == pieces
