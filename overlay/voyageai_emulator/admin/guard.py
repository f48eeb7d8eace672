"""Who may come near the emulator's own routes.

A web page of a stranger can make a browser ask any server that the browser reaches. It cannot
read the answers, as they permit no other origin, unless its name is made to lead here (DNS
rebinding). So these routes answer only where the server is asked for by an address or by a name
that strangers cannot have: one without a dot, or below a domain for local use. The API's routes
are not guarded so, as they need a key and programs may call them by any name.
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
"""Domains that nobody can register."""
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
"""What every answer says to browsers."""


def is_local(host: str) -> bool:
    """Whether a Host header has an address, or a name that only this network knows.

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
    """An application for browsers on this network alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer who asks for an address or a local name."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = self._app if is_local(Headers(scope=scope).get("host", "")) else _misdirected
        await app(scope, receive, guarded)


class TokenMiddleware:
    """An application that a token opens."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer who has the token."""
        given = Headers(scope=scope).get("x-emulator-token", "").encode()
        app = self._app if compare_digest(given, self._token) else _locked
        await app(scope, receive, send)


async def _locked(scope: Scope, receive: Receive, send: Send) -> None:
    refused = ApiError(
        "This takes the emulator's token, in the header x-emulator-token.", HTTPStatus.UNAUTHORIZED
    )
    await refused.as_response()(scope, receive, send)


async def _misdirected(scope: Scope, receive: Receive, send: Send) -> None:
    refused = ApiError(
        "The emulator's own routes are not served under this name; use its IP address, or "
        "localhost.",
        HTTPStatus.MISDIRECTED_REQUEST,
    )
    await refused.as_response()(scope, receive, send)
