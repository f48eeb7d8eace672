"""Timeouts of phases and attempts, deadlines, and clocks that stop or jump."""

from __future__ import annotations

import threading
import time

import freezegun
import httpx2
import pytest
import voyageai

from .conftest import embed
from .scripted_server import HEAD, Server, api, echo, silent

pytestmark = pytest.mark.smoke

AT_ONCE = voyageai.RetryPolicy(max_retries=3, initial_delay=0.01)


@pytest.mark.parametrize(
    ("scheme", "size", "limits", "expected"),
    [
        ("https", 2, {"timeout": {"connect": 0.1}}, httpx2.ConnectTimeout),
        ("http", 20_000_000, {"timeout": {"write": 0.1}}, httpx2.WriteTimeout),
        ("http", 2, {"timeout": {"read": 0.1}}, httpx2.ReadTimeout),
        ("https", 2, {"deadline": 0.1}, httpx2.TimeoutException),
        ("http", 20_000_000, {"deadline": 0.1}, httpx2.TimeoutException),
        ("http", 2, {"deadline": 0.1}, httpx2.TimeoutException),
    ],
)
def test_each_phase_has_its_time_and_all_have_the_deadline(carry, scheme, size, limits, expected):
    """Each timeout raises its own exception; connecting includes the TLS handshake."""
    over = threading.Event()
    with Server(lambda peer: over.wait(10)) as server:  # listens and reads nothing
        wire = carry(clock=lambda: 0.0)
        with pytest.raises(expected):
            wire.send(f"{scheme}://localhost:{server.port}/", b"x" * size, **limits)
        assert 0 == wire.connections
        over.set()


def test_an_attempt_that_takes_too_long_is_followed_by_another(call):
    """A server that hangs once costs one timeout, as with the official client."""
    with Server(lambda peer: (api if peer.number else silent)(peer)) as server:
        result = call(server.base, max_retries=AT_ONCE, timeout=0.5)
        assert [[0.0]] == result.embeddings
        assert 1 == len(server.peers[0].requests)
        assert len(server.peers) >= 2


def drip(peer):
    """Send a body without end, each byte in time."""
    peer.read()
    peer.send(HEAD % 1000)
    while True:
        peer.send(b".")
        time.sleep(0.01)


def flood(peer):
    """Send interim responses without end, which the HTTP library skips."""
    peer.read()
    while True:
        peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)


@pytest.mark.parametrize("script", [drip, flood])
def test_an_answer_without_end_is_within_the_time_of_its_attempt(call, script):
    """The timeout bounds an attempt as a whole; in the official client such a call never ends."""
    with Server(script) as server, pytest.raises(voyageai.error.Timeout) as caught:
        call(server.base, max_retries=AT_ONCE, timeout=0.1)
    assert 4 == caught.value.attempts


def stopping(peer):
    """Send part of a body and stop."""
    peer.read()
    peer.send(HEAD % 9 + b"abc")
    peer.wait()


def redirecting(peer):
    """Send one slow redirect after another."""
    while peer.read() is not None:
        time.sleep(0.2)
        peer.send(b"HTTP/1.1 302 Found\r\nLocation: /v1/x\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("script", [stopping, redirecting])
def test_a_content_is_within_the_deadline(call, script):
    """The deadline covers all redirects and pauses of a download together."""
    with Server(script) as server, pytest.raises(voyageai.error.DeadlineError):
        call(server.base, lambda vo: vo.files.content("file-1", timeout=60, deadline=0.3).read())


@pytest.mark.parametrize("made", ["before", "within"])
def test_a_stopped_clock_blocks_nothing(call, made):
    """Users' tests freeze time around real calls, and such calls must not hang."""
    freezer = freezegun.freeze_time("2031-05-01")

    def act(client):
        if made == "before":
            freezer.start()
        return embed(client)

    with Server(api) as server:
        if made == "within":
            freezer.start()
        try:
            assert [[0.0]] == call(server.base, act, deadline=60).embeddings
        finally:
            freezer.stop()


def test_a_clock_that_jumps_leaves_connections_of_no_use_behind(carry):
    """A frozen clock may start anywhere; at worst, idle connections are replaced."""
    with Server(echo) as server:
        wire = carry()
        for jump in ("2031-05-01", "2001-05-01"):
            with freezegun.freeze_time(jump):
                assert b"x" == wire.send(server.url, b"x").content
        assert b"x" == wire.send(server.url, b"x").content
