"""What every socket is set to, where it may lead, and whether it has something to say."""

from __future__ import annotations

import select
import socket
from itertools import chain, zip_longest
from typing import Any

# Family, type, protocol, and where, as the family has it.
Address = tuple[int, int, int, Any]

# A connection that waits for minutes for its answer must not be forgotten on the way.
KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPALIVE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5))


def tune(sock: socket.socket) -> None:
    """Send without delay, and keep idle connections alive."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        option = getattr(socket, name, None)  # platforms have one or the other
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def readable(number: int) -> bool:
    """Whether a socket, by its file number, has bytes or an end to read."""
    if hasattr(select, "poll"):
        poll = select.poll()  # unlike select, for any file number
        poll.register(number, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([number], [], [], 0)[0])


def interleaved(addresses: list[Address]) -> list[Address]:
    """Addresses of the two families in turn, so that one that leads nowhere costs one attempt."""
    first = addresses[0][0] if addresses else 0
    same = [address for address in addresses if address[0] == first]
    others = [address for address in addresses if address[0] != first]
    return [address for address in chain(*zip_longest(same, others)) if address is not None]
