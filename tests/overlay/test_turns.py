"""Clients that wait for their own rate limit."""

from __future__ import annotations

import logging
import pickle

import httpx2
import pytest
import voyageai
from voyageai import error

from .conftest import answer_to
from .test_failures import failing
from .test_results import CALLS

EMBED = {"texts": ["a"], "model": "voyage-4"}
SLOW = voyageai.RateLimit(rpm=2)


def test_calls_beyond_the_limit_wait_for_their_minute(face):
    """Instead of being refused, and sent again."""
    client = face.client(rate_limit=SLOW)
    for _ in range(2):
        face.call(client, "embed", **EMBED)
    assert [] == face.waits
    face.call(client, "embed", **EMBED)

    assert 60 <= sum(face.waits) < 62
    assert 3 == len(face.requests)


@pytest.mark.parametrize(("method", "arguments", "kind"), CALLS)
def test_the_limit_holds_for_every_method(face, method, arguments, kind):
    """One budget, whatever is called."""
    client = face.client(rate_limit=voyageai.RateLimit(rpm=1))
    face.call(client, "embed", **EMBED)
    face.call(client, method, **arguments)

    assert sum(face.waits) >= 60


def test_copies_share_the_limit_of_their_client(face):
    """The server counts them together."""
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
    """One key, several clients."""
    limiter = voyageai.RateLimiter(SLOW)
    for _ in range(3):
        face.call(face.client(rate_limit=limiter), "embed", **EMBED)

    assert sum(face.waits) >= 60


def test_a_wait_beyond_the_deadline_is_an_error_at_once(face):
    """And its place goes to the next call."""
    client = face.client(rate_limit=SLOW)
    for _ in range(2):
        face.call(client, "embed", **EMBED)
    with pytest.raises(error.DeadlineError, match="The rate limit would hold the call back"):
        face.call(client, "embed", **EMBED, deadline=5)

    assert [] == face.waits
    face.call(client, "embed", **EMBED)
    assert sum(face.waits) < 62


def test_retries_take_turns_too(face):
    """A retry is a request like any other to the server."""
    client = face.client(failing(503), rate_limit=voyageai.RateLimit(rpm=1), max_retries=1)
    face.call(client, "embed", **EMBED)

    assert 2 == len(face.requests)
    assert sum(face.waits) >= 60


def test_a_refusal_slows_all_calls_down(face):
    """The server knows its limit better."""
    refusal = httpx2.Response(429, json={"detail": "no"}, headers={"retry-after": "30"})
    client = face.client(failing(refusal), rate_limit=1)
    with pytest.raises(error.RateLimitError):
        face.call(client, "embed", **EMBED)
    face.call(client, "embed", **EMBED)

    assert sum(face.waits) >= 29


def test_tokens_are_counted_as_the_answers_say(face):
    """An estimate that was too low is paid for by the calls after it."""

    def handler(request):
        answer = answer_to(request)
        body = answer.json() | {"usage": {"total_tokens": 900}}
        return httpx2.Response(200, json=body)

    client = face.client(handler, rate_limit=voyageai.RateLimit(tpm=1000))
    for _ in range(2):
        face.call(client, "embed", texts=["word " * 400], model="voyage-4")

    assert sum(face.waits) >= 60


@pytest.mark.parametrize("wrong", [0, 4, "tier 1", True, voyageai.RetryPolicy()])
def test_a_limit_that_is_none_is_refused(face, wrong):
    """When the client is made."""
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
    """A minute of silence looks like a program that hangs."""
    caplog.set_level(logging.INFO, logger="voyageai")
    client = face.client(rate_limit=SLOW)
    for _ in range(2):
        face.call(client, "embed", **EMBED)
    assert [] == caplog.messages
    face.call(client, "embed", **EMBED)

    assert ["voyage-4 waits about 60 s for the rate limit"] == caplog.messages


def test_a_short_wait_is_no_line(face, caplog):
    """Of these there are thousands."""
    caplog.set_level(logging.INFO, logger="voyageai")
    client = face.client(rate_limit=voyageai.RateLimit(rpm=1))
    face.call(client, "embed", **EMBED)
    face.time += 56
    face.call(client, "embed", **EMBED)

    assert 4 == round(sum(face.waits))
    assert [] == caplog.messages


def test_a_callback_is_told_of_a_wait_until_it_is_over(face):
    """A progress bar shows what is left, and goes away at the end."""
    told = []
    limiter = voyageai.RateLimiter(SLOW, on_wait=lambda *wait: told.append(wait))
    client = face.client(rate_limit=limiter)
    for _ in range(2):
        face.call(client, "embed", **EMBED)
    assert [] == told
    face.call(client, "embed", **EMBED)

    seconds = [left for _, left in told]
    assert {"voyage-4"} == {model for model, _ in told}
    assert (60, 0) == (round(seconds[0]), seconds[-1])
    assert sorted(seconds, reverse=True) == seconds
    assert len(face.waits) + 1 == len(told)


def test_a_callback_that_fails_leaves_the_place_to_the_next_call(face):
    """Its error is the call's, and the limit goes on."""

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
    """A bar belongs to its process, and most functions can't be pickled."""
    limiter = voyageai.RateLimiter(1, on_wait=lambda model, seconds: None)

    copied = pickle.loads(pickle.dumps(limiter))

    assert (1, None) == (copied.setting, copied.on_wait)
