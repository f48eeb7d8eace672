"""Clients that wait for their own rate limit instead of being refused."""

from __future__ import annotations

import gc
import logging
import pickle
import signal
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock

import anyio
import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai.transport.rate_limit_gate import RateLimitGate

from .conftest import Face, answer_to
from .test_errors_and_retries import failing
from .test_results import CALLS

pytestmark = pytest.mark.smoke

EMBED = {"texts": ["a"], "model": "voyage-4"}
SLOW = voyageai.RateLimit(rpm=2)


def test_calls_beyond_the_limit_wait_for_their_minute(face):
    """A wait costs less than a refusal and a retry."""
    client = face.client(rate_limit=SLOW)
    for _ in range(2):
        face.call(client, "embed", **EMBED)
    assert [] == face.waits
    face.call(client, "embed", **EMBED)

    assert 60 <= sum(face.waits) < 62
    assert 3 == len(face.requests)


@pytest.mark.parametrize(("method", "arguments", "kind"), CALLS)
def test_the_limit_holds_for_every_method(face, method, arguments, kind):
    """All methods share one budget, as they do on the server."""
    client = face.client(rate_limit=voyageai.RateLimit(rpm=1))
    face.call(client, "embed", **EMBED)
    face.call(client, method, **arguments)

    assert sum(face.waits) >= 60


def test_copies_share_the_limit_of_their_client(face):
    """The server counts a client and its copies together."""
    client = face.client(rate_limit=SLOW)
    for copied in (client, client.with_options(max_retries=1), client.with_options(timeout=99)):
        copied._transport = client._transport
        face.call(copied, "embed", **EMBED)

    assert sum(face.waits) >= 60
    other = client.with_options(rate_limit=None)
    face.waits.clear()
    face.call(other, "embed", **EMBED)
    assert [] == face.waits


def test_clients_may_share_a_limiter(face):
    """Several clients with one key share that key's limit."""
    limiter = voyageai.RateLimiter(SLOW)
    for _ in range(3):
        face.call(face.client(rate_limit=limiter), "embed", **EMBED)

    assert sum(face.waits) >= 60


def test_a_wait_beyond_the_deadline_is_an_error_at_once(face):
    """The failed call leaves its place in the queue to the next."""
    client = face.client(rate_limit=SLOW)
    for _ in range(2):
        face.call(client, "embed", **EMBED)
    with pytest.raises(
        error.DeadlineError, match=r"The rate limit allows this call in .* at the earliest"
    ):
        face.call(client, "embed", **EMBED, deadline=5)

    assert [] == face.waits
    face.call(client, "embed", **EMBED)
    assert sum(face.waits) < 62


def test_retries_take_turns_too(face):
    """The server counts a retry like any other request."""
    client = face.client(failing(503), rate_limit=voyageai.RateLimit(rpm=1), max_retries=1)
    face.call(client, "embed", **EMBED)

    assert 2 == len(face.requests)
    assert sum(face.waits) >= 60


def test_a_retry_does_not_wait_for_its_own_failed_attempt(face):
    """A failed attempt counts for a minute, but a retry with rpm=1 must still go after it."""
    client = face.client(
        failing(httpx2.ConnectError("no")), rate_limit=voyageai.RateLimit(rpm=1), max_retries=1
    )
    face.call(client, "embed", **EMBED, deadline=200)

    assert 2 == len(face.requests)
    assert 60 <= sum(face.waits) < 65


def test_a_wait_that_fails_gives_its_place_back_at_once():
    """Waiting for the periodic search for dead calls would delay all others."""
    limiter = voyageai.RateLimiter(voyageai.RateLimit(rpm=1))
    limiter.wait(limiter.reserve("voyage-4", 1, 0.0), 0.0)
    gate = RateLimitGate(limiter, "voyage-4", 1, lambda: 0.0, deadline=5.0, alive=Lock())
    with gate.alive:
        with pytest.raises(error.DeadlineError):
            next(gate.wait(again=False))
        (budget,) = limiter._budgets.values()
        assert 0 == len(budget._fresh)


def test_a_refusal_slows_all_calls_down(face):
    """The server knows its limit better than the setting."""
    refusal = httpx2.Response(429, json={"detail": "no"}, headers={"retry-after": "30"})
    client = face.client(failing(refusal), rate_limit=1)
    with pytest.raises(error.RateLimitError):
        face.call(client, "embed", **EMBED)
    face.call(client, "embed", **EMBED)

    assert sum(face.waits) >= 29


