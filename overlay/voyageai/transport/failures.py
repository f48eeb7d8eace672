"""Conversion of HTTP failures into the exceptions of `error`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
from voyageai_rest.catalogue import BATCH
from voyageai_rest.errors import BODY_LIMIT, MalformedResponse, ShapeError
from voyageai_rest.operations import OPERATIONS, SERVERS

from .. import error
from ..retry import ServerHint

if TYPE_CHECKING:
    from voyageai_rest.errors import StatusError

    from ..error import VoyageError

CLASSES: Mapping[int, type[VoyageError]] = {
    400: error.InvalidRequestError,
    401: error.AuthenticationError,
    403: error.PermissionDeniedError,
    404: error.NotFoundError,
    409: error.ConflictError,
    410: error.ModelRetiredError,
    422: error.MalformedRequestError,
    429: error.RateLimitError,
    **dict.fromkeys(range(500, 600), error.ServerError),
    **dict.fromkeys([502, 503, 504, *range(520, 529)], error.ServiceUnavailableError),
    529: error.OverloadedError,
}
# The official client's messages, for statuses whose bodies it does not read.
MESSAGES: Mapping[type[VoyageError], str] = {
    error.ServerError: "The server failed to process the request.",
    error.ServiceUnavailableError: "The server is overloaded or not ready yet.",
    error.OverloadedError: "The server is overloaded or not ready yet.",
}
ROOT = urlsplit(SERVERS[0].url).path
"""The path of the API's base URLs."""
RESOURCES = frozenset(operation.path.split("/")[1] for operation in OPERATIONS)
"""The first segments of the paths of operations."""
OPERATION_NAMES = frozenset(operation.module.rpartition(".")[2] for operation in OPERATIONS)
"""Names of the operations, whose URLs begin with the API's path."""
SENSITIVE_PACKAGES = sys.stdlib_module_names | {
    "anyio",
    "botocore",
    "google",
    "h11",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "requests",
    "socksio",
    "trio",
    "urllib3",
}
"""Packages whose frames may hold the head of a request, or the URL of a proxy."""
SENSITIVE_MODULES = (
    *(f"{__package__}.{name}" for name in ("config", "network", "network_async", "pool")),
    "voyageai.deployments.signing",
    "voyageai_admin_rest.client",  # tokens
)
"""Modules of this project whose frames may hold them."""
CONNECTING = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)
CONNECTED = (httpx2.ReadError, httpx2.WriteError, httpx2.CloseError, httpx2.RemoteProtocolError)
"""Failures of an open connection; their messages say where it led."""
ARGUMENT = re.compile(r"[Aa]rgument '([^']+)'")


def refused(
    failure: StatusError, response: httpx2.Response, operation: str, reason: str
) -> VoyageError:
    """Return the exception for an error response.

    Args:
        failure: The generated client's exception.
        response: The response.
        operation: Name of the operation's module.
        reason: Why it was not retried, for the message; empty if that is obvious.
    """
    kind = CLASSES.get(response.status_code, error.APIError)
    named_code = getattr(failure.error, "error_code", None)
    # A body with a code has a better explanation than the official client's message.
    message = (None if named_code else MESSAGES.get(kind)) or failure.reason
    if issubclass(kind, error.APIError) or failure.error is None:
        message = f"HTTP {response.status_code}: {message}"
    if kind is error.RateLimitError and operation == "create_batch":
        message += (
            " (This may be the organization's limit of "
            f"{BATCH.max_jobs_in_flight} jobs or {BATCH.max_tokens_in_flight:,} tokens in flight; "
            f"the advice is to wait {BATCH.backoff_minutes} minutes.)"
        )
    if isinstance(named_code, str):
        message += f" ({named_code})"
    if response.status_code == 404 and operation in OPERATION_NAMES:
        message += _base_url_hint(response.request.url.path)
    raised = kind(_with(message, reason), **_context(response))
    raised.code = raised.code or (named_code if isinstance(named_code, str) else None)
    raised.retry_after = ServerHint.of(response.headers, datetime.now(UTC)).seconds
    named = ARGUMENT.search(failure.reason)
    raised.argument = named[1] if named and response.status_code in (400, 422) else None
    return raised


