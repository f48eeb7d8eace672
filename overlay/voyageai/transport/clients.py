"""HTTPX2's clients: the user's own, or one around a transport.

Tools watch clients (`send`) as well as transports, so every request goes by a client. Nothing that
a client does by itself is wanted: headers, cookies and authentication are the call's, redirects are
followed for contents of files alone, and a line per success at INFO is one too many.
"""

from __future__ import annotations

from typing import Any

import httpx2

from ..error import ArgumentError
from .legacy import LegacyTransport, is_legacy


class Sender(httpx2.Client):
    """A client that sends by a transport, and does nothing else.

    Args:
        transport: Closed by `close`.
    """

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        super().__init__(transport=transport, auth=httpx2.Auth(), trust_env=False)
        self.transport = transport

    # A private name of HTTPX2's. Were it to move, all that would come back are the lines at INFO,
    # which a test would find.
    def _send_single_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self.transport.handle_request(request)
        response.request = request
        return response


class AsyncSender(httpx2.AsyncClient):
    """The same, without blocking."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        super().__init__(transport=transport, auth=httpx2.Auth(), trust_env=False)
        self.transport = transport

    async def _send_single_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self.transport.handle_async_request(request)
        response.request = request
        return response


class _Unseen(Sender):
    """For a legacy client, which is watched itself: nothing should be seen twice."""

    def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        return self._send_single_request(request)


class _AsyncUnseen(AsyncSender):
    """The same, without blocking."""

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        return await self._send_single_request(request)


def blocking(given: Any) -> httpx2.Client:
    """A client for what the user gave: a client or transport of HTTPX2 or of legacy `httpx`.

    Raises:
        ArgumentError: It is none, or an asynchronous one.
    """
    if isinstance(given, httpx2.Client):
        return given
    if is_legacy(given, "Client", "BaseTransport"):
        kind = _Unseen if is_legacy(given, "Client") else Sender
        return kind(LegacyTransport(given))
    if hasattr(given, "handle_request") and not isinstance(given, type):
        return Sender(given)
    raise _wrong(given, "Client")


def asynchronous(given: Any) -> httpx2.AsyncClient:
    """The same for an asynchronous client."""
    if isinstance(given, httpx2.AsyncClient):
        return given
    if is_legacy(given, "AsyncClient", "AsyncBaseTransport"):
        kind = _AsyncUnseen if is_legacy(given, "AsyncClient") else AsyncSender
        return kind(LegacyTransport(given))
    if hasattr(given, "handle_async_request") and not isinstance(given, type):
        return AsyncSender(given)
    raise _wrong(given, "AsyncClient")


def _wrong(given: Any, client: str) -> ArgumentError:
    a, kind = ("the class ", given) if isinstance(given, type) else ("", type(given))
    return ArgumentError(
        f"voyageai.{client} takes an httpx2.{client} or a transport of it as http_client or "
        f"transport, not {a}{kind.__module__}.{kind.__qualname__}",
        "http_client",
    )
