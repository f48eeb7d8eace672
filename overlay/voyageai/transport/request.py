"""The HTTP request of a call: URL, head, uploads, and redirects."""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import httpx2
from voyageai_rest.types import UNSET, Request

from .._utils import Url
from ..error import ArgumentError
from ..keys import url_source
from ..version import VERSION

if TYPE_CHECKING:
    from ..calls import Call
    from ..options import Options

AGENT = (
    f"voyageai-python/{VERSION} httpx2/{httpx2.__version__} "
    f"Python/{'.'.join(map(str, sys.version_info[:3]))}"
)
MAX_REDIRECTS = 5
"""Most redirects that are followed for one request."""
# Escapes would double the size of texts in most languages.
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
KEPT_HEADERS = ("accept", "accept-encoding", "if-range", "range", "user-agent")
"""Headers that are also sent to another origin."""


def build(
    call: Call[Any], parameters: Mapping[str, Any], options: Options, *, rewinds: bool
) -> httpx2.Request:
    """Build the HTTP request of a call, whose body is encoded once, however often it is sent.

    Args:
        call: The call.
        parameters: The client's settings `base_url` and `headers`, and `api_key` unless there is an
            `auth`.
        options: Options of the call.
        rewinds: True if the body can be read again from its beginning.

    Raises:
        ArgumentError: A text can't be encoded as UTF-8, or the body is too large.
    """
    import voyageai  # for `app_info`, which users set there

    request = call.request
    url = read_url(f"{parameters['base_url']}{request.path}")
    stream: httpx2.ByteStream | None = None
    lines = {
        "Host": url.netloc.decode("ascii"),
        "Accept": request.accept,
        "User-Agent": AGENT if voyageai.app_info is None else user_agent(voyageai.app_info),
    }
    if request.json is not UNSET:
        content = _encode({**request.json, **options.extra_body})
        if call.max_bytes is not None and len(content) > call.max_bytes:
            raise ArgumentError(
                f"the request has {len(content):,} bytes, but this deployment takes at most "
                f"{call.max_bytes:,}; split it into several calls"
            )
        stream = httpx2.ByteStream(content)
        lines["Content-Type"] = request.content_type
        lines["Content-Length"] = str(len(content))
    try:
        built = httpx2.Request(
            request.method,
            url,
            params=dict(request.params) or None,
            headers=lines,
            files=request.parts or None,
            stream=stream,
        )
    except UnicodeEncodeError as failure:
        raise ArgumentError(
            f"{failure.object!r} contains a lone surrogate, which can't be encoded as UTF-8; "
            "use another name"
        ) from None
    # Secrets are kept out of local variables, whose reprs error trackers collect.
    if parameters.get("auth") is None:
        built.headers["Authorization"] = f"Bearer {parameters['api_key']}"
    for further in (parameters.get("headers"), options.extra_headers):
        if further:
            built.headers.update(further)
    if stream is not None:
        built.read()
    elif isinstance(built.stream, httpx2.SyncByteStream) and request.parts:
        length = built.headers.get("content-length")
        size = int(length) if length else None
        built.stream = Upload(built.stream, size, call.on_sent, rewinds=rewinds)
    return built


@functools.lru_cache(maxsize=32)
def read_url(text: str) -> httpx2.URL:
    """Parse and check a base URL, or a URL of an operation.

    Cached, as parsing takes longer than everything else about a request.

    Raises:
        ArgumentError: `text` is not a valid base URL.
    """
    text = Url(text)
    try:
        url = httpx2.URL(text) if text.isprintable() and " " not in text else None
    except (httpx2.InvalidURL, ValueError):  # the message may quote a password
        url = None
    if url is None:
        raise ArgumentError(
            f"{url_source(text)} is not a valid URL: {text!r}; it is scheme, host and path, "
            "without spaces and controls, such as https://gateway.example/v1",
            "base_url",
        )
    if url.userinfo or re.search(r"^\w+://[^/]*@|[?#]", text):
        raise ArgumentError(
            f"{url_source(text)} has a user name, a password, a query or a fragment; it is scheme, "
            "host and path, such as https://gateway.example/v1",
            "base_url",
        )
    if not has_valid_host(url):
        raise ArgumentError(
            f"{url_source(text)} has no host, or an invalid port: {text!r}", "base_url"
        )
    return url


