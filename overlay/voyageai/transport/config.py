"""Settings of connections: proxies and certificates, from arguments or the environment."""

from __future__ import annotations

import functools
import os
import re
import ssl
import warnings
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.request import getproxies, getproxies_environment, proxy_bypass

import httpx2
from attrs import field, frozen

from .._utils import Url, stacklevel, with_hidden_passwords
from ..error import ArgumentError
from ..extras import install
from .request import has_valid_host, read_url

Verify = bool | str | ssl.SSLContext

# HTTPX2 drops a connection that is idle for 5 s, so that slightly slower calls would each pay for a
# new TLS handshake.
LIMITS = httpx2.Limits(max_connections=256, max_keepalive_connections=256, keepalive_expiry=60.0)
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables with a file or folder of trusted certificates; the first that is set counts."""
SCHEMES = ("http", "https", "socks5", "socks5h")
PORTS = {"http": 80, "https": 443}


class InsecureWarning(UserWarning):
    """The key is sent unencrypted, or to a host that is not verified."""


@frozen(kw_only=True)
class ConnectionConfig:
    """Settings of connections.

    Attributes:
        proxy: URL of a proxy for all hosts, or URLs by scheme; None for the environment's proxies.
        verify: True or False, a path of certificates, or a TLS context.
        limits: Limits of the pool of connections.

    Raises:
        ArgumentError: A proxy, the certificates or the limits are not usable.
    """

    proxy: str | Mapping[str, str] | None = field(default=None, repr=False)  # may hold a password
    verify: Verify = True
    limits: httpx2.Limits = LIMITS

    def __attrs_post_init__(self) -> None:
        given = {"https": self.proxy} if isinstance(self.proxy, str) else (self.proxy or {})
        for scheme, url in given.items():
            if scheme not in PORTS or not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may set anything
                raise ArgumentError(
                    f"proxy has {scheme!r}; it maps 'http' and 'https' to URLs of proxies", "proxy"
                )
            _proxy(url, "proxy")
        if not isinstance(self.verify, (bool, str, ssl.SSLContext)):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may set anything
            raise ArgumentError(
                "verify must be True, False, a path or an ssl.SSLContext, not "
                f"{type(self.verify).__name__}",
                "verify",
            )
        if not hasattr(self.limits, "max_connections"):  # legacy httpx's are accepted too
            raise ArgumentError(
                f"limits must be an httpx2.Limits, not {type(self.limits).__name__}", "limits"
            )
        if isinstance(self.verify, str):
            self.context()
        if self.verify is False:
            warnings.warn(
                "verify=False: certificates are not checked, so anybody on the network path can "
                "read the API key.",
                InsecureWarning,
                stacklevel=stacklevel(),
            )

    def proxy_for(self, url: httpx2.URL) -> httpx2.Proxy | None:
        """Return the proxy for a URL, or None.

        Raises:
            ArgumentError: The environment's proxy is not usable.
        """
        if self.proxy is not None:
            given = self.proxy if isinstance(self.proxy, str) else self.proxy.get(url.scheme)
            return _proxy(given, "proxy") if given else None
        found: dict[str, str] = with_hidden_passwords(getproxies_environment())
        if not found:  # the operating system's settings, with rules of their own
            found = {} if proxy_bypass(url.host) else with_hidden_passwords(getproxies())
        elif bypassed(found.get("no", ""), url):
            return None
        for kind in (url.scheme, "all"):
            if found.get(kind):
                return _proxy(found[kind], _variable(f"{kind}_proxy"))
        return None

    def context(self) -> ssl.SSLContext:
        """Return the TLS context, which is cached per setting, as making it is slow.

        Raises:
            ArgumentError: The certificates can't be read.
        """
        if isinstance(self.verify, ssl.SSLContext):
            return self.verify
        place, path = "verify", self.verify if isinstance(self.verify, str) else ""
        if self.verify is True:
            named = ((name, os.environ.get(name, "")) for name in CERTIFICATES)
            place, path = next((pair for pair in named if pair[1]), ("", ""))
        try:
            return _context(bool(self.verify), path)
        except (OSError, ValueError) as failure:
            raise ArgumentError(
                f"the certificates at {path!r}, named by {place}, can't be read ({failure}); "
                "name a file of certificates in PEM form, or a folder of them",
                "verify",
            ) from failure

    def arguments(self, url: httpx2.URL) -> dict[str, Any]:
        """Return the arguments of HTTPX2's transports for a host, except for the limits."""
        proxy = self.proxy_for(url)
        encrypted = url.scheme == "https" or (proxy is not None and proxy.url.scheme == "https")
        verify = self.context() if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if proxy is not None and proxy.url.scheme == "https":
            proxy.ssl_context = verify
        return {"proxy": proxy, "verify": verify, "trust_env": False}


