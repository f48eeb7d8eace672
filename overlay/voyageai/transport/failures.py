"""From failures of HTTP to the exceptions that users catch."""

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
# The official client's words, for statuses whose bodies it does not read.
MESSAGES: Mapping[type[VoyageError], str] = {
    error.ServerError: "The server failed to process the request.",
    error.ServiceUnavailableError: "The server is overloaded or not ready yet.",
    error.OverloadedError: "The server is overloaded or not ready yet.",
}
ROOT = urlsplit(SERVERS[0].url).path
"""The end of the API's base URLs."""
RESOURCES = frozenset(operation.path.split("/")[1] for operation in OPERATIONS)
"""The first segments of the paths of operations."""
OPERATION_NAMES = frozenset(operation.module.rpartition(".")[2] for operation in OPERATIONS)
"""The operations whose base URLs end so."""
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
"""Packages below a call whose frames may hold the head of a request, or the URL of a proxy."""
SENSITIVE_MODULES = (
    *(f"{__package__}.{name}" for name in ("config", "network", "network_async", "pool")),
    "voyageai.deployments.signing",
    "voyageai_admin_rest.client",  # tokens
)
"""Our own modules of that kind."""
CONNECTING = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)
CONNECTED = (httpx2.ReadError, httpx2.WriteError, httpx2.CloseError, httpx2.RemoteProtocolError)
"""Failures of a connection, of which messages say where it led."""
ARGUMENT = re.compile(r"[Aa]rgument '([^']+)'")


def refused(
    failure: StatusError, response: httpx2.Response, operation: str, reason: str
) -> VoyageError:
    """Return the exception for a response that is not a success.

    Args:
        failure: The generated client's exception for it.
        response: The response.
        operation: Name of the operation's module.
        reason: Why it was not tried again, where that needs saying.
    """
    kind = CLASSES.get(response.status_code, error.APIError)
    named_code = getattr(failure.error, "error_code", None)
    # A body with a code has a reason that is worth more than the official client's words.
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
    """Return the exception for a success that is not what the contract says.

    Args:
        failure: What is wrong with it.
        response: The response; None if it holds a secret.
        doubt: Why it was not tried again, where that needs saying.
    """
    reason = failure.reason if isinstance(failure, MalformedResponse) else str(failure)
    return error.MalformedResponseError(
        _with(f"The server sent a malformed answer: {reason}", doubt),
        **({} if response is None else _context(response)),
    )


def unreachable(failure: httpx2.RequestError, reason: str, *, overdue: bool) -> VoyageError:
    """Return the exception for a response that never came.

    Args:
        failure: What happened; its request says where the connection leads.
        reason: Why it was not tried again, where that needs saying.
        overdue: Whether the time for the whole call is over.
    """
    what = f"{type(failure).__name__} {failure}".rstrip()
    if isinstance(failure, (*CONNECTING, *CONNECTED)):
        what += _route(failure)
    if isinstance(failure, httpx2.TimeoutException):
        if overdue:
            return error.DeadlineError(f"Request timed out: the time for the call is over ({what})")
        return error.Timeout(_with(f"Request timed out: {what}", reason))
    return error.APIConnectionError(_with(f"Error communicating with VoyageAI: {what}", reason))


def strip_frames(failure: BaseException) -> BaseException:
    """Drop the frames of a failure of HTTP and its causes: they hold the head with the key."""
    for link in _chain(failure):
        link.__traceback__ = None
    return failure


def strip_sensitive_frames(failure: BaseException) -> None:
    """Drop the frames that hold heads of requests from any other failure.

    An interrupt, or what a signal handler raises, comes anywhere, and error trackers keep the local
    variables of each frame. The frames that are left say where in the program it came.
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
    """Say where a connection led or should have led, without user names and passwords."""
    request = failure.request
    url, proxy = request.url, request.extensions.get("proxy")
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    through = f" through proxy {proxy}" if proxy else ""
    verb = "connected" if isinstance(failure, CONNECTED) else "connecting"
    return f" ({verb} to {url.host}:{port}{through})"


def _base_url_hint(path: str) -> str:
    """Say what may be wrong with the base URL, by the path that was not found."""
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
