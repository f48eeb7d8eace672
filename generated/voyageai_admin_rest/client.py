"""The HTTP client. No other module imports the HTTP library."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, Self

import httpx2
from attrs import define, field

from .errors import MalformedResponse
from .operations import SERVERS
from .types import UNSET, RawResponse, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

DEFAULT_TIMEOUT = httpx2.Timeout(60.0, connect=5.0)


TOKEN_URL = "/api/oauth/token"
"""URL that issues tokens; relative to the host of the API unless it is absolute."""
MARGIN = 60.0
"""Seconds before its expiry from which a token is no longer used."""
TOKEN_REQUEST = "token_request"
"""Name of the extension that marks requests for tokens, which change nothing at the API."""


class ClientCredentials(httpx2.Auth):
    """Authentication by OAuth client credentials.

    A token is requested when it is needed, kept until shortly before it expires, and renewed when
    the API refuses it. If the host issues no token, its response is the response to the request.

    Args:
        client_id: The id of the client.
        client_secret: The secret of the client; no repr shows it.
        clock: A monotonic clock, in seconds.
    """

    requires_response_body = True

    def __init__(
        self, client_id: str, client_secret: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._basic = httpx2.Headers({"Authorization": f"Basic {pair}"})
        self._bearer: httpx2.Headers | None = None
        self._until = 0.0
        self._clock = clock

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send a request with a token, which is requested first if necessary.

        Raises:
            MalformedResponse: A successful response to the request for a token contains no token.
        """
        used = self._bearer if self._clock() < self._until else None
        if used is not None:
            request.headers.update(used)
            response = yield request
            if response.status_code != 401:
                return
            if self._bearer is used:  # no other request has renewed it meanwhile
                self._bearer = None
        if self._bearer is None or self._clock() >= self._until:
            response = yield self._token_request(request)
            if not response.is_success:
                return
            self._keep(response)
        request.headers.update(self._bearer)
        yield request

    def _token_request(self, request: httpx2.Request) -> httpx2.Request:
        extensions = {**request.extensions, TOKEN_REQUEST: True}
        token_request = httpx2.Request(
            "POST",
            request.url.join(TOKEN_URL),
            headers={"Accept": "application/json"},
            data={"grant_type": "client_credentials"},
            extensions=extensions,
        )
        token_request.headers.update(self._basic)
        if "user-agent" in request.headers:
            token_request.headers["User-Agent"] = request.headers["user-agent"]
        return token_request

    def _keep(self, response: httpx2.Response) -> None:
        start, seconds = self._clock(), 0.0
        try:
            token = json.loads(response.content)
            seconds = float(token["expires_in"])
            bearer = httpx2.Headers({"Authorization": f"Bearer {token['access_token']}"})
        except (ValueError, TypeError, LookupError, RecursionError):
            token = bearer = None
        if bearer is None:
            raise _no_token(response)
        self._bearer, self._until = bearer, start + max(seconds - MARGIN, seconds / 2)


def _no_token(response: RawResponse) -> MalformedResponse:
    return MalformedResponse(
        status_code=response.status_code,
        headers=response.headers,
        content=b"",  # it may hold a token
        reason="the response to the request for a token lacks access_token or expires_in",
    )


@define(kw_only=True)
class Client:
    """An HTTP client for one host and one authentication.

    Use it as a context manager, `with` for `send` and `async with` for `send_async`, or call
    `close` or `aclose`.

    Attributes:
        auth: `ClientCredentials` or `httpx2.DigestAuth`, of `httpx2`.
        base_url: Base URL of the API; by default that of the first of `operations.SERVERS`.
        timeout: Seconds for each phase of a request, or an `httpx2.Timeout`.
        headers: Additional headers of every request.
        httpx_args: Additional arguments for `httpx2.Client` and `httpx2.AsyncClient`.

    Example:
        >>> client = Client(auth=ClientCredentials("<your id>", "<its secret>"))
    """

    auth: httpx2.Auth = field(repr=False)
    base_url: str = SERVERS[0].url
    timeout: httpx2.Timeout | float = DEFAULT_TIMEOUT
    headers: dict[str, str] = field(factory=dict[str, str], repr=False)
    httpx_args: dict[str, Any] = field(factory=dict[str, Any], repr=False)
    _sync: httpx2.Client | None = field(default=None, init=False, repr=False, eq=False)
    _async: httpx2.AsyncClient | None = field(default=None, init=False, repr=False, eq=False)

    def send(self, request: Request) -> httpx2.Response:
        """Send a request and return the response.

        Raises:
            httpx2.HTTPError: No response is received.
        """
        if self._sync is None:
            self._sync = httpx2.Client(timeout=self.timeout, auth=self.auth, **self.httpx_args)
        return self._sync.request(**self._arguments(request))

    async def send_async(self, request: Request) -> httpx2.Response:
        """Send a request without blocking and return the response.

        Raises:
            httpx2.HTTPError: No response is received.
        """
        if self._async is None:
            self._async = httpx2.AsyncClient(
                timeout=self.timeout, auth=self.auth, **self.httpx_args
            )
        return await self._async.request(**self._arguments(request))

    def close(self) -> None:
        """Close the connections that `send` opened."""
        if self._sync is not None:
            self._sync.close()
            self._sync = None

    async def aclose(self) -> None:
        """Close the connections that `send_async` opened."""
        if self._async is not None:
            await self._async.aclose()
            self._async = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _arguments(self, request: Request) -> dict[str, Any]:
        return {
            "method": request.method,
            "url": self.base_url.rstrip("/") + request.path,
            "params": request.params or None,
            "headers": {**_media_types(request), **self.headers},
            **({} if request.json is UNSET else {"json": request.json}),
            **({"files": request.parts} if request.parts else {}),
        }


def _media_types(request: Request) -> dict[str, str]:
    """Return the headers for media types; `application/json` is the default and needs none."""
    named = {"Accept": request.accept, "Content-Type": request.content_type}
    return {name: value for name, value in named.items() if value != "application/json"}
