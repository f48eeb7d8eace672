"""Time: attempts that take too long, and clocks that stand still or jump."""

from __future__ import annotations

import asyncio
import time

import freezegun
import pytest
import voyageai
from voyageai.transport import Transport
from voyageai.transport.config import ConnectionConfig

from .conftest import Embed, answered, ask, step
from .scripted_server import Peer, Server, api, echo

pytestmark = pytest.mark.smoke

AT_ONCE = voyageai.RetryPolicy(max_retries=3, initial_delay=0.01)


def test_an_attempt_that_takes_too_long_is_followed_by_another(embed: Embed) -> None:
    """A server that is silent once costs one timeout; the official client answers then too."""

    def silent_once(peer: Peer) -> None:
        if peer.number == 0:
            peer.read()
            peer.wait()
        else:
            api(peer)

    with Server(silent_once) as server:
        assert [[0.0]] == embed(f"{server.origin}/v1", max_retries=AT_ONCE, timeout=0.5)
        assert 1 == len(server.peers[0].requests)
        assert len(server.peers) >= 2


def test_an_answer_that_drips_is_within_the_time_of_its_attempt(embed: Embed) -> None:
    """Each byte comes in time; in the official client such an answer never ends."""

    def drip(peer: Peer) -> None:
        peer.read()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            peer.send(b".")
            time.sleep(0.01)

    with Server(drip) as server, pytest.raises(voyageai.error.Timeout) as caught:
        embed(f"{server.origin}/v1", max_retries=AT_ONCE, timeout=0.1)
    assert 4 == caught.value.attempts


def test_interim_answers_without_end_are_within_the_time_too(embed: Embed) -> None:
    """The library passes over interim answers, for ever if it may."""

    def flood(peer: Peer) -> None:
        peer.read()
        while True:
            peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)

    with Server(flood) as server, pytest.raises(voyageai.error.Timeout):
        embed(f"{server.origin}/v1", timeout=0.3)


def test_a_content_that_stops_is_within_the_deadline() -> None:
    """Of what is read at once: the last silence has what is left, not the whole time again."""

    def stopping(peer: Peer) -> None:
        peer.read()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        peer.wait()

    async def main(url: str) -> None:
        async with voyageai.AsyncClient("k", base_url=url) as vo:
            await vo.files.content("file-1", timeout=60, deadline=0.5).read()

    with Server(stopping) as server:
        with pytest.raises(voyageai.error.DeadlineError):
            asyncio.run(main(f"{server.origin}/v1"))
        with pytest.raises(voyageai.error.DeadlineError):
            voyageai.Client("k", base_url=f"{server.origin}/v1").files.content(
                "file-1", timeout=60, deadline=0.5
            ).read()


def test_redirects_of_a_content_are_within_the_deadline() -> None:
    """Each has what is left, not the whole time again."""

    def slow(peer: Peer) -> None:
        while peer.read() is not None:
            time.sleep(0.2)
            peer.send(b"HTTP/1.1 302 Found\r\nLocation: /v1/x\r\nContent-Length: 0\r\n\r\n")

    async def main(url: str) -> None:
        async with voyageai.AsyncClient("k", base_url=url) as vo:
            await vo.files.content("file-1", deadline=0.3).read()

    with Server(slow) as server:
        with pytest.raises(voyageai.error.DeadlineError):
            asyncio.run(main(f"{server.origin}/v1"))
        with pytest.raises(voyageai.error.DeadlineError):
            voyageai.Client("k", base_url=f"{server.origin}/v1").files.content(
                "file-1", deadline=0.3
            ).read()


@pytest.mark.parametrize("made", ["before", "within"])
def test_a_clock_that_stands_still_is_in_nobodys_way(embed: Embed, made: str) -> None:
    """Tests freeze time around code that makes real calls, before or after making the client."""
    with Server(api) as server:
        url = f"{server.origin}/v1"
        with freezegun.freeze_time("2031-05-01"):
            assert [[0.0]] == embed(url, timeout=30, deadline=60)
        if made == "before":
            client = voyageai.Client("k", base_url=url, timeout=30, deadline=60)
            with freezegun.freeze_time("2031-05-01"), client:
                client.embed(["a"], model="voyage-4", input_type="query")


def test_a_clock_that_jumps_leaves_connections_of_no_use_behind() -> None:
    """Frozen clocks start at another time; what was idle before is replaced at worst."""
    transport = Transport(ConnectionConfig())
    with Server(echo) as server:
        for jump in ("2031-05-01", "2001-05-01", None):
            request = ask(server.url, b"x")
            if jump is None:
                assert b"x" == answered(transport._send(step(request))).content
            else:
                with freezegun.freeze_time(jump):
                    assert b"x" == answered(transport._send(step(request))).content
        transport.close()
