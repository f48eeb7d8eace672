"""Which HTTP transport carries the requests: our own, or httpx2's where a proxy is in between."""

from __future__ import annotations

import functools
import ssl
import warnings
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2
from attrs import frozen

Verify = bool | str | ssl.SSLContext

# httpx2 forgets an idle connection after 5 s; calls that come a little slower would each pay for a
# new TLS handshake.
LIMITS = httpx2.Limits(max_connections=256, max_keepalive_connections=256, keepalive_expiry=60.0)


class InsecureWarning(UserWarning):
    """The key travels in the open, or to a host that was not verified."""


@frozen(kw_only=True)
class Wire:
    """How to reach hosts.

    Attributes:
        proxy: URL of a proxy for all hosts, or proxies by scheme; None for those that the
            environment names.
        verify: Whether, or with what, certificates are checked.
        limits: Bounds of the pool of connections.
    """

    proxy: str | Mapping[str, str] | None = None
    verify: Verify = True
    limits: httpx2.Limits = LIMITS

    def __attrs_post_init__(self) -> None:
        if self.verify is False:
            warnings.warn(
                "verify=False: certificates are not checked, so anybody on the way can read the "
                "API key.",
                InsecureWarning,
                stacklevel=7,
            )

    def proxy_of(self, scheme: str, host: str) -> str | None:
        """The proxy between here and a host."""
        if isinstance(self.proxy, str):
            return self.proxy
        if self.proxy is not None:
            return self.proxy.get(scheme)
        if proxy_bypass(host):
            return None
        found = getproxies()
        return found.get(scheme) or found.get("all")

    def context(self) -> ssl.SSLContext:
        """The TLS context; made once for each way of verifying, as that costs more than a call."""
        return _context(self.verify)

    def bounds(self) -> dict[str, Any]:
        """Arguments of our own transports."""
        return {
            "max_connections": self.limits.max_connections,
            "max_keepalive_connections": self.limits.max_keepalive_connections,
            "keepalive_expiry": self.limits.keepalive_expiry,
        }

    def arguments(self, proxy: str | None) -> dict[str, Any]:
        """Arguments of httpx2's own transports."""
        return {
            "proxy": None if proxy is None else httpx2.Proxy(proxy),
            "verify": self.context(),
            "limits": self.limits,
            "trust_env": False,
        }


@functools.cache
def _context(verify: Verify) -> ssl.SSLContext:
    if isinstance(verify, ssl.SSLContext):
        return verify
    if isinstance(verify, str):
        return ssl.create_default_context(cafile=verify)
    return httpx2.create_ssl_context(verify=verify)


def warn_if_open(url: str) -> None:
    """Warn when the key would travel unencrypted to another machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    loopback = host in ("localhost", "::1") or host.startswith("127.")
    if parts.scheme == "http" and not loopback:
        warnings.warn(
            f"{url} is not encrypted: anybody on the way can read the API key. Use https.",
            InsecureWarning,
            stacklevel=6,
        )
