"""Failures on the way, for both transports: the exception, and the connections left open."""

from __future__ import annotations

import gc
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable

import httpcore2
import httpx2
import pytest
import voyageai
from httpcore2 import WriteTimeout
from voyageai.transport.network import Exchange
from voyageai.transport.network import _Stream as Stream

from .conftest import Carry, Embed, ask, kept
from .scripted_server import Peer, Server, echo, saying

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = 0.15
"""A timeout that is to be reached."""
LEEWAY = 4.0
"""How much later than that is still punctual, on a busy machine; other timeouts are longer."""


def origin_of(failure: BaseException) -> BaseException:
    """Return the first cause of a failure."""
    while (earlier := failure.__cause__ or failure.__context__) is not None:
        failure = earlier
    return failure


def refused() -> str:
    """A URL where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return f"http://127.0.0.1:{unused.getsockname()[1]}/"


def test_nobody_there_is_a_connect_error(carry: Carry) -> None:
    """The request was not sent, so it can be sent again; the cause stays in the chain."""
    carrier = carry()
    request = ask(refused())
    with pytest.raises(httpx2.ConnectError) as caught:
        carrier.send(request)

    assert request is caught.value.request
    assert isinstance(origin_of(caught.value), OSError)
    assert 0 == carrier.connections


def test_a_connection_error_says_where_to(embed: Embed) -> None:
    """A wrong host, port or proxy is the usual cause."""
    url = httpx2.URL(refused())
    with pytest.raises(voyageai.error.APIConnectionError) as direct:
        embed(f"{url}v1")
    with pytest.raises(voyageai.error.APIConnectionError) as proxied:
        embed("https://api.example/v1", proxy=f"http://user:word@127.0.0.1:{url.port}")
    with (
        Server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")) as server,
        pytest.raises(voyageai.error.APIConnectionError) as broken,
    ):
        embed(f"{server.origin}/v1")

    said = "Error communicating with VoyageAI: ConnectError "
    assert str(direct.value).startswith(said)
    assert str(direct.value).endswith(f" (connecting to 127.0.0.1:{url.port})")
    end = f" (connecting to api.example:443 through proxy http://127.0.0.1:{url.port})"
    assert str(proxied.value).endswith(end)
    assert str(broken.value).endswith(f" (connected to 127.0.0.1:{server.port})")


@pytest.mark.parametrize("host", ["voyage.invalid", "x" * 64 + ".invalid"])
def test_names_that_lead_nowhere_are_connect_errors(carry: Carry, host: str) -> None:
    """Unknown names, and those that no host can have."""
    with pytest.raises((httpx2.ConnectError, httpx2.ConnectTimeout)):
        carry().send(ask(f"http://{host}/", timeout={"connect": 2.0}))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="half a head"),
        pytest.param(OK + b"Content-Length: 10\r\n\r\n12345", id="half a body"),
        pytest.param(OK + b"Content-Length: 1000000\r\n\r\n" + b"x" * 70_000, id="half a long one"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc", id="half a chunk"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", id="no last chunk"),
        pytest.param(b"SSH-2.0-OpenSSH_9.0\r\n", id="another protocol"),
        pytest.param(b"HTTP/2 200 OK\r\n\r\n", id="another version"),
        pytest.param(b"HTTP/1.1 20 OK\r\n\r\n", id="garbage status"),
        pytest.param(b"HTTP/1.1 200 " + b"x" * 70_000, id="endless status line"),
        pytest.param(OK + b"X: y\r\n" * 20_000, id="endless headers"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000, id="endless interim answers"),
        pytest.param(OK + b"no colon\r\n\r\n", id="not a header"),
        pytest.param(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two lengths"),
        pytest.param(OK + b"Content-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", id="unknown coding"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", id="not a size"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", id="chunk too long"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", id="another protocol unasked"),
    ],
)
def test_broken_answers_are_protocol_errors(carry: Carry, answer: bytes) -> None:
    """Each says what is wrong, names its request, and leaves no connection behind."""
    with Server(saying(answer)) as server:
        carrier = carry()
        request = ask(server.url)
        with pytest.raises(httpx2.RemoteProtocolError, match=r"\w+ \w+") as caught:
            carrier.send(request)

        assert request is caught.value.request
        assert 0 == carrier.connections


@pytest.mark.parametrize("answer", [b"", OK, OK + b"Content-Length: 10\r\n\r\n12345"])
def test_resets_are_read_errors(carry: Carry, answer: bytes) -> None:
    """Before, within and after the headers; not sent again, as the server has the request."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.send(answer)
        time.sleep(0.02)  # the reset would overtake what was sent
        peer.reset()

    with Server(script) as server:
        carrier = carry()
        with pytest.raises(httpx2.ReadError) as caught:
            carrier.send(ask(server.url))

        assert isinstance(origin_of(caught.value), OSError)
        assert (0, 1) == (carrier.connections, len(server.peers))


