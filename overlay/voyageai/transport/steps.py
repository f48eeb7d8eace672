"""The flow of one call: wait for the rate limit, send, sleep and send again. It does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

import httpx2
from voyageai_rest.errors import (
    REQUEST_ID,
    MalformedResponse,
    ShapeError,
    StatusError,
)

from ..error import DeadlineError, VoyageError
from ..flow import Environment, Flow, Request, Sleep
from ..response_limits import ResponseLimits
from ..results import RawResponse
from ..retry import Done, GiveUp, Retry, ServerHint
from . import failures
from .logs import Log
from .rate_limit_gate import RateLimitGate
from .request import (
    MAX_REDIRECTS,
    Upload,
    build,
    phases,
    redirected,
    rewindable,
    shortest,
)
from .streams import Stream, check

if TYPE_CHECKING:
    from ..calls import Call
    from ..options import Options
    from ..telemetry.recorder import CallSpan

T = TypeVar("T")
R = TypeVar("R")
Answer = httpx2.Response | httpx2.RequestError
"""The outcome of an attempt: transports return errors of HTTP, and raise all others."""
Steps = Flow[httpx2.Request, T]
UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
"""Errors before there was a connection to send anything on."""


def steps(
    call: Call[T],
    parameters: Mapping[str, Any],
    options: Options,
    environment: Environment,
    span: CallSpan | None = None,
    *,
    raw: bool = False,
) -> Steps[T | RawResponse[T]]:
    """Return the flow of a call, from the rate limit to the result.

    Args:
        call: Knows how to read the answer, and whether it may be sent again.
        parameters: The client's settings: api_key, base_url and headers are read, and where there
            is one, auth, an `httpx2.Auth` in place of the key.
        options: Timeouts, deadline, retries and rate limit.
        environment: Clocks and randomness.
        span: Records the call; it is ended by what runs the flow.
        raw: Whether the result is the answer as it came.

    Raises:
        VoyageError: There is no result; says how often it was tried and how long that took.
    """
    # The rate limit takes a call for over when this lock is free. Unlike a `finally`, which can be
    # interrupted itself, that holds after whatever is raised wherever.
    alive = Lock()
    with alive:
        flow = _attempts(call, parameters, options, environment, span, alive, raw=raw)
        return (yield from flow)


def _attempts(
    call: Call[T],
    parameters: Mapping[str, Any],
    options: Options,
    environment: Environment,
    span: CallSpan | None,
    alive: Lock,
    *,
    raw: bool,
) -> Steps[T | RawResponse[T]]:
    request = build(call.request, parameters, options, call.on_sent, call.max_bytes)
    auth: httpx2.Auth | None = parameters.get("auth")
    clock = environment.clock
    start = clock()
    deadline = None if options.whole is None else start + options.whole
    gate = None
    if options.limiter is not None and call.model:
        gate = RateLimitGate(options.limiter, call.model, call.tokens(), clock, deadline, alive)
    log = Log(request, clock, span, confidential=call.confidential)
    attempts = 0
    in_doubt = False
    try:
        while True:
            reservation = None
            if gate is not None:
                reservation = yield from _waits(gate.wait(again=attempts > 0))
            answer, used, hint, arrived = None, None, ServerHint(), True
            try:
                request.extensions = _extensions(call, options, deadline, clock())
                attempts += 1
                log.start(attempts)
                if auth is None:
                    answer = yield from _sent(call, request)
                else:
                    answer, arrived = yield from _authorized(call, request, auth)
                if isinstance(answer, httpx2.Response) and not answer.is_success:
                    hint = ServerHint.of(answer.headers, environment.now())
                doubtful = arrived and _is_doubtful(answer, request)
                in_doubt = in_doubt or doubtful
                decision = _decide(
                    *(call, answer, hint, attempts, options, deadline, environment),
                    doubtful=doubtful,
                )
                if isinstance(decision, Done):
                    response = cast("httpx2.Response", answer)
                    in_doubt = True  # it was carried out, and may make no sense
                    result = _raw(call, response, clock) if raw else _read(call, response, clock)
                    used = getattr(result, "total_tokens", None) or None  # 0 says nothing
                    log.done(response, used)
                    return result
                if isinstance(decision, GiveUp):
                    log.failed(answer)
                    overdue = deadline is not None and clock() >= deadline
                    _fail(call, answer, decision.reason, overdue=overdue)
            finally:
                if gate is not None and reservation is not None:
                    gate.finish(reservation, answer, hint, used)
            log.retrying(answer, decision.seconds)
            yield Sleep(decision.seconds)
    except VoyageError as failure:
        failure.attempts, failure.elapsed = attempts, clock() - start
        failure.outcome_unknown = in_doubt
        raise


def _extensions(
    call: Call[T], options: Options, deadline: float | None, now: float
) -> dict[str, Any]:
    """Return what the wire must know of an attempt, as extensions of its request.

    Raises:
        DeadlineError: The time for the call is over.
    """
    left = None if deadline is None else deadline - now
    if left is not None and left <= 0:
        raise DeadlineError(f"The call took longer than its {options.whole:g} s")
    left = shortest(left, options.attempt)
    size = options.max_response_bytes
    return {
        "timeout": phases(options, left),
        "deadline": None if left is None else now + left,
        "repeatable": call.repeatable and rewindable(call.request),
        "streamed": call.streamed,
        "bounds": call.bounds if size is None else ResponseLimits(size=size, values=None),
        "body_deadline": deadline if call.bounded else None,
    }


def _authorized(
    call: Call[Any], request: httpx2.Request, auth: httpx2.Auth
) -> Steps[tuple[Answer, bool]]:
    """Send a request, and what authenticates it before.

    Returns:
        The last answer, and whether the request itself was sent last: a token may be refused.
    """
    flow = auth.auth_flow(request)
    answer: Answer | None = None
    try:
        sent = next(flow)
        while True:
            answer = yield from _sent(call, sent)
            if not isinstance(answer, httpx2.Response):
                return answer, sent is request
            try:
                sent = flow.send(answer)
            except StopIteration:
                return answer, sent is request
    except httpx2.RequestError as failure:  # a challenge that can't be met
        failure.request = request
        return failure, False
    except MalformedResponse as failure:
        raise failures.malformed(failure, None) from failure
    finally:
        flow.close()


def _sent(call: Call[Any], request: httpx2.Request) -> Steps[Answer]:
    """Send a request; where the content of a file is elsewhere, follow the redirects to it."""
    for _ in range(MAX_REDIRECTS if call.streamed else 0):
        answer: Answer = yield Request(request)
        onward = redirected(request, answer) if isinstance(answer, httpx2.Response) else None
        if onward is None:
            return answer
        request = onward
    last: Answer = yield Request(request)
    if call.amend is not None and isinstance(last, httpx2.Response):
        call.amend(last)
    return last


def _waits(waiting: Generator[float, None, R]) -> Steps[R]:
    """Turn seconds to wait into steps."""
    try:
        while True:
            yield Sleep(next(waiting))
    except StopIteration as done:
        result: R = done.value
        return result
    finally:
        waiting.close()


def _is_doubtful(answer: Answer, request: httpx2.Request) -> bool:
    """Return whether the server may have carried out a request that failed."""
    upload = request.stream
    if isinstance(upload, Upload) and not upload.handed_over:
        return False
    if isinstance(answer, httpx2.Response):
        return answer.status_code >= 500 or answer.status_code == 408
    return not isinstance(answer, UNSENT)


def _decide(
    call: Call[T],
    answer: Answer,
    hint: ServerHint,
    attempts: int,
    options: Options,
    deadline: float | None,
    environment: Environment,
    *,
    doubtful: bool,
) -> Done | Retry | GiveUp:
    """Decide what to do after an attempt."""
    if isinstance(answer, httpx2.Response) and answer.is_success:
        return Done()
    rewinds = rewindable(call.request)
    if doubtful and not (call.repeatable and rewinds):
        return GiveUp(call.doubt)
    if not rewinds and not isinstance(answer, UNSENT):
        return GiveUp("its body can't be read again")
    return options.max_retries.decide(
        attempts - 1,
        answer.status_code if isinstance(answer, httpx2.Response) else None,
        hint,
        random=environment.random(),
        left=None if deadline is None else deadline - environment.clock(),
    )


def _fail(call: Call[T], answer: Answer, reason: str, *, overdue: bool) -> NoReturn:
    """Raise the exception for an answer that is not a success.

    Args:
        call: The call.
        answer: The last answer.
        reason: Why it is not tried again, where that needs saying.
        overdue: Whether the time for the whole call is over.
    """
    if isinstance(answer, httpx2.Response):
        failure = call.refusal(answer)
        raise failures.refused(failure, answer, call.request.operation, reason) from failure
    cause = failures.strip_frames(answer)
    raise failures.unreachable(answer, reason, overdue=overdue) from cause


def _read(call: Call[T], response: httpx2.Response, clock: Callable[[], float]) -> T:
    """Read the result in a success; a success that the contract does not know is a failure."""
    try:
        if call.streamed:
            return call.read(Stream(response, clock))
        check(response)
        return call.read(response)
    except (MalformedResponse, ShapeError, StatusError) as failure:
        doubt = "" if call.repeatable else call.doubt
        if call.confidential:
            raised = failures.malformed(failure, None, doubt)
        elif isinstance(failure, StatusError):
            raise failures.refused(failure, response, call.request.operation, "") from failure
        else:
            raise failures.malformed(failure, response, doubt) from failure
    raise raised  # without its cause, which holds the answer


def _raw(call: Call[T], response: httpx2.Response, clock: Callable[[], float]) -> RawResponse[T]:
    """Return a success as it came."""
    if "too_long" in response.extensions:
        _read(call, response, clock)  # raises
    return RawResponse(
        status_code=response.status_code,
        headers=dict(response.headers),
        content=response.content,
        request_id=response.headers.get(REQUEST_ID),
        parse=partial(_read, call, response, clock),
    )
