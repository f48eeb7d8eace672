"""Requests through HTTP, HTTPS and SOCKS proxies over the default transport."""

from __future__ import annotations

import logging
import select
import socket
import ssl

import httpx2
import pytest
import voyageai

from .scripted_server import CLIENT_TLS, PATIENCE, SERVER_TLS, Server, api, echo


def relay(peer, port):
    """Forward bytes between a socket and a local port until one side closes.

    One thread does both directions, as TLS must not be read and written at once.
    """
    with socket.create_connection(("127.0.0.1", port)) as other:
        to = {peer.socket: other, other: peer.socket}
        while True:
            at_hand = [one for one in to if isinstance(one, ssl.SSLSocket) and one.pending()]
            for source in at_hand or select.select([*to], [], [], PATIENCE)[0]:
                if not (data := source.recv(65536)):
                    return
                to[source].sendall(data)


def tunnel(peer):
    """Run a proxy that opens tunnels for clients with its password."""
    peer.read()
    head = peer.requests[0][0]
    if b"\r\nProxy-Authorization: Basic dXNlcjp3b3Jk\r\n" not in head:
        peer.send(b"HTTP/1.1 407 Who Are You\r\nContent-Length: 0\r\n\r\n")
        return
    peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
    relay(peer, int(head.split()[1].rpartition(b":")[2]))


def socks(peer):
    """Run a SOCKS 5 proxy that asks for a password if the client offers one."""
    sock = peer.socket
    count = sock.recv(2)[1]
    method = sock.recv(count)
    sock.sendall(b"\x05" + method)
    if method == b"\x02":
        _, length = sock.recv(2)
        user = sock.recv(length)
        peer.requests.append((user, sock.recv(sock.recv(1)[0])))
        sock.sendall(b"\x01\x00")
    assert b"\x05\x01\x00" == sock.recv(3)
    kind = sock.recv(1)
    sock.recv(4 if kind == b"\x01" else sock.recv(1)[0])
    port = int.from_bytes(sock.recv(2), "big")
    sock.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    relay(peer, port)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_encrypted_requests_go_through_a_tunnel_that_is_kept(carry, scheme):
    """The proxy learns the host but not the key, and may itself be reached over TLS."""
    key = {"Authorization": "Bearer pa-key"}
    with (
        Server(echo, SERVER_TLS) as server,
        Server(tunnel, SERVER_TLS if scheme == "https" else None) as proxy,
    ):
        wire = carry(proxy=f"{scheme}://user:word@localhost:{proxy.port}")
        for size in (3, 1_000_000, 3):
            body = b"x" * size
            assert body == wire.send(server.url, body, headers=key).content
        ((head, _),) = proxy.peers[0].requests
        assert b"Bearer pa-key" in server.peers[0].requests[0][0]
        assert (1, 1) == (len(server.peers), len(proxy.peers))

    assert head.startswith(b"CONNECT localhost:%d HTTP/1.1\r\n" % server.port)
    assert b"pa-key" not in head


def test_a_proxy_that_refuses_is_a_connection_error(call):
    """Nothing was sent to the API, so the call is safe to retry."""
    with (
        Server(tunnel) as proxy,
        pytest.raises(voyageai.error.APIConnectionError, match="407 Who Are You") as caught,
    ):
        call("https://api.example/v1", proxy=proxy.origin)
    assert isinstance(caught.value.__cause__, httpx2.ProxyError)
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("reply", [b"\x05\x00\x00\x09\x00", b"HTTP/1.1 400 No\r\n\r\n", b""])
def test_a_socks_proxy_that_talks_nonsense_is_a_connection_error(call, reply):
    """Users catch one exception, not those of the package that implements SOCKS."""
    pytest.importorskip("socksio")

    def nonsense(peer):
        peer.socket.recv(100)
        peer.send(reply)
        peer.finish()

    with Server(nonsense) as proxy, pytest.raises(voyageai.error.APIConnectionError):
        call("https://localhost:9/v1", proxy=f"socks5://127.0.0.1:{proxy.port}")


def test_a_new_connection_by_socks_is_not_taken_for_an_old_one(call):
    """Only a request on a reused connection may be sent again without being a retry."""
    pytest.importorskip("socksio")

    def closing(peer):
        peer.read()
        peer.finish()

    with Server(closing) as server, Server(socks) as proxy:
        with pytest.raises(voyageai.error.APIConnectionError):
            call(server.base, proxy=f"socks5://127.0.0.1:{proxy.port}")
        assert [1] == [len(peer.requests) for peer in server.peers]


@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_no_log_holds_the_password_of_a_proxy(call, scheme, caplog):
    """The HTTP library logs the arguments of its steps at DEBUG."""
    pytest.importorskip("socksio")
    caplog.set_level(logging.DEBUG)
    script = {"socks5": socks, "http": tunnel}[scheme]
    with Server(api, SERVER_TLS) as server, Server(script) as proxy:
        url = f"{scheme}://user:word@127.0.0.1:{proxy.port}"
        assert [[0.0]] == call(server.base, proxy=url, verify=CLIENT_TLS).embeddings
        shown = str(proxy.peers[0].requests)

    assert "(b'user', b'word')" in shown or "dXNlcjp3b3Jk" in shown
    logged = [record for record in caplog.records if record.name.startswith("httpcore2")]
    assert logged
    for secret in ("user", "word", "dXNlcjp3b3Jk"):
        assert not [one for one in logged if secret in one.getMessage().replace("user-agent", "")]