def bypassed(no_proxy: str, url: httpx2.URL) -> bool:
    """Return whether NO_PROXY matches a URL, by the rules of curl.

    Args:
        no_proxy: Comma-separated host names, which match their subdomains too, addresses, and
            networks such as `10.0.0.0/8`, each with or without a port; `*` matches every host.
        url: URL of a request.
    """
    host = url.raw_host.decode("ascii").lower().rstrip(".")
    port = url.port or PORTS.get(url.scheme)
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    for entry, only in _entries(no_proxy):
        if only not in (None, port):
            continue
        if entry == "*":
            return True
        if address is None:
            name = _ascii(entry.removeprefix("*").strip("."))
            if name and (host == name or host.endswith(f".{name}")):
                return True
            continue
        try:
            network = ip_network(entry, strict=False)
        except ValueError:
            continue
        if address.version == network.version and address in network:
            return True
    return False


def _ascii(name: str) -> str:
    """Return a host name in its ASCII form, such as xn--bcher-kva.example; "" if it is invalid."""
    try:
        return httpx2.URL(f"http://{name}").raw_host.decode("ascii")
    except (ValueError, httpx2.InvalidURL):
        return ""


def _entries(no_proxy: str) -> Iterator[tuple[str, int | None]]:
    """Yield the entries of NO_PROXY, each with its port or None."""
    for entry in no_proxy.lower().replace(",", " ").split():
        match = re.fullmatch(r"\[(.+)\](?::(\d+))?|([^:]+):(\d+)", entry)
        if match is None:
            yield entry, None
        else:
            port = match[2] or match[4]
            yield match[1] or match[3], int(port) if port else None


class _HiddenBytes(bytes):
    """Bytes with a masked `repr`, as the library logs the password of a SOCKS proxy."""

    def __repr__(self) -> str:
        return "<hidden>"


class _Proxy(httpx2.Proxy):
    """A proxy whose user name and password are masked in logs."""

    @property
    def raw_auth(self) -> tuple[bytes, bytes] | None:
        auth = super().raw_auth
        return auth and (_HiddenBytes(auth[0]), _HiddenBytes(auth[1]))


def _proxy(text: str, place: str) -> httpx2.Proxy:
    """Parse a proxy, given as a URL or as host and port.

    Raises:
        ArgumentError: The text is no URL of a proxy, or needs a package that is not installed.
    """
    text = Url(text)  # hides the password in messages
    plausible = text.isprintable() and not re.search(r"\s|^\w+:/(?!/)", text)
    try:
        url = httpx2.URL(text if "://" in text else f"http://{text}") if plausible else httpx2.URL()
    except (ValueError, httpx2.InvalidURL):
        url = httpx2.URL()
    if url.scheme not in SCHEMES or not has_valid_host(url):
        raise ArgumentError(
            f"{place} is {text!r}, which is not the URL of a proxy; use {'://..., '.join(SCHEMES)}"
            "://... with a host, and a port up to 65535 if it has one",
            "proxy",
        )
    # socksio is what HTTPX2 speaks SOCKS with.
    if url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ArgumentError(
            f"{place} is {text!r}, and SOCKS needs a package: {install('socks')}", "proxy"
        )
    return _Proxy(url)


def _variable(name: str) -> str:
    """Return the name of an environment variable in the case in which it is set."""
    return name if os.environ.get(name) else name.upper()


@functools.cache
def _context(verify: bool, path: str) -> ssl.SSLContext:
    if not path:
        return httpx2.create_ssl_context(verify=verify, trust_env=False)
    folder = Path(path).is_dir()
    return ssl.create_default_context(
        cafile=None if folder else path, capath=path if folder else None
    )


def check_base_url(url: str, *, secret: bool = True) -> None:
    """Check a base URL, and warn if the key would travel unencrypted to another machine.

    Args:
        url: The base URL.
        secret: True if a key or another secret is sent there.

    Raises:
        ArgumentError: `url` is not a valid base URL.
    """
    host = read_url(url).host
    loopback = host in ("localhost", "::1") or host.startswith("127.")
    if secret and url.startswith("http://") and not loopback:
        warnings.warn(
            f"{url} is not encrypted: anybody on the network path can read the API key. Use https.",
            InsecureWarning,
            stacklevel=stacklevel(),
        )