def test_resets_while_the_request_is_sent_are_transport_errors(carry: Carry) -> None:
    """The reset is seen by the write or by the read, by chance."""

    def script(peer: Peer) -> None:
        peer.socket.recv(1000)
        peer.reset()

    with Server(script) as server:
        carrier = carry()
        with pytest.raises((httpx2.NetworkError, httpx2.RemoteProtocolError)):
            carrier.send(ask(server.url, b"x" * 20_000_000))
        assert 0 == carrier.connections


def drip(peer: Peer) -> None:
    """Send a body so slowly that no read times out."""
    peer.read()
    peer.send(OK + b"Content-Length: 1000\r\n\r\n")
    while True:
        peer.send(b".")
        time.sleep(0.01)


def silent(peer: Peer) -> None:
    """Take a request and say nothing."""
    peer.read()
    peer.wait()


def deaf(peer: Peer) -> None:
    """Listen and accept nothing."""
    gone.wait(5)


gone = threading.Event()


@pytest.mark.parametrize(
    ("script", "expected"), [(silent, httpx2.ReadTimeout), (deaf, httpx2.WriteTimeout)]
)
@pytest.mark.parametrize("by", ["phase", "deadline"])
def test_timeouts_are_punctual(
    carry: Carry, script: object, expected: type[Exception], by: str
) -> None:
    """A phase that takes too long ends in time, and so does the deadline of the call."""
    gone.clear()
    with Server(script) as server:  # type: ignore[arg-type]  # mypy does not follow parametrize
        carrier = carry()
        body = b"x" * 20_000_000 if script is deaf else b""
        request = ask(server.url, body, timeout={"read": SHORT, "write": SHORT})
        start = time.monotonic()
        if by == "deadline":
            request = ask(server.url, body, deadline=start + SHORT)
        with pytest.raises(expected if by == "phase" else httpx2.TimeoutException) as caught:
            carrier.send(request)
        took = time.monotonic() - start
        gone.set()

        assert SHORT - 0.01 <= took < SHORT + LEEWAY
        assert request is caught.value.request  # type: ignore[attr-defined]  # of httpx2
        assert 0 == carrier.connections


def test_a_dripping_body_does_not_outlive_the_deadline(carry: Carry) -> None:
    """Every read is quick, and yet the whole must end."""
    with Server(drip) as server:
        carrier = carry()
        start = time.monotonic()
        with pytest.raises(httpx2.ReadTimeout):
            carrier.send(ask(server.url, timeout={"read": 1.0}, deadline=start + SHORT))

        assert SHORT - 0.01 <= time.monotonic() - start < SHORT + LEEWAY
        assert 0 == carrier.connections


def test_each_step_has_its_time_and_all_have_the_deadline() -> None:
    """The read timeout is about silence, not about the whole; the deadline is about the whole."""
    now = 100.0
    exchange = Exchange(lambda: now)
    asked: list[float | None] = []

    class Noting(httpcore2.MockStream):
        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            asked.append(timeout)
            return super().read(max_bytes, timeout)

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            asked.append(timeout)

    stream = Stream(Noting([b"."] * 9), exchange)
    for at in (100.0, 104.0, 108.0):
        now = at
        stream.read(1, 5.0)
    exchange.deadline = 110.0
    stream.read(1, 5.0)
    stream.write(b".", None)
    now = 110.0
    for step, expected in ((stream.read, httpcore2.ReadTimeout), (stream.write, WriteTimeout)):
        with pytest.raises(expected, match="the time for this attempt is over"):
            step(b"." if step == stream.write else 1, 5.0)

    assert [5.0, 5.0, 5.0, 2.0, 2.0] == asked


def test_a_deadline_in_the_past_sends_nothing(carry: Carry) -> None:
    """It is over before it began."""
    with Server(echo) as server:
        carrier = carry()
        with pytest.raises(httpx2.TimeoutException):
            carrier.send(ask(server.url, deadline=time.monotonic() - 1))
        assert [] == [request for peer in server.peers for request in peer.requests]


