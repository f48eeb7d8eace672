"""TLS, with certificates made for the tests, for both transports."""

from __future__ import annotations

import ssl
import time

import httpx2
import pytest
from voyageai.transport.config import CERTIFICATES

from .conftest import Carry, ask
from .scripted_server import Peer, Server, echo, saying

pytestmark = pytest.mark.smoke

Context = ssl.SSLContext


def at(server: Server, name: str = "localhost") -> str:
    return f"https://{name}:{server.port}/"


@pytest.mark.parametrize("size", [2, 3_000_000])
def test_requests_travel_encrypted(
    carry: Carry, trusting: Context, server_context: ssl.SSLContext, size: int
) -> None:
    """Small and large bodies, over one connection."""
    with Server(echo, server_context) as server:
        carrier = carry(trusting)
        for _ in range(3):
            assert b"x" * size == carrier.send(ask(at(server), b"x" * size)).content
        assert 1 == len(server.peers)
        assert isinstance(server.peers[0].socket, ssl.SSLSocket)


@pytest.mark.parametrize(
    "verify", [True, ssl.create_default_context()], ids=["by default", "by a context"]
)
def test_unknown_authorities_are_refused(
    carry: Carry,
    server_context: ssl.SSLContext,
    verify: ssl.SSLContext | bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Anybody can make a certificate."""
    for name in CERTIFICATES:
        monkeypatch.delenv(name, raising=False)
    with Server(echo, server_context) as server:
        carrier = carry(verify)
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            carrier.send(ask(at(server)))
        assert 0 == carrier.connections


def test_certificates_of_other_names_are_refused(
    carry: Carry, trusting: Context, server_context: ssl.SSLContext
) -> None:
    """A known authority vouches for a name, not for everybody."""
    with Server(echo, server_context) as server:
        carrier = carry(trusting)
        with pytest.raises(httpx2.ConnectError, match=r"127\.0\.0\.1"):
            carrier.send(ask(at(server, "127.0.0.1")))
        assert 0 == carrier.connections


def test_the_server_is_told_the_name(
    carry: Carry, trusting: Context, server_context: ssl.SSLContext
) -> None:
    """Many names share an address; without it the wrong certificate would come."""
    names: list[str | None] = []
    server_context.sni_callback = lambda sock, name, context: names.append(name)
    try:
        with Server(echo, server_context) as server:
            carry(trusting).send(ask(at(server)))
    finally:
        server_context.sni_callback = None
    assert ["localhost"] == names


def test_a_server_without_tls_is_a_connect_error(carry: Carry, trusting: Context) -> None:
    """The scheme is wrong; nothing was sent."""

    def answer_in_clear(peer: Peer) -> None:
        peer.socket.recv(1000)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Server(answer_in_clear) as server:
        carrier = carry(trusting)
        with pytest.raises(httpx2.ConnectError):
            carrier.send(ask(at(server)))
        assert 0 == carrier.connections


def test_a_silent_handshake_times_out(carry: Carry, trusting: Context) -> None:
    """Opening a connection includes it."""
    with Server(lambda peer: peer.wait()) as server:
        carrier = carry(trusting)
        with pytest.raises(httpx2.ConnectTimeout):
            carrier.send(ask(at(server), timeout={"connect": 0.1}))
        assert 0 == carrier.connections


def test_truncated_bodies_are_noticed(
    carry: Carry, trusting: Context, server_context: ssl.SSLContext
) -> None:
    """A missing end is noticed with TLS as without."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"
    with Server(saying(answer), server_context) as server:
        carrier = carry(trusting)
        with pytest.raises(httpx2.RemoteProtocolError, match="complete message body"):
            carrier.send(ask(at(server)))
        assert 0 == carrier.connections


def test_closed_connections_are_replaced(
    carry: Carry, trusting: Context, server_context: ssl.SSLContext
) -> None:
    """The server's goodbye on an idle connection is seen before the next request."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with Server(saying(answer), server_context) as server:
        carrier = carry(trusting)
        for _ in range(2):
            assert b"ok" == carrier.send(ask(at(server), repeatable=False)).content
            time.sleep(0.02)
        assert 2 == len(server.peers)
