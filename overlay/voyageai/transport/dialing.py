"""Opening a socket to one of a name's addresses, on an event loop.

`create_connection` can do it too, but uvloop's only one address after the other, and asyncio's
loses an open socket if it is cancelled in the wrong moment.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

from .sockets import Address, interleaved, tune

DELAY = 0.25
"""Seconds until the next address is tried beside one that has not answered (RFC 8305)."""


async def dial(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    """A connection to the address that answers first.

    Raises:
        OSError: The name has no address, or none of them answers.
        ValueError: No host can have this name.
    """
    addresses = interleaved(_literal(host, port) or await _resolve(loop, host, port))
    attempts: list[asyncio.Task[socket.socket]] = []
    winner: socket.socket | None = None
    try:
        for place, address in enumerate(addresses):
            attempts.append(loop.create_task(_connect(loop, address)))
            last = place == len(addresses) - 1
            winner = await _first(attempts, None if last else DELAY)
            if winner is not None:
                return winner
        reason = attempts[-1].exception() if attempts else None
        raise reason or OSError("the name has no address")
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(lambda done: _discard(done, winner))


async def _first(
    attempts: list[asyncio.Task[socket.socket]], delay: float | None
) -> socket.socket | None:
    """The first socket, or None if there is none in time, or the latest attempt fails."""
    pending = {attempt for attempt in attempts if not attempt.done()}
    while pending:
        done, pending = await asyncio.wait(
            pending, timeout=delay, return_when=asyncio.FIRST_COMPLETED
        )
        for attempt in done:
            if attempt.exception() is None:
                return attempt.result()
        if delay is not None and (not done or attempts[-1] in done):
            return None
    return None


def _discard(attempt: asyncio.Task[socket.socket], winner: socket.socket | None) -> None:
    if not attempt.cancelled() and attempt.exception() is None and attempt.result() is not winner:
        attempt.result().close()


async def _connect(loop: asyncio.AbstractEventLoop, address: Address) -> socket.socket:
    family, kind, protocol, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        tune(sock)
        await loop.sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


def _literal(host: str, port: int) -> list[Address]:
    """An address that needs no looking up, which would take a thread."""
    try:
        version = ip_address(host).version
    except ValueError:
        return []
    if version == 4:
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, (host, port))]
    return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, (host, port, 0, 0))]


async def _resolve(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[Address]:
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, kind, protocol, where) for family, kind, protocol, _, where in found]