def test_tokens_are_counted_as_the_answers_say(face):
    """A too low estimate is made up for by the calls after it."""

    def handler(request):
        answer = answer_to(request)
        body = answer.json() | {"usage": {"total_tokens": 900}}
        return httpx2.Response(200, json=body)

    client = face.client(handler, rate_limit=voyageai.RateLimit(tpm=1000))
    for _ in range(2):
        face.call(client, "embed", texts=["word " * 400], model="voyage-4")

    assert sum(face.waits) >= 60


@pytest.mark.parametrize("wrong", [0, 4, "tier 1", True, voyageai.RetryPolicy()])
def test_an_invalid_limit_is_refused(face, wrong):
    """The error comes when the client is made."""
    with pytest.raises(error.ArgumentError, match="rate_limit must be None, a tier"):
        face.client(rate_limit=wrong)


def test_tiers_are_the_catalogues(face):
    """The free tier allows three requests a minute."""
    client = face.client(rate_limit="free")
    for _ in range(3):
        face.call(client, "embed", **EMBED)
    assert [] == face.waits
    face.call(client, "embed", **EMBED)

    assert sum(face.waits) >= 60


def test_a_long_wait_is_one_line_when_it_begins(face, caplog):
    """A minute of silence looks like a hanging program."""
    caplog.set_level(logging.INFO, logger="voyageai")
    client = face.client(rate_limit=SLOW)
    for _ in range(2):
        face.call(client, "embed", **EMBED)
    assert [] == caplog.messages
    face.call(client, "embed", **EMBED)

    assert ["voyage-4 waits about 60 s for the rate limit"] == caplog.messages


def test_a_short_wait_is_no_line(face, caplog):
    """Thousands of short waits would flood the log."""
    caplog.set_level(logging.INFO, logger="voyageai")
    client = face.client(rate_limit=voyageai.RateLimit(rpm=1))
    face.call(client, "embed", **EMBED)
    face.time += 56
    face.call(client, "embed", **EMBED)

    assert 4 == round(sum(face.waits))
    assert [] == caplog.messages


def test_a_callback_is_told_of_a_wait_until_it_is_over(face):
    """A progress bar shows the time left, and disappears at the end."""
    reports = []
    limiter = voyageai.RateLimiter(SLOW, on_wait=lambda *wait: reports.append(wait))
    client = face.client(rate_limit=limiter)
    for _ in range(2):
        face.call(client, "embed", **EMBED)
    assert [] == reports
    face.call(client, "embed", **EMBED)

    seconds = [left for _, left in reports]
    assert {"voyage-4"} == {model for model, _ in reports}
    assert (60, 0) == (round(seconds[0]), seconds[-1])
    assert sorted(seconds, reverse=True) == seconds
    assert len(face.waits) + 1 == len(reports)


def test_a_callback_that_fails_leaves_the_place_to_the_next_call(face):
    """The callback's error is raised by the call, and the limit keeps working."""

    def fail(model, seconds):
        raise RuntimeError(model)

    limiter = voyageai.RateLimiter(voyageai.RateLimit(rpm=1), on_wait=fail)
    client = face.client(rate_limit=limiter)
    face.call(client, "embed", **EMBED)
    with pytest.raises(RuntimeError, match="voyage-4"):
        face.call(client, "embed", **EMBED)

    limiter.on_wait = None
    face.call(client, "embed", **EMBED)
    assert 60 <= sum(face.waits) < 62


def test_a_pickled_limiter_leaves_its_callback_behind():
    """A progress bar belongs to its process, and most functions can't be pickled."""
    limiter = voyageai.RateLimiter(1, on_wait=lambda model, seconds: None)

    copied = pickle.loads(pickle.dumps(limiter))

    assert (1, None) == (copied.setting, copied.on_wait)


# Interrupted calls


class Interrupt(BaseException):
    """An exception raised by a signal handler, as for Ctrl-C or Celery's soft time limit."""


ROOMS = (
    "/voyageai/ratelimit/",
    "/voyageai/transport/rate_limit_gate.py",
    "/voyageai/transport/attempts.py",
)


class Tracer:
    """A trace function that acts at one of the lines that calls run in the limiter or its users."""

    def __init__(self, at=None, does=None):
        self.lines, self.at, self.does = [], at, does

    def __call__(self, frame, event, arg):
        if not any(room in frame.f_code.co_filename for room in ROOMS):
            return None
        if event == "line":
            self.lines.append((frame.f_code.co_filename, frame.f_lineno))
            if len(self.lines) - 1 == self.at:
                self.does()
        return self

    def run(self, work):
        before = sys.gettrace()
        sys.settrace(self)
        try:
            return work()
        finally:
            sys.settrace(before)


def ends(lines):
    """Return the indexes of the first and last run of each line."""
    first = {line: place for place, line in reversed(list(enumerate(lines)))}
    last = {line: place for place, line in enumerate(lines)}
    return sorted({*first.values(), *last.values()})


