"""Protect the emulator's own routes from web pages and from clients without the token.

Any web page can make a browser send requests to every server that the browser can reach. The page
cannot read the responses, as they allow no other origin, unless its host name is made to resolve to
this machine (DNS rebinding). So these routes answer only if the Host header is an IP address, or a
name that cannot be registered publicly: one without a dot, or below a domain for local use. The
API's routes do not need this protection, as they require a key, and programs may call them by any
name.
"""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import ip_address
from secrets import compare_digest
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from ..responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LocalOnlyMiddleware", "TokenMiddleware", "is_local"]

LOCAL = ("localhost", "local", "internal", "test")
"""Top-level domains that nobody can register."""
HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
}
"""Headers of every response, for browsers."""


def is_local(host: str) -> bool:
    """Return whether a Host header has an IP address, or a name that is local to this network.

    Example:
        >>> [is_local(host) for host in ("127.0.0.1:80", "emulator", "rebound.example:80")]
        [True, True, False]
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return False
    try:
        ip_address(name)
    except ValueError:
        return bool(name) and ("." not in name or name.rpartition(".")[2] in LOCAL)
    return True


class LocalOnlyMiddleware:
    """ASGI middleware that refuses requests to public names, and adds headers for browsers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it is addressed to an IP address or a local name."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = self._app if is_local(Headers(scope=scope).get("host", "")) else _misdirected
        await app(scope, receive, send_with_headers)


class TokenMiddleware:
    """ASGI middleware that refuses requests without the emulator's token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it has the token."""
        given = Headers(scope=scope).get("x-emulator-token", "").encode()
        app = self._app if compare_digest(given, self._token) else _unauthorized
        await app(scope, receive, send)


async def _unauthorized(scope: Scope, receive: Receive, send: Send) -> None:
    error = ApiError(
        "This route needs the emulator's token, in the header x-emulator-token.",
        HTTPStatus.UNAUTHORIZED,
    )
    await error.as_response()(scope, receive, send)


async def _misdirected(scope: Scope, receive: Receive, send: Send) -> None:
    error = ApiError(
        "The emulator's own routes are not served under this name; use its IP address, or "
        "localhost.",
        HTTPStatus.MISDIRECTED_REQUEST,
    )
    await error.as_response()(scope, receive, send)