def has_valid_host(url: httpx2.URL) -> bool:
    """Return whether a URL has a host, and a port from 1 to 65535 or none."""
    return bool(url.host) and (url.port is None or 0 < url.port < 65536)


def rewindable(request: Request) -> bool:
    """Return whether the body can be sent again from its beginning."""
    contents = [part[1] for _, part in request.parts]
    return all(isinstance(content, bytes) or content.seekable() for content in contents)


def user_agent(app: object) -> str:
    """Return package, HTTP library and interpreter with their versions, and the user's program."""
    if not isinstance(app, Mapping):
        return AGENT
    given = (app.get("name"), app.get("version"), app.get("url"))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # of a user
    name, version, url = (str(part) if part else "" for part in given)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # of a user
    agent = f"{AGENT} {name}{'/' if version else ''}{version}{f' ({url})' if url else ''}"
    return re.sub(r"[\x00-\x1f\x7f]", " ", agent.encode("ascii", "replace").decode()).strip()


def _encode(body: Any) -> bytes:
    try:
        return ENCODER.encode(body).encode()
    except UnicodeEncodeError as failure:
        raise ArgumentError(
            f"a text contains a lone surrogate ({failure.object[failure.start]!r}), which "
            "can't be encoded as UTF-8; clean it with text.encode('utf-8', 'replace').decode()"
        ) from None
    except (TypeError, ValueError, RecursionError) as failure:
        raise ArgumentError(f"the body can't be written as JSON: {failure}", "extra_body") from None


def redirected(request: httpx2.Request, response: httpx2.Response) -> httpx2.Request | None:
    """Return the request that follows a redirect; None if there is none or it must not be followed.

    The key is not sent to another origin, and nothing is sent from https to http.
    """
    if not response.has_redirect_location or request.method != "GET":
        return None
    try:
        url = request.url.join(response.headers["location"])
    except httpx2.InvalidURL:
        return None
    if url.scheme not in ("https", request.url.scheme):
        return None
    headers, old = request.headers, request.url
    if (url.scheme, url.host, url.port) != (old.scheme, old.host, old.port):
        headers = httpx2.Headers({name: headers[name] for name in KEPT_HEADERS if name in headers})
        headers["Host"] = url.netloc.decode("ascii")
    return httpx2.Request("GET", url, headers=headers, extensions=request.extensions)


class Upload(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that is read piece by piece as it is sent; by asynchronous clients in threads.

    Args:
        body: An iterable of pieces, which can be iterated over again if `rewinds`.
        length: Bytes of all pieces; None if unknown.
        on_sent: Called after each piece, on the thread or the event loop that sends it.
        rewinds: True if the body can be read again from its beginning.

    Attributes:
        handed_over: True if the whole body may have been sent; otherwise the server can't have
            acted on it.
    """

    def __init__(
        self,
        body: httpx2.SyncByteStream,
        length: int | None,
        on_sent: Callable[[], object] | None = None,
        *,
        rewinds: bool,
    ) -> None:
        self._body = body
        self._length = length
        self._on_sent = on_sent
        self._rewinds = rewinds
        self.handed_over = False

    @property
    def repeatable(self) -> bool:
        """True if the body can be sent again, and can't have had an effect yet."""
        return self._rewinds and not self.handed_over

    def _pieces(self) -> Iterator[bytes]:
        sent = 0
        self.handed_over = self._length is None
        for piece in self._body:
            sent += len(piece)
            self.handed_over = self._length is None or sent >= self._length
            yield piece

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces():
            yield piece
            self._notify()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        from anyio import to_thread

        pieces = self._pieces()
        while (piece := await to_thread.run_sync(next, pieces, None)) is not None:
            yield piece
            self._notify()

    def _notify(self) -> None:
        if self._on_sent is not None:
            self._on_sent()
