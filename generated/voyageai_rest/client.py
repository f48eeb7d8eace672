"""The HTTP client. No other module imports the HTTP library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

import httpx2
from attrs import define, field

from .operations import SERVERS
from .types import UNSET, Request

if TYPE_CHECKING:
    from types import TracebackType

DEFAULT_TIMEOUT = httpx2.Timeout(60.0, connect=5.0)


def _check_key(client: object, attribute: object, api_key: str) -> None:
    # The HTTP library would refuse such a key too, but with the key in its message.
    if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", api_key):
        raise ValueError(
            "api_key must be printable ASCII without spaces at its ends, and not empty"
        )


@define(kw_only=True)
class Client:
    """An HTTP client for one host and one API key.

    Use it as a context manager, `with` for `send` and `async with` for `send_async`, or call
    `close` or `aclose`.

    Attributes:
        api_key: The API key, without spaces or newlines around it.
        base_url: Base URL of the API; by default that of the first of `operations.SERVERS`.
        timeout: Seconds for each phase of a request, or an `httpx2.Timeout`.
        headers: Additional headers of every request.
        httpx_args: Additional arguments for `httpx2.Client` and `httpx2.AsyncClient`.

    Example:
        >>> client = Client(api_key="<your API key>")
    """

    api_key: str = field(repr=False, validator=_check_key)
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
            self._sync = httpx2.Client(timeout=self.timeout, **self.httpx_args)
        return self._sync.request(**self._arguments(request))

    async def send_async(self, request: Request) -> httpx2.Response:
        """Send a request without blocking and return the response.

        Raises:
            httpx2.HTTPError: No response is received.
        """
        if self._async is None:
            self._async = httpx2.AsyncClient(timeout=self.timeout, **self.httpx_args)
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
            "headers": {
                **_media_types(request),
                **self.headers,
                "Authorization": f"Bearer {self.api_key}",
            },
            **({} if request.json is UNSET else {"json": request.json}),
            **({"files": request.parts} if request.parts else {}),
        }


def _media_types(request: Request) -> dict[str, str]:
    """Return the headers for media types; `application/json` is the default and needs none."""
    named = {"Accept": request.accept, "Content-Type": request.content_type}
    return {name: value for name, value in named.items() if value != "application/json"}
