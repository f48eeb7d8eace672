"""Requests for the wire."""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpx2
from voyageai_rest.types import UNSET, Request

from ..error import ArgumentError
from ..options import LONGEST
from ..reprs import Url
from ..version import VERSION
from .uploads import Upload

if TYPE_CHECKING:
    from ..options import Options

TIMEOUT = 600.0
"""Seconds for each phase of an attempt without a timeout, as in the official client."""
CONNECT_TIMEOUT = 30.0


def build(
    request: Request,
    parameters: Mapping[str, Any],
    options: Options,
    on_sent: Callable[[], object] | None = None,
) -> httpx2.Request:
    """The request for the wire. Its body is made once, however often it is sent.

    Args:
        request: What to send.
        parameters: The client's `_params`: api_key and base_url are read.
        options: Options of the call.
        on_sent: Called whenever a piece of a file is on its way.

    Raises:
        ArgumentError: A text can't be encoded.
    """
    url = read_url(f"{parameters['base_url']}{request.path}")
    stream: httpx2.ByteStream | None = None
    lines = {"Host": url.netloc.decode("ascii"), "Accept": "application/json"}
    lines["User-Agent"] = user_agent()
    if request.json is not UNSET:
        content = _encode({**request.json, **options.extra_body})
        stream = httpx2.ByteStream(content)
        lines["Content-Type"] = "application/json"
        lines["Content-Length"] = str(len(content))
    # httpx2.Headers hides the key in its repr, which error trackers keep of local variables.
    headers = httpx2.Headers(lines | {"Authorization": f"Bearer {parameters['api_key']}"})
    if options.extra_headers:
        headers.update(options.extra_headers)
    try:
        built = httpx2.Request(
            request.method,
            url,
            params=dict(request.params) or None,
            headers=headers,
            files=request.parts or None,
            stream=stream,
        )
    except UnicodeEncodeError as failure:
        raise ArgumentError(
            f"{failure.object!r} contains a lone surrogate, which can't be encoded as UTF-8; "
            "use another name"
        ) from None
    if stream is not None:
        built.read()
    elif isinstance(built.stream, httpx2.SyncByteStream) and request.parts:
        length = built.headers.get("content-length")
        built.stream = Upload(
            built.stream, int(length) if length else None, on_sent, rewinds=rewindable(request)
        )
    return built


@functools.lru_cache(maxsize=32)
def read_url(text: str) -> httpx2.URL:
    """A URL, read once: that takes longer than all the rest of a request.

    Raises:
        ArgumentError: It is none.
    """
    text = Url(text)
    try:
        url = httpx2.URL(text) if text.isprintable() and " " not in text else None
    except (httpx2.InvalidURL, ValueError):  # whose words may quote a password
        url = None
    if url is None:
        raise ArgumentError(
            f"base_url is not a valid URL: {text!r}; it is scheme, host and path, without spaces "
            "and controls, such as https://gateway.example/v1",
            "base_url",
        )
    if url.userinfo or re.search(r"^\w+://[^/]*@|[?#]", text):
        raise ArgumentError(
            "base_url has a user name, a password, a query or a fragment; it is scheme, host and "
            "path, such as https://gateway.example/v1",
            "base_url",
        )
    if not url.host or not (url.port is None or 0 < url.port < 65536):
        raise ArgumentError(f"base_url has no host, or an invalid port: {text!r}", "base_url")
    return url


def phases(options: Options, left: float | None) -> dict[str, float | None]:
    """Timeouts of an attempt: connect, read, write, pool; none longer than what is left."""
    given: Any = options.timeout
    if hasattr(given, "as_dict"):  # of httpx2, or of legacy httpx
        found = given.as_dict()
    else:
        timeout = min(given or TIMEOUT, LONGEST)
        found = httpx2.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)).as_dict()
    return {name: shortest(seconds, left, LONGEST) for name, seconds in found.items()}


def shortest(*seconds: float | None) -> float | None:
    """The shortest of some times, of which None are without end."""
    return min((each for each in seconds if each is not None), default=None)


def rewindable(request: Request) -> bool:
    """Whether the body can be sent a second time from its beginning."""
    for _, part in request.parts:
        content = part[1]
        if not isinstance(content, bytes) and not content.seekable():
            return False
    return True


def user_agent() -> str:
    """Package, HTTP library and interpreter, with their versions."""
    import voyageai  # for what users set there

    python = ".".join(map(str, sys.version_info[:3]))
    agent = f"voyageai-python/{VERSION} httpx2/{httpx2.__version__} Python/{python}"
    app = getattr(voyageai, "app_info", None)
    if isinstance(app, Mapping):
        said = (app.get("name"), app.get("version"), app.get("url"))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # of a user
        name, version, url = (str(part) if part else "" for part in said)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # of a user
        agent += f" {name}{'/' if version else ''}{version}{f' ({url})' if url else ''}"
    return re.sub(r"[\x00-\x1f\x7f]", " ", agent.encode("ascii", "replace").decode()).strip()


def _encode(body: Any) -> bytes:
    try:
        # Escaping non-ASCII would double the size of most of the world's texts.
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode()
    except UnicodeEncodeError as failure:
        raise ArgumentError(
            f"a text contains a lone surrogate ({failure.object[failure.start]!r}), which "
            "can't be encoded as UTF-8; clean it with text.encode('utf-8', 'replace').decode()"
        ) from None
    except (TypeError, ValueError, RecursionError) as failure:
        raise ArgumentError(f"the body can't be written as JSON: {failure}", "extra_body") from None