def interrupt():
    """Raise an exception that no program handles."""
    raise Interrupt


@pytest.fixture(scope="module")
def elsewhere():
    """Return a function that runs work in another thread, which can't acquire a held lock."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda work, *arguments: pool.submit(work, *arguments).result()


def unlocked(limiter):
    """Return whether all locks of a limiter can be acquired."""
    locks = [budget._lock for budget in limiter._budgets.values()]
    return all(lock.acquire(blocking=False) and not lock.release() for lock in locks)


def turn(limiter, now):
    """Return when a call with a deadline in 65 seconds is let out."""
    reservation, deadline = limiter.reserve("voyage-4", 1, now), now + 65
    assert now + limiter.min_wait(reservation, now) < deadline
    while limiter.wait(reservation, now):
        now += 1
        assert now < deadline
    limiter.correct(reservation, 1, now)
    return now


def assert_whole(limiter, now):
    """Assert that nothing waits and nothing counts."""
    (budget,) = limiter._budgets.values()
    probe = limiter.reserve("voyage-4", 1, now)
    limiter.min_wait(probe, now)
    limiter.release(probe, now)
    assert (0, 0) == (len(budget._retries), len(budget._fresh))
    assert (0, 0) == (budget._retries.tokens, budget._fresh.tokens)
    assert (0, 0, 0) == (budget._window.requests, budget._window.tokens, budget._probes)
    assert len(budget._reservations) <= 1


def test_an_interrupt_at_any_line_leaves_nothing_behind(face, elsewhere, full):
    """A Celery worker keeps using its limiter after a soft time limit struck at any line."""

    def work(tracer):
        """Run calls that go at once, wait, are refused, retry and probe for a higher limit."""
        face.time = 1000.0
        limiter = voyageai.RateLimiter(voyageai.RateLimit(rpm=2), on_wait=lambda *wait: None)
        refusal = httpx2.Response(429, json={"detail": "no"}, headers={"retry-after": "1"})
        answers = [None, refusal]
        client = face.client(
            lambda request: (answers.pop(0) if answers else None) or answer_to(request),
            rate_limit=limiter,
            max_retries=1,
        )

        def calls():
            face.call(client, "embed", **EMBED)
            face.time += 54
            face.call(client, "embed", **EMBED)
            face.time += 15
            face.call(client, "embed", **EMBED)

        try:
            tracer.run(calls)
        except Interrupt as raised:
            return limiter, client, raised
        finally:
            answers.clear()
        return limiter, client, None

    counted = Tracer()
    work(counted)
    for place in ends(counted.lines)[:: 1 if full else 3]:
        # Keeping the exception, as a shell does, keeps the frames of the call.
        limiter, client, kept = work(Tracer(place, interrupt))
        assert kept is not None
        assert elsewhere(unlocked, limiter)
        face.time = turn(limiter, face.time) + 62
        assert_whole(limiter, face.time)
        face.waits.clear()
        face.call(client, "embed", **EMBED)
        assert [] == face.waits


def test_a_call_within_a_line_of_another_harms_neither():
    """Signal handlers and finalizers run between any two lines, in the thread with the lock."""

    def work(tracer_at=None):
        limiter = voyageai.RateLimiter(voyageai.RateLimit(rpm=99))
        left = limiter.reserve("voyage-4", 1, 0.0)

        def call(now):
            reservation = limiter.reserve("voyage-4", 1, now)
            limiter.min_wait(reservation, now)
            let_out = not limiter.wait(reservation, now)
            limiter.correct(reservation, 1, now)
            limiter.release(reservation, now)
            assert let_out

        def within():
            limiter.release(left, 0.0)
            call(0.0)

        def calls():
            reservation = limiter.reserve("voyage-4", 1, 0.0)
            limiter.release(reservation, 0.0)
            call(0.0)
            call(0.0)

        tracer = Tracer(tracer_at, within)
        tracer.run(calls)
        limiter.release(left, 0.0)
        return limiter, tracer.lines

    for place in range(len(work()[1])):
        limiter, _ = work(place)
        (budget,) = limiter._budgets.values()
        limiter.min_wait(limiter.reserve("voyage-4", 1, 0.0), 0.0)
        assert (3, 3) == (budget._window.requests, budget._window.tokens)
        assert (1, 0) == (len(budget._fresh), budget._probes)


async def cancelled(call):
    """Run three calls and cancel them together."""
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()


async def abandoned(call):
    """Start three calls and drop them, as an event loop may at its end."""
    for _ in range(3):
        coroutine = call()
        coroutine.send(None)
        cycle = [coroutine]
        cycle.append(cycle)
        del coroutine, cycle
        gc.collect()


async def closed(call):
    """Start three calls and close their coroutines."""
    for _ in range(3):
        coroutine = call()
        coroutine.send(None)
        coroutine.close()


@types.coroutine
def forever():
    """Suspend forever."""
    yield


@pytest.mark.parametrize("sending", [False, True])
@pytest.mark.parametrize(
    ("backend", "end", "stuck"),
    [
        ("asyncio", cancelled, anyio.sleep_forever),
        ("trio", cancelled, anyio.sleep_forever),
        ("asyncio", abandoned, forever),
        ("asyncio", closed, forever),
    ],
)
def test_calls_that_are_cancelled_or_forgotten_give_their_turns_back(backend, end, stuck, sending):
    """Otherwise three lost calls would use up three requests a minute forever."""
    face, limiter = Face("AsyncClient"), voyageai.RateLimiter(voyageai.RateLimit(rpm=3))
    client = face.client(rate_limit=limiter)
    started = []

    async def hang(*arguments):
        started.append(arguments)
        await stuck()

    async def call():
        await client.embed(**EMBED)

    if not sending:
        for _ in range(3):
            face.call(client, "embed", **EMBED)
        client._transport.sleep = hang
    else:
        client._transport._send = hang
    anyio.run(end, call, backend=backend)

    assert 3 == len(started)
    after = turn(limiter, face.time)
    assert after - face.time < 62
    assert_whole(limiter, after + 62)


@pytest.mark.parametrize("sending", [False, True])
@pytest.mark.parametrize("raised", [KeyboardInterrupt, Interrupt, GeneratorExit, SystemExit])
def test_calls_that_are_interrupted_give_their_turns_back(face, raised, sending):
    """Otherwise three lost calls would use up three requests a minute forever."""
    limiter = voyageai.RateLimiter(voyageai.RateLimit(rpm=3))

    def handler(request):
        raise raised

    def on_wait(model, seconds):
        raise raised

    if not sending:
        for _ in range(3):
            face.call(face.client(rate_limit=limiter), "embed", **EMBED)
        limiter.on_wait = on_wait
    client = face.client(handler, rate_limit=limiter)
    kept = []
    for _ in range(3):
        with pytest.raises(raised) as each:
            face.call(client, "embed", **EMBED)
        kept.append(each)

    limiter.on_wait = None
    after = turn(limiter, face.time)
    assert after - face.time < 62
    assert_whole(limiter, after + 62)


def test_a_signal_handler_may_raise_in_a_call(face):
    """Celery's handler raises when a task takes too long."""

    def handle(number, frame):
        raise Interrupt

    limiter = voyageai.RateLimiter(voyageai.RateLimit(rpm=1))
    client = face.client(rate_limit=limiter)
    face.call(client, "embed", **EMBED)
    limiter.on_wait = lambda model, seconds: signal.raise_signal(signal.SIGUSR1)
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with pytest.raises(Interrupt):
            face.call(client, "embed", **EMBED)
    finally:
        signal.signal(signal.SIGUSR1, before)

    limiter.on_wait = None
    assert turn(limiter, face.time) - face.time < 62


