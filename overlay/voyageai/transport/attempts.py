"""The attempts of a call, as a flow without I/O: wait for the rate limit, send, sleep, retry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from logging import DEBUG, INFO
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx2
from voyageai_rest.errors import (
    REQUEST_ID,
    MalformedResponse,
    ShapeError,
    StatusError,
)

from ..error import DeadlineError, VoyageError
from ..flow import Environment, Flow, Request, Sleep
from ..options import MAX_SECONDS
from ..response_limits import ResponseLimits
from ..results import RawResponse
from ..retry import GiveUp, Retry, ServerHint
from . import failures
from .logs import BODIES, LOGGER, Answer, Log
from .rate_limit_gate import RateLimitGate
from .request import MAX_REDIRECTS, Upload, build, redirected, rewindable
from .streams import Stream

if TYPE_CHECKING:
    from ..calls import Call
    from ..options import Options
    from ..telemetry.recorder import CallSpan

T = TypeVar("T")
CallFlow = Flow[httpx2.Request, T]
TIMEOUT = 600.0
"""Default seconds for each phase of an attempt, as in the official client."""
CONNECT_TIMEOUT = 30.0
NO_HINT = ServerHint()
UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
"""Errors that arise before there is a connection to send on."""


def call_flow(
    call: Call[T],
    parameters: Mapping[str, Any],
    options: Options,
    environment: Environment,
    span: CallSpan | None = None,
    *,
    raw: bool = False,
) -> CallFlow[T | RawResponse[T]]:
    """Return the flow of a call, from the rate limit to the result.

    Args:
        call: The call, which knows how to read the response and whether it may be sent again.
        parameters: The client's settings `api_key`, `base_url` and `headers`, and optionally
            `auth`, an `httpx2.Auth` in place of the key.
        options: Timeout, deadline, retries and rate limiter.
        environment: Clocks and randomness.
        span: The record of the call, which is ended by the caller.
        raw: True to return the raw response.

    Raises:
        VoyageError: The call failed; the error has the number of attempts and the elapsed time.
    """
    # The rate limiter considers the call ended once this lock is free. Unlike a `finally`, which
    # can be interrupted itself, that holds for any exception at any point. The rest is in a frame
    # of its own, as CPython leaves the first line of a `try` within a `with` unprotected.
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
) -> CallFlow[T | RawResponse[T]]:
    rewinds = not call.request.parts or rewindable(call.request)
    request = build(call, parameters, options, rewinds=rewinds)
    auth: httpx2.Auth | None = parameters.get("auth")
    clock = environment.clock
    start = now = clock()
    deadline = None if options.deadline is None else start + min(options.deadline, MAX_SECONDS)
    log = None
    if span is not None or LOGGER.isEnabledFor(INFO) or BODIES.isEnabledFor(DEBUG):
        log = Log(request, clock, span, call.confidential)
    gate = None
    if options.limiter is not None and call.model:
        gate = RateLimitGate(options.limiter, call.model, call.tokens(), clock, deadline, alive)
    attempts, in_doubt = 0, False
    try:
        while True:
            reservation = None
            if gate is not None:
                reservation = yield from gate.wait(again=attempts > 0)
                now = clock()
            answer, used, hint, arrived = None, None, NO_HINT, True
            try:
                request.extensions = _extensions(call, options, deadline, now, rewinds=rewinds)
                attempts += 1
                if log is not None:
                    log.started(attempts, now)
                if auth is None and not call.streamed and call.amend is None:
                    answer = yield Request(request)
                else:
                    answer, arrived = yield from _sent(call, request, auth)
                if isinstance(answer, httpx2.Response):
                    if answer.is_success:
                        in_doubt = True  # carried out, even if the response is malformed
                        result = _result(call, answer, clock, raw=raw)
                        used = getattr(result, "total_tokens", None) or None  # 0 means unknown
                        if log is not None:
                            log.ended(DEBUG, answer, "%s tokens", used or "-")
                        return result
                    hint = ServerHint.of(answer.headers, environment.now())
                doubtful = arrived and _is_doubtful(answer, request)
                in_doubt = in_doubt or doubtful
                seconds = _delay(
                    *(call, answer, hint, log, attempts, options, deadline, environment),
                    doubtful=doubtful,
                    rewinds=rewinds,
                )
            finally:
                if gate is not None and reservation is not None:
                    gate.finish(reservation, answer, hint, used)
            yield Sleep(seconds)
            now = clock()
    except VoyageError as failure:
        failure.attempts, failure.elapsed = attempts, clock() - start
        failure.outcome_unknown = in_doubt
        raise


def _extensions(
    call: Call[T], options: Options, deadline: float | None, now: float, *, rewinds: bool
) -> dict[str, Any]:
    """Return the extensions of a request for one attempt: timeouts, deadlines and limits.

    Raises:
        DeadlineError: The deadline of the call has passed.
    """
    left = MAX_SECONDS if deadline is None else deadline - now
    if left <= 0:
        raise DeadlineError(f"The call took longer than its deadline of {options.deadline:g} s")
    timeout: Any = options.timeout
    if hasattr(timeout, "as_dict"):  # a Timeout of httpx2 or legacy httpx
        phases: dict[str, float | None] = timeout.as_dict()
    else:
        each = timeout or TIMEOUT
        left = min(left, timeout or MAX_SECONDS)  # a number also limits the whole attempt
        phases = {"connect": min(each, CONNECT_TIMEOUT), "read": each, "write": each, "pool": each}
    size = options.max_response_bytes
    return {
        "timeout": {
            name: left if time is None else min(time, left) for name, time in phases.items()
        },
        "deadline": None if left == MAX_SECONDS else now + left,
        "repeatable": call.repeatable and rewinds,
        "streamed": call.streamed,
        "bounds": call.bounds if size is None else ResponseLimits(size=size, values=None),
        "body_deadline": deadline if call.bounded else None,
    }


def _sent(
    call: Call[Any], request: httpx2.Request, auth: httpx2.Auth | None
) -> CallFlow[tuple[Answer, bool]]:
    """Send a request, after the requests that authenticate it.

    Returns:
        The last answer, and whether it is the answer to the request itself rather than to one for a
        token.
    """
    if auth is None:
        return (yield from _followed(call, request)), True
    flow = auth.auth_flow(request)
    try:
        sent = next(flow)
        while True:
            answer = yield from _followed(call, sent)
            if not isinstance(answer, httpx2.Response):
                return answer, sent is request
            try:
                sent = flow.send(answer)
            except StopIteration:
                return answer, sent is request
    except httpx2.RequestError as failure:  # such as a challenge that can't be met
        failure.request = request
        return failure, False
    except MalformedResponse as failure:
        raise failures.malformed(failure, None) from failure
    finally:
        flow.close()


def _followed(call: Call[Any], request: httpx2.Request) -> CallFlow[Answer]:
    """Send a request; for contents of files, follow redirects."""
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


def _is_doubtful(answer: Answer, request: httpx2.Request) -> bool:
    """Return whether the server may have carried out a request that failed."""
    upload = request.stream
    if isinstance(upload, Upload) and not upload.handed_over:
        return False
    if isinstance(answer, httpx2.Response):
        return answer.status_code >= 500 or answer.status_code == 408
    return not isinstance(answer, UNSENT)


def _delay(
    call: Call[T],
    answer: Answer,
    hint: ServerHint,
    log: Log | None,
    attempts: int,
    options: Options,
    deadline: float | None,
    environment: Environment,
    *,
    doubtful: bool,
    rewinds: bool,
) -> float:
    """Return the seconds from a failed attempt to the next one.

    Raises:
        VoyageError: The call is not tried again.
    """
    left = None if deadline is None else deadline - environment.clock()
    decision: Retry | GiveUp
    if doubtful and not (call.repeatable and rewinds):
        decision = GiveUp(call.doubt)
    elif not rewinds and not isinstance(answer, UNSENT):
        decision = GiveUp("its body can't be read again")
    else:
        decision = options.max_retries.decide(
            attempts - 1,
            answer.status_code if isinstance(answer, httpx2.Response) else None,
            hint,
            random=environment.random(),
            left=left,
        )
    if isinstance(decision, Retry):
        if log is not None:
            log.ended(INFO, answer, "trying again in %.3g s", decision.seconds)
        return decision.seconds
    if log is not None:
        log.ended(INFO, answer, "giving up")
    reason, overdue = decision.reason, left is not None and left <= 0
    if isinstance(answer, httpx2.Response):
        failure = call.refusal(answer)
        raise failures.refused(failure, answer, call.request.operation, reason) from failure
    raise failures.unreachable(answer, reason, overdue=overdue) from failures.strip_frames(answer)


def _result(
    call: Call[T], response: httpx2.Response, clock: Callable[[], float], *, raw: bool = False
) -> T | RawResponse[T]:
    """Return the result of a success; raise if the contract does not allow it."""
    try:
        if (size := response.extensions.get("too_long")) is not None:
            raise ShapeError(  # noqa: TRY301  # handled like those of the parser
                f"more than {size:,} bytes, the most that a correct answer to this request has; "
                "Client(max_response_bytes=...) sets another limit"
            )
        if raw:
            return RawResponse(
                status_code=response.status_code,
                headers=dict(response.headers),
                content=response.content,
                request_id=response.headers.get(REQUEST_ID),
                parse=cast("Callable[[], T]", partial(_result, call, response, clock)),
            )
        if call.streamed:
            return call.read(Stream(response, clock))
        bounds: ResponseLimits = response.request.extensions["bounds"]
        bounds.check(response.content)
        return call.read(response)
    except (MalformedResponse, ShapeError, StatusError) as failure:
        doubt = "" if call.repeatable else call.doubt
        if call.confidential:
            raised = failures.malformed(failure, None, doubt)
        elif isinstance(failure, StatusError):
            raise failures.refused(failure, response, call.request.operation, "") from failure
        else:
            raise failures.malformed(failure, response, doubt) from failure
    raise raised  # without its cause, which holds the response
