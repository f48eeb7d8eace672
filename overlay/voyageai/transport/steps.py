"""What to do for a call, one step after the other: both transports carry out nothing else."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2
from attrs import frozen
from voyageai_rest.errors import (
    REQUEST_ID,
    MalformedResponse,
    ShapeError,
    StatusError,
    status_error,
)

from ..bounds import Bounds
from ..error import DeadlineError, VoyageError
from ..results import RawResponse
from ..retry import Advice, GiveUp
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

T = TypeVar("T")
R = TypeVar("R")
Answer = httpx2.Response | httpx2.RequestError | None


@frozen
class Send:
    """A step: send this request.

    Attributes:
        request: The request; its extensions hold timeouts and deadline.
        left: Seconds until the deadline of the call; None without one.
    """

    request: httpx2.Request
    left: float | None


@frozen
class Wait:
    """A step: wait."""

    seconds: float


Steps = Generator[Send | Wait, Answer, T]


def _monotonic() -> float:
    return time.monotonic()  # looked up when asked: tests freeze and move time


def _utc_now() -> datetime:
    return datetime.now(UTC)


@frozen(kw_only=True)
class Surroundings:
    """Time and chance, passed in so that tests can make them.

    Attributes:
        clock: Seconds that only go forwards.
        now: The time with a zone, for dates in headers.
        dice: Random numbers from 0 up to 1.
    """

    clock: Callable[[], float] = _monotonic
    dice: Callable[[], float] = random.random
    now: Callable[[], datetime] = _utc_now


def steps(
    call: Call[T],
    parameters: Mapping[str, Any],
    options: Options,
    surroundings: Surroundings,
    *,
    raw: bool = False,
) -> Steps[T | RawResponse[T]]:
    """Wait for its turn, send, wait and send again, until there is a result.

    Args:
        call: Knows how to read the answer, and whether it may be sent again.
        parameters: The client's `_params`: api_key and base_url are read.
        options: Timeouts, deadline, retries and rate limit.
        surroundings: Time and chance.
        raw: Whether the result is the answer as it came.

    Raises:
        VoyageError: There is none; says how often it was tried and how long that took.
    """
    # The rate limit takes a call for over when this lock is free. Unlike a `finally`, which can be
    # interrupted itself, that holds after whatever is raised wherever.
    alive = Lock()
    with alive:
        return (yield from _attempts(call, parameters, options, surroundings, alive, raw=raw))


def _attempts(
    call: Call[T],
    parameters: Mapping[str, Any],
    options: Options,
    surroundings: Surroundings,
    alive: Lock,
    *,
    raw: bool,
) -> Steps[T | RawResponse[T]]:
    request = build(call.request, parameters, options, call.on_sent)
    clock = surroundings.clock
    start = clock()
    deadline = None if options.whole is None else start + options.whole
    gate = None
    if options.limiter is not None and call.model:
        gate = RateLimitGate(options.limiter, call.model, call.tokens(), clock, deadline, alive)
    log = Log(request, clock)
    attempts = 0
    in_doubt = False
    may_repeat = call.repeatable and rewindable(call.request)
    upload = request.stream if isinstance(request.stream, Upload) else None
    try:
        while True:
            reservation = None
            if gate is not None:
                reservation = yield from _waits(gate.wait(again=attempts > 0))
            answer, used, advice = None, None, Advice()
            try:
                now = clock()
                left = None if deadline is None else deadline - now
                if left is not None and left <= 0:
                    raise DeadlineError(f"The call took longer than its {options.whole:g} s")
                left = shortest(left, options.attempt)
                request.extensions = {
                    "timeout": phases(options, left),
                    "deadline": None if left is None else now + left,
                    "repeatable": may_repeat,
                    "streamed": call.streamed,
                    "bounds": _bounds(call, options),
                    "body_deadline": deadline if call.bounded else None,
                }
                attempts += 1
                log.start(attempts)
                answer = yield from _sent(request, clock, streamed=call.streamed)
                if isinstance(answer, httpx2.Response):
                    advice = Advice.of(answer.headers, surroundings.now())
                doubtful = _doubtful(answer) and (upload is None or upload.handed_over)
                in_doubt = in_doubt or doubtful
                decision = _decide(
                    call,
                    answer,
                    advice,
                    attempts,
                    options,
                    deadline,
                    surroundings,
                    doubtful=doubtful,
                )
                if isinstance(decision, GiveUp):
                    response = _last(call, answer, decision, log, deadline, clock)
                    in_doubt = True  # it was carried out, and may make no sense
                    result = _raw(call, response, clock) if raw else _read(call, response, clock)
                    used = getattr(result, "total_tokens", None)
                    log.done(response, used)
                    return result
            finally:
                if gate is not None and reservation is not None:
                    gate.finish(reservation, answer, advice, used)
            log.retrying(answer, decision)
            yield Wait(decision)
    except VoyageError as failure:
        failure.attempts, failure.elapsed = attempts, clock() - start
        failure.outcome_unknown = in_doubt
        raise


def _bounds(call: Call[T], options: Options) -> Bounds:
    """The bounds of an answer: the user's or the call's."""
    given = options.max_response_bytes
    return call.bounds if given is None else Bounds(size=given, values=None)


def _sent(
    request: httpx2.Request, clock: Callable[[], float], *, streamed: bool
) -> Generator[Send, Answer, Answer]:
    """Send a request, and follow where contents of files are said to be."""
    for _ in range(MAX_REDIRECTS if streamed else 0):
        answer = yield Send(request, _left(request, clock))
        onward = redirected(request, answer) if isinstance(answer, httpx2.Response) else None
        if onward is None:
            return answer
        request = onward
    return (yield Send(request, _left(request, clock)))


def _left(request: httpx2.Request, clock: Callable[[], float]) -> float | None:
    """Seconds until the deadline of a request, never less than 0."""
    deadline: float | None = request.extensions["deadline"]
    return None if deadline is None else max(0.0, deadline - clock())


def _waits(waiting: Generator[float, None, R]) -> Generator[Send | Wait, Answer, R]:
    """The same waits, as steps."""
    try:
        while True:
            yield Wait(next(waiting))
    except StopIteration as done:
        result: R = done.value
        return result
    finally:
        waiting.close()


UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


def _unsent(answer: Answer) -> bool:
    """Whether there was no connection to send anything on."""
    return isinstance(answer, UNSENT)


def _doubtful(answer: Answer) -> bool:
    """Whether a request that failed may have been carried out all the same: it was not refused."""
    if isinstance(answer, httpx2.Response):
        return answer.status_code >= 500 or answer.status_code == 408
    return not _unsent(answer)


def _decide(
    call: Call[T],
    answer: Answer,
    advice: Advice,
    attempts: int,
    options: Options,
    deadline: float | None,
    surroundings: Surroundings,
    *,
    doubtful: bool,
) -> float | GiveUp:
    if isinstance(answer, httpx2.Response) and answer.is_success:
        return GiveUp()
    rewinds = rewindable(call.request)
    if doubtful and not (call.repeatable and rewinds):
        return GiveUp(call.doubt)
    if not rewinds and not _unsent(answer):
        return GiveUp("its body can't be read again")
    return options.max_retries.decide(
        attempts - 1,
        answer.status_code if isinstance(answer, httpx2.Response) else None,
        advice,
        random=surroundings.dice(),
        left=None if deadline is None else deadline - surroundings.clock(),
    )


def _last(
    call: Call[T],
    answer: Answer,
    decision: GiveUp,
    log: Log,
    deadline: float | None,
    clock: Callable[[], float],
) -> httpx2.Response:
    """The last answer if it is a success, or its exception."""
    if isinstance(answer, httpx2.Response):
        if answer.is_success:
            return answer
        log.failed(answer)
        failure = status_error(answer)
        raise failures.refused(
            failure, answer, call.request.operation, decision.reason
        ) from failure
    assert answer is not None  # noqa: S101  # a request has an answer
    log.failed(answer)
    overdue = deadline is not None and clock() >= deadline
    cause = failures.strip_frames(answer)
    raise failures.unreachable(answer, decision.reason, overdue=overdue) from cause


def _read(call: Call[T], response: httpx2.Response, clock: Callable[[], float]) -> T:
    """The result in a success; other successes than the contract's are none."""
    try:
        if call.streamed:
            return call.read(Stream(response, clock))
        check(response)
        return call.read(response)
    except StatusError as failure:
        raise failures.refused(failure, response, call.request.operation, "") from failure
    except (MalformedResponse, ShapeError) as failure:
        doubt = "" if call.repeatable else call.doubt
        raise failures.malformed(failure, response, doubt) from failure


def _raw(call: Call[T], response: httpx2.Response, clock: Callable[[], float]) -> RawResponse[T]:
    if "too_long" in response.extensions:
        _read(call, response, clock)  # raises
    return RawResponse(
        status_code=response.status_code,
        headers=dict(response.headers),
        content=response.content,
        request_id=response.headers.get(REQUEST_ID),
        parse=partial(_read, call, response, clock),
    )