@pytest.mark.parametrize("tokens", [-1_000_000, 10**12, 10**400, 0.5, True, "7", None])
def test_no_count_of_tokens_in_an_answer_stops_the_next_calls(face, tokens):
    """A forged token count would block every client that shares the limiter."""

    def handler(request):
        answer = answer_to(request)
        return httpx2.Response(200, json=answer.json() | {"usage": {"total_tokens": tokens}})

    limiter = voyageai.RateLimiter(voyageai.RateLimit(rpm=3, tpm=1000))
    with suppress(error.VoyageError):
        face.call(face.client(handler, rate_limit=limiter), "embed", **EMBED)
    client = face.client(rate_limit=limiter)
    for _ in range(2):
        face.call(client, "embed", **EMBED)

    assert [] == face.waits
    face.call(client, "embed", **EMBED)  # which is the fourth
    assert 60 <= sum(face.waits) < 62


@pytest.mark.parametrize(
    "retry_after",
    ["-5", "nan", "inf", "-inf", "1" + 400 * "0", "1e400", "Fri, 31 Dec 9999 23:59:59 GMT"],
)
def test_no_retry_after_stops_the_next_calls_for_longer_than_two_minutes(face, retry_after):
    """A forged Retry-After would block every client that shares the limiter."""
    refusal = httpx2.Response(429, json={"detail": "no"}, headers={"retry-after": retry_after})
    client = face.client(failing(refusal), rate_limit=1)
    with pytest.raises(error.RateLimitError):
        face.call(client, "embed", **EMBED)
    face.call(client, "embed", **EMBED)

    assert sum(face.waits) < 121
