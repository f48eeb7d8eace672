"""The official client's low-level interface for sending; the clients here do not use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from attrs import evolve
from voyageai_rest.operations import OPERATIONS
from voyageai_rest.status import status_error
from voyageai_rest.types import RawResponse, Request, parse_json

from .._utils import with_hidden_passwords
from ..calls import Call
from ..client import Client
from ..client_async import AsyncClient
from ..error import ArgumentError
from ..keys import base_url as base_url_of
from ..keys import conceal, usable, variables
from .response import VoyageHttpResponse
from .util import default_api_key

__all__ = ["APIRequestor", "VoyageHttpResponse"]

# pyright: reportPrivateUsage=false
# Requests are sent by the clients' own private method.

_IDS = {operation.path: operation.id for operation in OPERATIONS if operation.method == "POST"}


class APIRequestor:
    """Sends requests unchanged, and returns responses unchanged.

    `voyageai.Embedding.create` and its like use it. `Client` and `AsyncClient` do not: to observe
    their calls, wrap their methods, or pass a `transport`.

    Args:
        key: The API key; by default found as for `Client`.
        base_url: The base URL; by default found as for `Client`.

    Attributes:
        api_key: The API key.
        base_url: The base URL.

    Raises:
        AuthenticationError: No key is found, or it can't be one.
    """

    def __init__(self, key: str | None = None, base_url: str | None = None) -> None:
        key, base_url = conceal(key), with_hidden_passwords(base_url)
        given = None if key is None else usable(key, "the argument api_key")
        self.api_key: str = given or default_api_key()
        self.base_url: str = base_url_of(base_url, self.api_key, variables())

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        files: None = None,
        stream: bool = False,  # noqa: ARG002  # of the official client
        request_id: str | None = None,
        request_timeout: float | None = None,
    ) -> VoyageHttpResponse:
        """Send a request.

        Args:
            method: `get`, `delete`, `post` or `put`.
            url: Path below the base URL, with its leading slash.
            params: The body, or the query for methods without a body.
            headers: Further headers.
            files: Not supported; use `Client.files`.
            stream: Has no effect, as in the official client.
            request_id: Value of the header X-Request-Id.
            request_timeout: Seconds for the whole call.

        Raises:
            VoyageError: The call failed.
        """
        call = _call(method, url, params, files)
        with Client(self.api_key, timeout=request_timeout, base_url=self.base_url) as client:
            return client._send(call, {"extra_headers": _headers(headers, request_id)})

    async def arequest(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        files: None = None,
        stream: bool = False,  # noqa: ARG002  # of the official client
        request_id: str | None = None,
        request_timeout: float | None = None,
    ) -> VoyageHttpResponse:
        """Send a request without blocking, as `request` does."""
        call = _call(method, url, params, files)
        async with AsyncClient(
            self.api_key, timeout=request_timeout, base_url=self.base_url
        ) as client:
            return await client._send(call, {"extra_headers": _headers(headers, request_id)})


def _call(
    method: str, url: str, params: Mapping[str, Any] | None, files: object
) -> Call[VoyageHttpResponse]:
    if files is not None:
        raise ArgumentError("files are not supported here; use Client.files.upload", "files")
    request = Request(operation=_IDS.get(url, ""), method=method.upper(), path=url)
    given = dict(params or {})
    if request.method in ("POST", "PUT"):
        request = evolve(request, json=given)
    else:
        request = evolve(request, params={k: v for k, v in given.items() if v is not None})
    return Call(request, _read, str(given.get("model") or ""))


def _headers(headers: Any, request_id: str | None) -> Any:
    named = {} if request_id is None else {"X-Request-Id": request_id}
    # Headers that are no mapping are passed on, so that the client raises.
    return {**cast("Any", headers), **named} if isinstance(headers, Mapping) else headers or named


def _read(response: RawResponse) -> VoyageHttpResponse:
    if response.status_code != 200:
        raise status_error(response)
    return VoyageHttpResponse(parse_json(response, _unchanged), response.headers)


def _unchanged(body: Any) -> Any:
    return body
