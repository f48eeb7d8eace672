"""Failures on the way: the exception, its message, and the connections left open."""

from __future__ import annotations

import logging
import traceback

import httpx2
import pytest
import voyageai
from hypothesis import example, given
from hypothesis import strategies as st

from .conftest import Wire
from .scripted_server import HEAD, OK, SERVER_TLS, Server, saying, silent, unused

RIGHT = [
    HEAD % 3 + b"abc",
    OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nabc",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nX: \xff\r\n\r\n",
    OK + b"Content-Encoding: gzip\r\n\r\njunk",
]


@st.composite
def answers(draw):
    """Valid responses with a piece replaced by random bytes, or by part of another response."""
    right, other = draw(st.sampled_from(RIGHT)), draw(st.sampled_from(RIGHT))
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(right))] * 2)))
    return right[:start] + draw(st.one_of(st.binary(max_size=20), st.just(other))) + right[end:]


def test_any_answer_means_the_same_to_both_transports():
    """Both clients return the same response or raise an error with the same class and text."""
    said = b""

    def script(peer):
        peer.read()
        peer.send(said)
        peer.finish()

    def outcome(wire):
        try:
            response = wire.send(server.url, headers={"Connection": "close"})
        except httpx2.RequestError as failure:
            return type(failure), str(failure)
        return response.status_code, response.headers.raw, response.content

    @given(answers())
    @example(b"")
    @example(b"SSH-2.0-OpenSSH_9.0\r\n")
    @example(HEAD % 3 + b"abc" + OK)
    @example(HEAD % 5 + b"abc")
    def agree(answer):
        nonlocal said
        said = answer
        assert outcome(wires[0]) == outcome(wires[1])
        assert [0, 0] == [wire.connections for wire in wires]

    wires = (Wire("blocking"), Wire("asyncio"))
    with Server(script) as server:
        agree()
        for wire in wires:
            wire.stop()


def test_a_body_that_breaks_off_is_noticed_in_tls_too(carry):
    """Few servers close TLS properly, and a truncated body must never pass for a whole one."""
    with Server(saying(HEAD % 10 + b"12345"), SERVER_TLS) as server:
        wire = carry()
        with pytest.raises(httpx2.RemoteProtocolError, match="complete message body"):
            wire.send(server.url)
        assert 0 == wire.connections


def test_a_connection_error_says_where_to(call):
    """The usual cause is a wrong host, port or proxy, and the message shows them."""
    port = unused()[1]
    with pytest.raises(voyageai.error.APIConnectionError) as direct:
        call(f"http://127.0.0.1:{port}/v1")
    with pytest.raises(voyageai.error.APIConnectionError) as proxied:
        call("https://api.example/v1", proxy=f"http://user:word@127.0.0.1:{port}")
    with (
        Server(saying(HEAD % 9)) as server,
        pytest.raises(voyageai.error.APIConnectionError) as broken,
    ):
        call(server.base)

    start = "Error communicating with VoyageAI: ConnectError "
    assert str(direct.value).startswith(start)
    assert str(direct.value).endswith(f" (connecting to 127.0.0.1:{port})")
    end = f" (connecting to api.example:443 through proxy http://127.0.0.1:{port})"
    assert str(proxied.value).endswith(end)
    assert str(broken.value).endswith(f" (connected to 127.0.0.1:{server.port})")


def dropping(peer):
    """Read a request and reset the connection."""
    peer.read()
    peer.reset()


@pytest.mark.parametrize(
    "script", [dropping, silent, saying(b"SSH-2.0\r\n")], ids=["reset", "silent", "garbage"]
)
def test_the_key_is_in_no_log_and_no_frame_of_a_traceback(call, script, caplog):
    """Error trackers keep the variables of all frames, those of the HTTP library too."""
    caplog.set_level(logging.DEBUG)
    with Server(script) as server, pytest.raises(voyageai.error.VoyageError) as caught:
        call(server.base, timeout=1.0 if script is silent else 60.0)
    texts = [caplog.text, repr(caught.value)]
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    texts += [line for line in shown.format() if __file__ not in line and "conftest.py" not in line]

    assert b"Bearer pa-key" in server.peers[0].requests[0][0]
    assert [] == [text for text in texts if "pa-key" in text]
    assert any("embed" in text for text in texts)


def test_a_slot_whose_request_failed_is_not_kept(carry):
    """A slot with a broken connection could make the next request wait forever."""
    with Server(saying()) as server:
        wire = carry()
        with pytest.raises(httpx2.RemoteProtocolError):
            wire.send(server.url)
        assert [] == wire.slots