def malformed(
    failure: MalformedResponse | ShapeError | StatusError,
    response: httpx2.Response | None,
    doubt: str = "",
) -> VoyageError:
    """Return the exception for a success that the contract does not allow.

    Args:
        failure: The parser's exception.
        response: The response; None if it holds a secret.
        doubt: Why it was not retried, for the message; empty if that is obvious.
    """
    reason = failure.reason if isinstance(failure, MalformedResponse) else str(failure)
    return error.MalformedResponseError(
        _with(f"The server sent a malformed answer: {reason}", doubt),
        **({} if response is None else _context(response)),
    )


def unreachable(failure: httpx2.RequestError, reason: str, *, overdue: bool) -> VoyageError:
    """Return the exception for a request without a response.

    Args:
        failure: HTTPX2's exception, with its request.
        reason: Why it was not retried, for the message; empty if that is obvious.
        overdue: True if the deadline of the call has passed.
    """
    description = f"{type(failure).__name__} {failure}".rstrip()
    if isinstance(failure, (*CONNECTING, *CONNECTED)):
        description += _route(failure)
    if isinstance(failure, httpx2.TimeoutException):
        if overdue:
            return error.DeadlineError(
                f"Request timed out: the time for the call is over ({description})"
            )
        return error.Timeout(_with(f"Request timed out: {description}", reason))
    return error.APIConnectionError(
        _with(f"Error communicating with VoyageAI: {description}", reason)
    )


def strip_frames(failure: BaseException) -> BaseException:
    """Remove the frames of an HTTP failure and its causes, which hold the head with the key."""
    for link in _chain(failure):
        link.__traceback__ = None
    return failure


def strip_sensitive_frames(failure: BaseException) -> None:
    """Remove the frames that may hold request heads from any other failure and its causes.

    An interrupt, or an exception of a signal handler, is raised anywhere, and error trackers keep
    the local variables of each frame. The remaining frames still show where in the program it
    happened.
    """
    for link in _chain(failure):
        traces: list[TracebackType] = []
        trace = link.__traceback__
        while trace is not None:
            traces.append(trace)
            trace = trace.tb_next
        kept = None
        for trace in reversed(traces):
            module: str = trace.tb_frame.f_globals.get("__name__", "")
            if module.split(".", 1)[0] in SENSITIVE_PACKAGES or module in SENSITIVE_MODULES:
                continue
            kept = TracebackType(kept, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
        link.__traceback__ = kept


def _chain(failure: BaseException) -> list[BaseException]:
    """Return a failure, its causes and its contexts."""
    found: dict[int, BaseException] = {}
    pending: list[BaseException | None] = [failure]
    while pending:
        link = pending.pop()
        if link is not None and id(link) not in found:
            found[id(link)] = link
            pending += [link.__cause__, link.__context__]
    return list(found.values())


def _route(failure: httpx2.RequestError) -> str:
    """Describe where a connection led or should have led, without user names and passwords."""
    request = failure.request
    url, proxy = request.url, request.extensions.get("proxy")
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    through = f" through proxy {proxy}" if proxy else ""
    verb = "connected" if isinstance(failure, CONNECTED) else "connecting"
    return f" ({verb} to {url.host}:{port}{through})"


def _base_url_hint(path: str) -> str:
    """Return a hint what may be wrong with the base URL, from a path that was not found."""
    _, root, below = path.rpartition(f"{ROOT}/")
    first, _, rest = below.partition("/")
    if not root:
        return f" (The base URL lacks {ROOT}; the API's end in it, such as {SERVERS[0].url}.)"
    if f"{ROOT}{ROOT}/" in path:
        surplus = ROOT + ROOT
    elif rest.split("/")[0] in RESOURCES:
        surplus = f"{ROOT}/{first}"
    else:
        return ""
    return f" (The base URL ends in {surplus}; the API's end in {ROOT}, such as {SERVERS[0].url}.)"


def _with(message: str, reason: str) -> str:
    return f"{message} (Not tried again: {reason}.)" if reason else message


def _context(response: httpx2.Response) -> dict[str, Any]:
    content = response.content
    try:
        decoded = json.loads(content) if len(content) <= BODY_LIMIT else None
    except (ValueError, RecursionError):
        decoded = None
    code = decoded.get("error_code") if isinstance(decoded, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # any JSON
    return {
        "http_body": content,
        "http_status": response.status_code,
        "json_body": decoded,
        "headers": dict(response.headers),
        "code": code if isinstance(code, str) else None,
    }
