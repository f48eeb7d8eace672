"""How a call travels: pool, retries, timeouts. The only room that knows the HTTP library."""

from __future__ import annotations

import functools
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import httpx
from attrs import frozen
from voyageai_rest.errors import MalformedResponse, ShapeError, StatusError
from voyageai_rest.types import UNSET, Request

from . import error
from .error import ArgumentError, VoyageError
from .retry import RETRYABLE, RetryPolicy
from .version import VERSION

if TYPE_CHECKING:
    import ssl

    from .calls import Call

T = TypeVar("T")

DEFAULT_TIMEOUT = 600.0
CONNECT_TIMEOUT = 30.0
# httpx forgets an idle connection after 5 s; calls that come a little slower would each pay for a
# new TLS handshake.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=60.0)

STATUS_ERRORS: Mapping[int, type[VoyageError]] = {
    400: error.InvalidRequestError,
    401: error.AuthenticationError,
    422: error.MalformedRequestError,
    429: error.RateLimitError,
    500: error.ServerError,
    502: error.ServiceUnavailableError,
    503: error.ServiceUnavailableError,
    504: error.ServiceUnavailableError,
}
# The official client's words, for statuses whose bodies it does not read.
STATUS_MESSAGES: Mapping[type[VoyageError], str] = {
    error.ServerError: "The server failed to process the request.",
    error.ServiceUnavailableError: "The server is overloaded or not ready yet.",
}


@frozen
class Send:
    """A step: send this request."""

    request: httpx.Request


@frozen
class Wait:
    """A step: wait."""

    seconds: float


Answer = httpx.Response | httpx.RequestError | None
Steps = Generator[Send | Wait, Answer, T]


def steps(
    call: Call[T], request: httpx.Request, policy: RetryPolicy, dice: Callable[[], float]
) -> Steps[T]:
    """What to do, one step after the other, until there is a result or an exception.

    Both transports do nothing but carry out these steps, so they can't differ.

    Args:
        call: Knows how to read the answer.
        request: What to send.
        policy: Whether to try again, and when.
        dice: Gives random numbers from 0 up to 1.
    """
    retries = 0
    while True:
        answer = yield Send(request)
        if isinstance(answer, httpx.Response) and answer.status_code not in RETRYABLE:
            return _read(call, answer)
        seconds = policy.wait(retries, _retry_after(answer), dice())
        if seconds is None:
            if isinstance(answer, httpx.Response):
                return _read(call, answer)
            raise _connection_error(answer) from answer
        yield Wait(seconds)
        retries += 1


def build(call: Request, parameters: Mapping[str, Any]) -> httpx.Request:
    """The request for the wire. Its body is made once, however often it is sent.

    Args:
        call: What to send.
        parameters: The client's `_params`: api_key, request_timeout and base_url.

    Raises:
        ArgumentError: A text can't be encoded.
    """
    timeout = parameters["request_timeout"] or DEFAULT_TIMEOUT
    phases = httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))
    headers = {
        "Authorization": f"Bearer {parameters['api_key']}",
        "Accept": "application/json",
        "User-Agent": _user_agent(),
    }
    content: bytes | None = None
    if call.json is not UNSET:
        headers["Content-Type"] = "application/json"
        content = _encode(call.json)
    return httpx.Request(
        call.method,
        f"{parameters['base_url']}{call.path}",
        params=dict(call.params) or None,
        headers=headers,
        content=content,
        files=call.parts or None,
        extensions={"timeout": phases.as_dict()},
    )