def test_connecting_times_out(carry: Carry) -> None:
    """A full backlog and a host that is switched off look the same: silence."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            carrier = carry()
            start = time.monotonic()
            with pytest.raises(httpx2.ConnectTimeout):
                carrier.send(ask(f"http://127.0.0.1:{address[1]}/", timeout={"connect": SHORT}))
            assert SHORT - 0.01 <= time.monotonic() - start < SHORT + LEEWAY
        finally:
            for filler in fillers:
                filler.close()


def test_an_exception_that_is_kept_does_not_spoil_the_garbage(carry: Carry) -> None:
    """Callers keep exceptions, in cycles too; freeing half a body must not complain then."""

    class Report:
        failure: Exception

    def send(url: str) -> None:
        report = Report()
        try:
            carry().send(ask(url))
        except httpx2.TransportError as failure:
            report.failure = failure

    answer = OK + b"Content-Length: 1000000\r\n\r\n" + b"x" * 100_000
    with Server(saying(answer)) as server:
        send(server.url)
        gc.collect()  # what can't be freed becomes a warning, and so an error


def dropping(peer: Peer) -> None:
    """Take a request and go."""
    peer.read()
    peer.reset()


@pytest.mark.parametrize(
    "script",
    [
        dropping,
        silent,
        drip,
        saying(b"SSH-2.0-OpenSSH_9.0\r\n"),
        saying(b"HTTP/1.1 500 No\r\n\r\n"),
    ],
    ids=["reset", "silent", "drip", "garbage", "status"],
)
def test_the_key_is_in_no_log_and_no_frame_of_a_traceback(
    embed: Embed, script: Callable[[Peer], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Error trackers keep the variables of all frames, those of HTTP libraries too."""
    caplog.set_level(logging.DEBUG)
    with Server(script) as server, pytest.raises(voyageai.error.VoyageError) as caught:
        embed(f"{server.origin}/v1", timeout=1.0 if script in (silent, drip) else 60.0)
    told = [caplog.text, repr(caught.value)]
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    told += [line for line in shown.format() if __file__ not in line and "conftest.py" not in line]

    assert b"Bearer pa-key" in server.peers[0].requests[0][0]
    assert [] == [text for text in told if "pa-key" in text]
    assert any("embed" in text for text in told)


@pytest.mark.parametrize("status", [b"400 Bad Request", b"200 OK"])
def test_what_a_server_says_is_printable_wherever_it_is_shown(
    embed: Embed, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes that act on terminals come through real headers and real JSON."""
    caplog.set_level(logging.DEBUG)
    body = rb'{"detail": "no\u001b[2J\r\nforged\u202e", "data": [{"index": "\u001b"}]}'
    answer = (b"HTTP/1.1 %b\r\nx-request-id: r\x9b2J\xc2\x85\r\nContent-Length: %d\r\n\r\n%b") % (
        status,
        len(body),
        body,
    )
    with Server(saying(answer)) as server, pytest.raises(voyageai.error.VoyageError) as caught:
        embed(f"{server.origin}/v1")
    shown = [str(caught.value), str(caught.value.__cause__), *caplog.messages]

    assert str(caught.value).startswith(r"Request r\x9b2J")
    assert [] == [line for line in shown if not line.isprintable()]


@pytest.mark.parametrize("name", ["x-a", b"transfer-encoding", "Transfer-Encoding ", ""])
def test_a_header_that_can_not_be_sent_opens_no_connection(embed: Embed, name: str) -> None:
    """Not the first of four tries, which would be told as one that may have been carried out."""
    with Server(echo) as server:
        with pytest.raises(voyageai.error.ArgumentError, match="extra_headers") as caught:
            embed(f"{server.origin}/v1", max_retries=3, extra_headers={name: "a\r\nb: c"})
        assert [] == server.peers

    assert (0, False) == (caught.value.attempts, caught.value.outcome_unknown)


def test_a_slot_whose_request_failed_is_not_kept(carry: Carry) -> None:
    """Its transport may take its connection to be in use, and let the next request wait forever."""
    carrier = carry()

    def script(peer: Peer) -> None:
        peer.read()
        peer.finish()

    with Server(script) as server:
        with pytest.raises(httpx2.RemoteProtocolError):
            carrier.send(ask(server.url))
        assert [] == kept(carrier.slots)
