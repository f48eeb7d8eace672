"""Who can reach an address."""

from __future__ import annotations

import ipaddress
import logging

__all__ = ["check_host"]

LOGGER = logging.getLogger("voyageai_emulator")


def check_host(host: str, allow: str, *, allowed: bool) -> None:
    """Refuse a host that other machines can reach; if it is allowed, warn.

    Args:
        host: Address to listen at.
        allow: What has to be said to allow it.
        allowed: Whether that was said.

    Raises:
        ValueError: It can be reached, and was not allowed.
    """
    if _loopback(host):
        return
    if not allowed:
        raise ValueError(
            f"other machines can reach the host {host!r}, and anybody who does could use the "
            f"emulator; if that is meant, add {allow}"
        )
    LOGGER.warning("the emulator listens at %s: anybody who can reach its port can use it", host)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, of whatever address
        return False