class Transport:
    """Carries calls over one pool of connections, safe to share between threads."""

    def __init__(
        self,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._sleep = sleep
        self._dice = dice
        self._http = http or httpx.Client(verify=_tls(), limits=LIMITS)

    def run(self, call: Call[T], parameters: Mapping[str, Any], policy: RetryPolicy) -> T:
        """Send a call and read its answer.

        Raises:
            VoyageError: It failed.
        """
        plan = steps(call, build(call.request, parameters), policy, self._dice)
        answer: Answer = None
        try:
            while True:
                step = plan.send(answer)
                answer = self._send(step) if isinstance(step, Send) else self._sleep(step.seconds)
        except StopIteration as done:
            result: T = done.value
            return result

    def _send(self, step: Send) -> httpx.Response | httpx.RequestError:
        try:
            return self._http.send(step.request)
        except httpx.RequestError as failure:
            return failure

    def close(self) -> None:
        """Close all connections."""
        self._http.close()


class AsyncTransport:
    """Carries calls over one pool of connections per event loop."""

    def __init__(
        self,
        open_pool: Callable[[], httpx.AsyncClient] | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        dice: Callable[[], float] = random.random,
    ) -> None:
        import anyio  # only async users should pay for it

        self._open_pool = open_pool or _open_pool
        self._sleep = sleep or anyio.sleep
        self._dice = dice
        # Connections belong to the loop they were opened on.
        self._pools: WeakKeyDictionary[Any, httpx.AsyncClient] = WeakKeyDictionary()
        _tls()  # reads files, which must not happen later, on an event loop

    async def run(self, call: Call[T], parameters: Mapping[str, Any], policy: RetryPolicy) -> T:
        """Send a call and read its answer.

        Raises:
            VoyageError: It failed.
        """
        plan = steps(call, build(call.request, parameters), policy, self._dice)
        answer: Answer = None
        try:
            while True:
                step = plan.send(answer)
                if isinstance(step, Send):
                    answer = await self._send(step)
                else:
                    answer = await self._sleep(step.seconds)  # type: ignore[func-returns-value]  # None is the answer to waiting
        except StopIteration as done:
            result: T = done.value
            return result

    async def _send(self, step: Send) -> httpx.Response | httpx.RequestError:
        try:
            return await self._pool().send(step.request)
        except httpx.RequestError as failure:
            return failure

    def _pool(self) -> httpx.AsyncClient:
        loop = self._loop()
        if loop not in self._pools:
            self._pools[loop] = self._open_pool()
        return self._pools[loop]

    @staticmethod
    def _loop() -> Any:
        from asyncio import get_running_loop

        try:
            return get_running_loop()
        except RuntimeError:  # another async library, such as trio; one pool for all its loops
            return AsyncTransport

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        pool = self._pools.pop(self._loop(), None)
        if pool is not None:
            await pool.aclose()


def _open_pool() -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=_tls(), limits=LIMITS)


def _read(call: Call[T], response: httpx.Response) -> T:
    try:
        return call.read(response)
    except StatusError as failure:
        raise _status_error(failure, response) from None
    except (MalformedResponse, ShapeError) as failure:
        reason = failure.reason if isinstance(failure, MalformedResponse) else str(failure)
        raise error.MalformedResponseError(
            f"The server's answer makes no sense: {reason}", **_context(response)
        ) from failure


def _status_error(failure: StatusError, response: httpx.Response) -> VoyageError:
    kind = STATUS_ERRORS.get(response.status_code, error.APIError)
    message = STATUS_MESSAGES.get(kind) or failure.reason
    if kind is error.APIError or failure.error is None:
        message = f"HTTP {response.status_code}: {message}"
    return kind(message, **_context(response))


def _context(response: httpx.Response) -> dict[str, Any]:
    try:
        decoded = json.loads(response.content)
    except (ValueError, RecursionError):
        decoded = None
    return {
        "http_body": response.content,
        "http_status": response.status_code,
        "json_body": decoded,
        "headers": dict(response.headers),
    }


def _connection_error(failure: httpx.RequestError | None) -> VoyageError:
    reason = f"{type(failure).__name__} {failure}".rstrip()
    if isinstance(failure, httpx.TimeoutException):
        return error.Timeout(f"Request timed out: {reason}")
    return error.APIConnectionError(f"Error communicating with VoyageAI: {reason}")


def _retry_after(answer: Answer) -> float | None:
    if not isinstance(answer, httpx.Response):
        return None
    try:
        seconds = float(answer.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if seconds >= 0 else None


def _encode(body: Any) -> bytes:
    try:
        # Escaping non-ASCII would double the size of most of the world's texts.
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode()
    except UnicodeEncodeError as failure:
        raise ArgumentError(
            f"a text holds a lone surrogate ({failure.object[failure.start]!r}), which is no "
            "character; clean it with text.encode('utf-8', 'replace').decode()"
        ) from None


@functools.cache
def _tls() -> ssl.SSLContext:
    """One TLS context for all pools: making one costs more than a call."""
    return httpx.create_ssl_context()


def _user_agent() -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    return f"voyageai-python/{VERSION} httpx/{httpx.__version__} Python/{python}"
