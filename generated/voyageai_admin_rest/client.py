"""HTTP client; no other module knows the HTTP library."""

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
"""Where tokens are made, relative to the host of the API unless it has one of its own."""
MARGIN = 60.0
"""Seconds before its end from which a token is not used any more."""
TOKEN_REQUEST = "token_request"
"""Extension of the requests for tokens, which change nothing at the API."""


class ClientCredentials(httpx2.Auth):
    """Gets tokens for an id and its secret, keeps each for its time, and renews one that is refused.

    Where no token is given, the answer that refuses it is the answer to the request.

    Args:
        client_id: The id.
        client_secret: Its secret, which no repr shows.
        clock: Seconds that only go forwards.
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
        """Send a request with a token, after one for the token if it is needed.

        Raises:
            MalformedResponse: What should be a token is none.
        """
        used = self._bearer if self._clock() < self._until else None
        if used is not None:
            request.headers.update(used)
            answer = yield request
            if answer.status_code != 401:
                return
            if self._bearer is used:  # nobody else has renewed it meanwhile
                self._bearer = None
        if self._bearer is None or self._clock() >= self._until:
            answer = yield self._token_request(request)
            if not answer.is_success:
                return
            self._keep(answer)
        request.headers.update(self._bearer)
        yield request

    def _token_request(self, request: httpx2.Request) -> httpx2.Request:
        extensions = {**request.extensions, TOKEN_REQUEST: True}
        asked = httpx2.Request(
            "POST",
            request.url.join(TOKEN_URL),
            headers={"Accept": "application/json"},
            data={"grant_type": "client_credentials"},
            extensions=extensions,
        )
        asked.headers.update(self._basic)
        if "user-agent" in request.headers:
            asked.headers["User-Agent"] = request.headers["user-agent"]
        return asked

    def _keep(self, answer: httpx2.Response) -> None:
        start, seconds = self._clock(), 0.0
        try:
            found = json.loads(answer.content)
            seconds = float(found["expires_in"])
            bearer = httpx2.Headers({"Authorization": f"Bearer {found['access_token']}"})
        except (ValueError, TypeError, LookupError, RecursionError):
            found = bearer = None
        if bearer is None:
            raise _no_token(answer)
        self._bearer, self._until = bearer, start + max(seconds - MARGIN, seconds / 2)


def _no_token(answer: RawResponse) -> MalformedResponse:
    return MalformedResponse(
        status_code=answer.status_code,
        headers=answer.headers,
        content=b"",  # it may hold a token
        reason="the answer to the request for a token has no access_token and expires_in",
    )


@define(kw_only=True)
class Client:
    """Sends requests to one host with one way to authenticate.

    Use it as a context manager, `with` for `send` and `async with` for `send_async`, or call
    `close` or `aclose`.

    Attributes:
        auth: `ClientCredentials` or `httpx2.DigestAuth`, of `httpx2`.
        base_url: Where the API is; the first of `operations.SERVERS` without it.
        timeout: Seconds for each phase of a request, as `httpx2` understands it.
        headers: Further headers of every request.
        httpx_args: Further arguments for `httpx2.Client` and `httpx2.AsyncClient`.

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
        """Send a request.

        Raises:
            httpx2.HTTPError: No answer came.
        """
        if self._sync is None:
            self._sync = httpx2.Client(timeout=self.timeout, auth=self.auth, **self.httpx_args)
        return self._sync.request(**self._arguments(request))

    async def send_async(self, request: Request) -> httpx2.Response:
        """Send a request without blocking.

        Raises:
            httpx2.HTTPError: No answer came.
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
    """The headers for media types other than plain JSON, which needs none."""
    named = {"Accept": request.accept, "Content-Type": request.content_type}
    return {name: value for name, value in named.items() if value != "application/json"}
