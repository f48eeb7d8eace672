"""The rate limiter, with times as arguments."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from math import inf, nan
from random import Random
from threading import Barrier, Lock

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyageai.error import ArgumentError
from voyageai.ratelimit import RateLimit, RateLimiter, limits, max_tokens_of_request
from voyageai.ratelimit.tokens import (
    TokenRatio,
    estimate_media_tokens,
    estimate_rerank_tokens,
    estimate_tokens,
)
from voyageai_rest.catalogue import MODELS, TIERS, TOKENIZATION

from .simulation import Referee

MODEL = "voyage-4"
EXACT = 1_000_000  # tokens that teach a limiter to trust estimates


def go(limiter, now, tokens=1, model=MODEL, used=None, latency=0.0):
    """Send a request that must not have to wait."""
    reservation = limiter.reserve(model, tokens, now)
    assert limiter.wait(reservation, now) == 0
    limiter.correct(reservation, tokens if used is None else used, now + latency)
    return reservation


def turn(limiter, reservation, now):
    """Return when a request is let out, if it sleeps as told."""
    for _ in range(10_000):
        seconds = limiter.wait(reservation, now)
        if not seconds:
            return now
        now += seconds
    raise AssertionError("never")


# Settings


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_paid_tiers_multiply_the_limits_of_each_model(tier):
    """The catalogue has the limits, so a new model needs no new code."""
    factor = getattr(TIERS, f"tier_{tier}").factor
    known = {name: model for name, model in MODELS.items() if model.rpm and model.tpm}
    expected = {name: (model.rpm * factor, model.tpm * factor) for name, model in known.items()}

    assert expected == {name: limits(tier, name) for name in known}


def test_a_model_without_known_limits_gets_the_lowest_of_its_endpoint():
    """A limit that is too low is slow, and one that is too high gets refusals."""
    hosted = {name: model for name, model in MODELS.items() if model.endpoint}
    for endpoint in {model.endpoint for model in hosted.values()}:
        kin = [model for model in hosted.values() if model.endpoint == endpoint]
        expected = min(m.rpm for m in kin) * 2, min(m.tpm for m in kin) * 2
        unknown = attrs.evolve(kin[0], name="new", rpm=None, tpm=None)

        assert expected == limits(2, "new", {**hosted, "new": unknown})


def test_rerankers_of_today_have_limits_of_their_own():
    """They are the default choice, and the lowest limit of all would halve their speed."""
    expected = {
        "rerank-3": [(2_000, 2_000_000), (4_000, 4_000_000), (6_000, 6_000_000)],
        "rerank-3-lite": [(2_000, 4_000_000), (4_000, 8_000_000), (6_000, 12_000_000)],
    }
    assert expected == {name: [limits(tier, name) for tier in (1, 2, 3)] for name in expected}


def test_a_model_that_is_newer_than_the_release_gets_the_lowest_of_all():
    """New models work with old releases."""
    known = [model for model in MODELS.values() if model.rpm and model.tpm]
    expected = min(model.rpm for model in known), min(model.tpm for model in known)

    assert expected == limits(1, "voyage-99")


@pytest.mark.parametrize("setting", ["free", RateLimit(rpm=TIERS.free.rpm)])
def test_the_free_tier_and_a_rate_limit_count_all_models_together(setting):
    """These settings name no model, so all models share them."""
    limiter = RateLimiter(setting)
    for model in ["voyage-4", "rerank-2.5", "voyage-99"]:
        go(limiter, 0.0, model=model)
    late = limiter.reserve("voyage-context-4", 1, 0.0)

    assert limiter.wait(late, 0.0) > 0


def test_a_paid_tier_counts_each_model_by_itself():
    """A model at its limit must not block calls to another."""
    limiter = RateLimiter(1)
    for _ in range(int(limits(1, MODEL)[0])):
        go(limiter, 0.0)

    assert limiter.wait(limiter.reserve(MODEL, 1, 0.0), 0.0) > 0
    assert 0 == limiter.wait(limiter.reserve("voyage-4-lite", 1, 0.0), 0.0)


@pytest.mark.parametrize("setting", [0, 4, -1, True, 1.0, "1", "Free", "tier 1", [1], {}, (3, 9)])
def test_an_invalid_setting_is_refused_with_the_valid_ones(setting):
    """A setting ignored silently would show as refusals hours later."""
    with pytest.raises(ArgumentError, match=r"tier \('free', 1, 2 or 3\), a RateLimit") as raised:
        RateLimiter.of(setting)

    assert "rate_limit" == raised.value.argument


@pytest.mark.parametrize("number", [0, -1, 0.5, True, "3", float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["rpm", "tpm"])
def test_an_invalid_limit_is_refused_by_name(name, number):
    """A limit of zero would make calls wait forever."""
    with pytest.raises(ArgumentError, match=f"{name} must be a number, 1 or more") as raised:
        RateLimit(**{name: number})

    assert name == raised.value.argument


def test_a_rate_limit_without_any_limit_is_refused():
    """An empty RateLimit is a mistake, as None already means no limit."""
    with pytest.raises(ArgumentError, match="rpm, tpm or both"):
        RateLimit()


def test_a_limiter_can_be_shared_and_none_is_none():
    """Two clients with one key share one limit, even if frameworks copy them."""
    limiter = RateLimiter("free")

    assert limiter is RateLimiter.of(limiter)
    assert RateLimiter.of(None) is None
    assert limiter is copy.copy(limiter)
    assert limiter is copy.deepcopy(limiter)


def test_a_pickled_limiter_is_a_new_one_of_the_same_setting():
    """Workers on other machines count for themselves."""
    limiter = RateLimiter(RateLimit(rpm=1))
    go(limiter, 0.0)
    copied = pickle.loads(pickle.dumps(limiter))

    assert limiter.setting == copied.setting
    assert "RateLimiter(RateLimit(rpm=1, tpm=None))" == repr(copied)
    go(copied, 0.0)


FORKED = """
import os
from voyageai.ratelimit import RateLimit, RateLimiter

limiter = RateLimiter(RateLimit(rpm=1))
limiter.wait(limiter.reserve("voyage-4", 1, 0.0), 0.0)
limiter.reserve("voyage-4", 1, 0.0)
if child := os.fork():
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os._exit(limiter.wait(limiter.reserve("voyage-4", 1, 0.0), 0.0) != 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_does_not_wait_for_the_threads_of_its_parent():
    """The parent's threads don't exist in the child, and would never leave the queue."""
    assert 0 == subprocess.run([sys.executable, "-c", FORKED], check=False).returncode


# What counts, and for how long


def test_a_request_counts_until_a_minute_after_its_answer():
    """The server may count the request at any time until its response."""
    limiter = RateLimiter(RateLimit(rpm=1))
    go(limiter, 0.0, latency=7.0)

    assert pytest.approx(67.0) == turn(limiter, limiter.reserve(MODEL, 1, 1.0), 1.0)


def test_an_answer_that_does_not_come_keeps_its_place():
    """The server may still count the request at any moment."""
    limiter = RateLimiter(RateLimit(rpm=1))
    first = limiter.reserve(MODEL, 1, 0.0)
    assert limiter.wait(first, 0.0) == 0
    second = limiter.reserve(MODEL, 1, 0.0)

    assert limiter.wait(second, 500.0) > 0
    limiter.correct(first, 1, 500.0)
    assert pytest.approx(560.0) == turn(limiter, second, 500.0)


def test_tokens_are_bounded_too():
    """A few large requests can exceed a limit as well as many small ones."""
    limiter = RateLimiter(RateLimit(tpm=100))
    go(limiter, 0.0, tokens=50)
    go(limiter, 10.0, tokens=25)
    third = limiter.reserve(MODEL, 30, 10.0)

    assert pytest.approx(60.0) == turn(limiter, third, 10.0)


def test_estimates_are_taken_for_too_low_until_the_answer():
    """Many requests are in flight before the first response shows how wrong estimates are."""
    limiter = RateLimiter(RateLimit(tpm=100))
    first, second = (limiter.reserve(MODEL, 40, 0.0) for _ in range(2))

    assert 0 == limiter.wait(first, 0.0)
    assert limiter.wait(second, 0.0) > 0
    limiter.correct(first, 40, 1.0)
    assert 0 == limiter.wait(second, 1.0)


def test_later_requests_pay_for_what_was_estimated_too_low():
    """The server's limit counts tokens used, not tokens estimated."""
    limiter = RateLimiter(RateLimit(tpm=100))
    go(limiter, 0.0, tokens=10, used=90)
    second = limiter.reserve(MODEL, 11, 0.0)

    assert pytest.approx(60.0) == turn(limiter, second, 0.0)


def test_a_request_larger_than_the_limit_goes_alone():
    """Its size is only an estimate, so the server decides whether it is too large."""
    limiter = RateLimiter(RateLimit(tpm=100))
    go(limiter, 0.0, tokens=1)
    large, next_one = limiter.reserve(MODEL, 5000, 0.0), limiter.reserve(MODEL, 1, 0.0)

    assert pytest.approx(60.0) == turn(limiter, large, 0.0)
    assert limiter.wait(next_one, 60.0) > 0
    limiter.correct(large, 5000, 61.0)
    assert pytest.approx(121.0) == turn(limiter, next_one, 61.0)


def test_an_error_that_says_nothing_of_tokens_counts_as_estimated():
    """The server may have counted the tokens before it failed."""
    limiter = RateLimiter(RateLimit(tpm=100))
    first = limiter.reserve(MODEL, 90, 0.0)
    limiter.wait(first, 0.0)
    limiter.correct(first, None, 1.0)

    assert pytest.approx(61.0) == turn(limiter, limiter.reserve(MODEL, 20, 1.0), 1.0)


WRONG = [-1, -1_000_000, 320_001, 10**12, 10**400, -(10**400), 7.0, 0.5, nan, inf, True, "7", [7]]


@pytest.mark.parametrize("limit", [{"rpm": 9}, {"tpm": 100}, {"rpm": 9, "tpm": 100}])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_count_of_tokens_that_can_not_be_true_is_none(wrong, limit):
    """A forged count would block every client that shares the limiter, or let all calls go."""
    states = []
    for tokens in (None, wrong):
        limiter = RateLimiter(RateLimit(**limit))
        first = limiter.reserve(MODEL, 40, 0.0)
        limiter.wait(first, 0.0)
        limiter.correct(first, tokens, 1.0)
        (budget,) = limiter._budgets.values()
        states.append((budget._window.tokens, budget._ratio.mean, budget._ratio.bound))
        assert 0 == limiter.wait(limiter.reserve(MODEL, 20, 1.0), 1.0)

    assert (40, 1.0, 2.0) == states[0] == states[1]


def test_what_a_request_can_use_is_what_its_model_takes_or_more_if_so_estimated():
    """An unknown model may take as much as any, and an estimate may exceed the model's maximum."""
    takes = {name: model.max_request_tokens or 0 for name, model in MODELS.items()}

    assert takes[MODEL] == max_tokens_of_request(MODEL, 1)
    assert 10**9 == max_tokens_of_request(MODEL, 10**9)
    assert max(takes.values()) == max_tokens_of_request("voyage-99", 1)


# Order


def test_requests_go_in_the_order_in_which_they_came():
    """A busy caller must not starve the others."""
    limiter = RateLimiter(RateLimit(rpm=2))
    waiting = [limiter.reserve(MODEL, 1, 0.0) for _ in range(6)]
    order = []
    for now in range(200):
        for place in reversed(range(6)):
            if place not in order and not limiter.wait(waiting[place], float(now)):
                order.append(place)
                limiter.correct(waiting[place], 1, float(now))

    assert [1, 0, 3, 2, 5, 4] == order  # those with room may go at the same moment


def test_a_small_request_does_not_overtake_a_large_one():
    """A stream of small requests would hold a large one up forever."""
    limiter = RateLimiter(RateLimit(tpm=100))
    go(limiter, 0.0, tokens=60)
    large, small = limiter.reserve(MODEL, 90, 0.0), limiter.reserve(MODEL, 1, 0.0)

    assert limiter.wait(small, 1.0) > 0
    assert pytest.approx(60.0) == turn(limiter, large, 1.0)


def test_a_call_that_tries_again_goes_before_those_that_never_went():
    """Behind ten thousand new calls its deadline would pass."""
    limiter = RateLimiter(RateLimit(rpm=1))
    failed = go(limiter, 0.0)
    fresh = limiter.reserve(MODEL, 1, 0.0)
    again = limiter.reserve(MODEL, failed.tokens, 1.0, again=True)
    for now in range(2, 60, 2):  # a call that stops polling loses its place
        assert all(limiter.wait(waiting, float(now)) > 0 for waiting in (fresh, again))

    assert limiter.wait(fresh, 60.0) > 0
    assert 0 == limiter.wait(again, 60.0)


def test_a_call_that_gives_up_leaves_its_place_to_the_next():
    """A deadline or a cancellation must not delay the others."""
    limiter = RateLimiter(RateLimit(rpm=2))
    go(limiter, 0.0)
    go(limiter, 20.0)
    waiting = [limiter.reserve(MODEL, 1, 20.0) for _ in range(5)]
    for given_up in (waiting[0], waiting[2], waiting[3]):
        limiter.release(given_up, 30.0)

    assert pytest.approx(60.0) == turn(limiter, waiting[1], 30.0)
    assert pytest.approx(80.0) == turn(limiter, waiting[4], 60.0)


def test_a_sleeper_notices_soon_that_those_before_it_gave_up():
    """If it slept until its old turn, capacity would be lost."""
    limiter = RateLimiter(RateLimit(rpm=1))
    go(limiter, 0.0)
    before, sleeper = limiter.reserve(MODEL, 1, 0.0), limiter.reserve(MODEL, 1, 0.0)
    now = 0.0
    while now < 59.9:
        now += limiter.wait(sleeper, now)
        limiter.wait(before, min(now, 59.9))
    limiter.release(before, 59.9)

    assert turn(limiter, sleeper, now) < 61.5


def test_a_call_given_up_on_its_way_still_counts():
    """The server may have counted the request."""
    limiter = RateLimiter(RateLimit(rpm=1))
    first = limiter.reserve(MODEL, 1, 0.0)
    limiter.wait(first, 0.0)
    limiter.release(first, 5.0)

    # The request may still be on its way for a second.
    assert pytest.approx(66.0) == turn(limiter, limiter.reserve(MODEL, 1, 5.0), 5.0)


def test_a_reservation_that_ended_ignores_further_messages():
    """`release` is called in a `finally`, after everything else."""
    limiter = RateLimiter(RateLimit(rpm=2))
    first = go(limiter, 0.0)
    for _ in range(3):
        limiter.release(first, 1.0)
        limiter.correct(first, 99, 1.0)
        limiter.slow_down(first, 1.0, 50.0)

    go(limiter, 1.0)
    assert pytest.approx(60.0) == turn(limiter, limiter.reserve(MODEL, 1, 1.0), 1.0)


def test_a_call_that_stops_polling_does_not_block_the_rest():
    """A stuck event loop must not block threads that share the limiter."""
    limiter = RateLimiter(RateLimit(rpm=1))
    limiter.reserve(MODEL, 1, 0.0)
    alive = limiter.reserve(MODEL, 1, 0.0)

    assert 0 < limiter.wait(alive, 1.0)
    assert turn(limiter, alive, 1.0) < 10.0


def test_calls_let_out_no_longer_count_as_ahead():
    """Otherwise a slow thread at the front would make others fail their deadlines."""
    limiter = RateLimiter(RateLimit(rpm=10))
    limiter.reserve(MODEL, 1, 0.0)
    for _ in range(8):
        go(limiter, 0.0)
    last = limiter.reserve(MODEL, 1, 0.0)

    assert 0.0 == limiter.min_wait(last, 0.0)
    assert 0 == limiter.wait(last, 0.0)


def test_a_lost_call_at_the_front_makes_way():
    """Its thread is gone without a message to those behind it."""
    limiter, alive = RateLimiter(RateLimit(rpm=1)), Lock()
    go(limiter, 0.0)
    with alive:
        for _ in range(2):
            limiter.wait(limiter.reserve(MODEL, 1, 0.0, alive=alive), 0.0)
        behind = limiter.reserve(MODEL, 1, 0.0)
        assert 120.0 == limiter.min_wait(behind, 1.0)

    assert 59.0 == limiter.min_wait(behind, 1.0)
    assert pytest.approx(60.0) == turn(limiter, behind, 1.0)


def test_a_lost_call_in_flight_counts_for_a_minute_more():
    """The server may have counted the request, but not later than now."""
    limiter, alive = RateLimiter(RateLimit(rpm=1)), Lock()
    with alive:
        first = limiter.reserve(MODEL, 1, 0.0, alive=alive)
        assert 0 == limiter.wait(first, 0.0)
        second = limiter.reserve(MODEL, 1, 0.0)
        assert limiter.wait(second, 500.0) > 0

    assert pytest.approx(566.0) == turn(limiter, second, 505.0)


@pytest.mark.parametrize("number", [3, 3000])
def test_calls_that_ended_are_found_among_any_number(number):
    """Lost calls must not block a limit of three requests a minute, nor one of three thousand."""
    limiter, alive = RateLimiter(RateLimit(rpm=number)), Lock()
    with alive:
        for _ in range(number):
            lost = limiter.reserve(MODEL, 1, 0.0, alive=alive)
            assert 0 == limiter.wait(lost, 0.0)
    after = limiter.reserve(MODEL, 1, 1.0)

    assert turn(limiter, after, 1.0) < 64.0


def test_the_least_wait_tells_calls_that_need_not_wait_for_their_deadline():
    """With three requests a minute, the thirtieth can't go within five minutes."""
    limiter = RateLimiter(RateLimit(rpm=3))
    waiting = [limiter.reserve(MODEL, 1, 0.0) for _ in range(30)]

    assert [0.0, 0.0, 0.0, 60.0] == [limiter.min_wait(r, 0.0) for r in waiting[:4]]
    assert 540.0 == limiter.min_wait(waiting[29], 0.0)
    assert 0 == limiter.wait(waiting[0], 0.0)
    assert 0.0 == limiter.min_wait(waiting[0], 5.0)


def test_calls_in_a_long_queue_poll_rarely():
    """Ten thousand waiting tasks must not keep the processor busy."""
    limiter = RateLimiter(RateLimit(rpm=100))
    waiting = [limiter.reserve(MODEL, 1, 0.0) for _ in range(10_000)]
    rate = sum(1 / limiter.wait(reservation, 0.0) for reservation in waiting[100:])

    assert rate < 500


# Refusals


def refuse(limiter, now, retry_after=None):
    """Send a request that is refused."""
    reservation = limiter.reserve(MODEL, 1, now)
    assert limiter.wait(reservation, now) == 0
    limiter.slow_down(reservation, now, retry_after)


def test_after_a_refusal_all_keep_to_what_the_server_took():
    """Each worker that found out by itself would cost another refusal."""
    limiter = RateLimiter(RateLimit(rpm=100))
    for _ in range(10):
        go(limiter, 0.0)
    refuse(limiter, 1.0)
    others = [limiter.reserve(MODEL, 1, 2.0) for _ in range(10)]

    assert all(limiter.wait(other, 2.0) > 0 for other in others)
    assert [0.0] * 10 == [limiter.wait(other, 60.0) for other in others]


def test_a_retry_after_stops_all_requests():
    """The server asked for a pause of all requests."""
    limiter = RateLimiter(RateLimit(rpm=100))
    go(limiter, 0.0)
    refuse(limiter, 1.0, retry_after=70.0)
    other = limiter.reserve(MODEL, 1, 1.0)

    assert 70.0 == limiter.min_wait(other, 1.0)
    assert 71.0 == turn(limiter, other, 1.0)


def test_an_endless_retry_after_is_not_kept_for_ever():
    """A single broken response must not stop a process's work."""
    limiter = RateLimiter(RateLimit(rpm=100))
    refuse(limiter, 0.0, retry_after=1e9)

    assert pytest.approx(120.0, abs=0.02) == turn(limiter, limiter.reserve(MODEL, 1, 0.0), 0.0)


@pytest.mark.parametrize("retry_after", [-5, -inf, nan, True, "30", 10**400, inf])
def test_an_invalid_retry_after_is_ignored(retry_after):
    """Whatever the server sends, requests continue after two minutes at the latest."""
    limiter = RateLimiter(RateLimit(rpm=100))
    refuse(limiter, 0.0, retry_after=retry_after)
    (budget,) = limiter._budgets.values()

    assert budget._throttle.blocked_until == (120.0 if retry_after in {10**400, inf} else -inf)


def test_trials_of_a_higher_limit_double_with_each_success():
    """A recovery costs few refusals and does not take an hour."""
    limiter = RateLimiter(RateLimit(rpm=100))
    refuse(limiter, 0.0)
    waiting = [limiter.reserve(MODEL, 1, 0.0) for _ in range(9)]
    for waiter in waiting:
        limiter.wait(waiter, 14.0)
    out = [[r for r in waiting if not limiter.wait(r, 15.0)]]
    for now in (16.0, 17.0):
        for reservation in out[-1]:
            limiter.correct(reservation, 1, now)
        before = [r for went in out for r in went]
        out.append([r for r in waiting if r not in before and not limiter.wait(r, now)])

    assert [1, 2, 4] == [len(went) for went in out]


def test_a_refused_trial_doubles_the_time_to_the_next_up_to_a_minute():
    """Users whose setting is too high would otherwise see refusals all the time."""
    limiter = RateLimiter(RateLimit(rpm=100))
    times = [0.0]
    refuse(limiter, 0.0)
    for _ in range(4):
        trial = limiter.reserve(MODEL, 1, times[-1])
        times.append(turn(limiter, trial, times[-1]))
        limiter.slow_down(trial, times[-1], None)

    assert pytest.approx([0.0, 15.0, 45.0, 105.0, 165.0], abs=0.1) == times


def test_refusals_of_requests_that_were_on_their_way_count_once():
    """Sixty-four workers are refused together for a single reason."""
    limiter = RateLimiter(RateLimit(rpm=100))
    flying = [limiter.reserve(MODEL, 1, 0.0) for _ in range(64)]
    assert not any(limiter.wait(reservation, 0.0) for reservation in flying)
    for reservation in flying:
        limiter.slow_down(reservation, 1.0, None)

    assert pytest.approx(16.0, abs=0.02) == turn(limiter, limiter.reserve(MODEL, 1, 1.0), 1.0)


def test_a_trial_that_is_given_up_lets_the_next_one_try():
    """A cancelled task must not stop the recovery."""
    limiter = RateLimiter(RateLimit(rpm=100))
    refuse(limiter, 0.0)
    first = limiter.reserve(MODEL, 1, 15.0)
    assert limiter.wait(first, 15.0) == 0
    second = limiter.reserve(MODEL, 1, 15.0)
    assert limiter.wait(second, 15.0) > 0
    limiter.release(first, 16.0)

    assert 0 == limiter.wait(second, 16.0)


def test_a_trial_that_is_taken_halves_the_time_after_the_next_refusal():
    """Recovering from occasional refusals must not become slower each time."""
    limiter = RateLimiter(RateLimit(rpm=100))
    refuse(limiter, 0.0)
    refuse(limiter, 15.0)  # the next trial may go at 45, and the one after a refusal 60 later
    go(limiter, 45.0)
    refuse(limiter, 46.0)
    (budget,) = limiter._budgets.values()

    assert 76.0 == budget._throttle.probe_at


def test_a_recovery_forgets_the_refusals():
    """A refusal next week has nothing to do with one today."""
    limiter = RateLimiter(RateLimit(rpm=1))
    for now in (0.0, 15.0, 45.0):
        refuse(limiter, now)
    go(limiter, 105.0)
    refuse(limiter, 200.0)
    (budget,) = limiter._budgets.values()

    assert 215.0 == budget._throttle.probe_at


def test_a_trial_from_before_a_refusal_proves_nothing():
    """The server accepted the trial before it lowered its limit."""
    limiter = RateLimiter(RateLimit(rpm=100))
    for _ in range(10):
        go(limiter, 0.0)
    refuse(limiter, 1.0)
    trial = limiter.reserve(MODEL, 1, 16.0)
    assert limiter.wait(trial, 16.0) == 0
    refuse(limiter, 61.0)
    limiter.correct(trial, 1, 62.0)
    next_one = limiter.reserve(MODEL, 1, 62.0)

    assert limiter.wait(next_one, 62.0) > 0


def test_a_trial_shows_what_was_used_and_not_what_was_charged():
    """High estimates would otherwise raise the limit above what the server accepts."""
    limiter = RateLimiter(RateLimit(tpm=1000))
    go(limiter, 0.0, tokens=400)
    refuse(limiter, 1.0)
    trial = limiter.reserve(MODEL, 100, 16.0)
    assert limiter.wait(trial, 16.0) == 0
    assert trial.charge > 100
    limiter.correct(trial, 100, 17.0)
    (budget,) = limiter._budgets.values()

    assert 0.5 == budget._throttle.share


# Invariants

CALLS = st.lists(
    st.tuples(
        st.floats(0, 30), st.integers(0, 120), st.floats(0, 90), st.floats(0, 1), st.integers(0, 9)
    ),
    min_size=1,
    max_size=40,
)


@given(CALLS, st.integers(1, 6), st.integers(100, 300))
def test_no_sliding_minute_of_the_server_holds_more_than_the_limit(calls, rpm, tpm):
    """The limit holds for any arrival times, latencies and cancelled calls."""
    limiter, now, arrivals = RateLimiter(RateLimit(rpm=rpm, tpm=tpm)), 0.0, []
    open_calls, serial = [], count()
    for pause, tokens, latency, part, fate in calls:
        now += pause
        reservation = limiter.reserve(MODEL, min(tokens, tpm), now)
        if fate == 0:
            limiter.release(reservation, now)
        else:
            open_calls.append((next(serial), reservation, latency, part, fate))
    flying = []
    for _ in range(100_000):
        if not open_calls and not flying:
            break
        for call in list(open_calls):
            _, reservation, latency, part, fate = call
            if not limiter.wait(reservation, now):
                open_calls.remove(call)
                arrivals.append((now + latency * part, reservation.tokens))
                flying.append((now + latency, reservation, fate))
        now += 0.5
        for landing in [landing for landing in flying if landing[0] <= now]:
            flying.remove(landing)
            _, reservation, fate = landing
            if fate == 1:
                limiter.release(reservation, now)
            else:
                limiter.correct(reservation, None if fate == 2 else reservation.tokens, now)
    referee = Referee(rpm, tpm)
    for at, tokens in sorted(arrivals):
        referee.arrive(at, tokens)

    assert not open_calls
    assert referee.most_requests <= rpm
    assert referee.most_tokens <= tpm


def test_threads_lose_nothing_and_exceed_no_limit():
    """All threads of a client share its limiter."""
    limiter, threads, each = RateLimiter(RateLimit(rpm=500, tpm=EXACT)), 16, 100
    start = Barrier(threads)

    def work(seed):
        dice, out = Random(seed), 0
        start.wait()
        for _ in range(each):
            reservation = limiter.reserve(MODEL, dice.randint(1, 20), 0.0)
            if dice.random() < 0.3:
                limiter.release(reservation, 0.0)
            elif not limiter.wait(reservation, 0.0):
                out += 1
                limiter.correct(reservation, reservation.tokens, 0.0)
            limiter.release(reservation, 0.0)
        return out

    with ThreadPoolExecutor(threads) as pool:
        out = sum(pool.map(work, range(threads)))
    (budget,) = limiter._budgets.values()

    assert 500 == out == budget._window.requests
    assert (0, 0) == (len(budget._fresh), budget._fresh.tokens)
    assert budget._window.tokens == budget._window.answered[1]
    for reservation in [limiter.reserve(MODEL, 1, 60.0) for _ in range(500)]:
        assert 0 == limiter.wait(reservation, 60.0)


def test_memory_does_not_grow_with_the_number_of_calls():
    """Clients live for months."""
    limiter = RateLimiter(RateLimit(rpm=100, tpm=EXACT))
    for number in range(20_000):
        go(limiter, number * 0.61, tokens=5)
    (budget,) = limiter._budgets.values()

    assert len(budget._window._until) < 3000
    assert 100 >= budget._window.requests
    assert 0 == len(budget._fresh)


# Estimates


def test_letters_count_as_the_catalogue_says_and_others_by_their_bytes():
    """A Chinese character is about one token, and a Latin letter a fifth of one."""
    letters = TOKENIZATION.characters_per_token

    assert int(1000 / letters) + 1 == estimate_tokens(["a" * 1000])
    assert int(3000 / letters) + 1 == estimate_tokens(["я" * 1000])
    assert int(5000 / letters) + 1 == estimate_tokens(["向" * 1000])
    assert int(7000 / letters) + 1 == estimate_tokens(["🦉" * 1000])
    assert 4 == estimate_tokens(text for text in ["a", "\ud800", ""])  # half a pair: three bytes
    assert 0 == estimate_tokens([])


def test_a_query_counts_once_for_each_document():
    """The API counts the query's tokens for each document."""
    query, documents = "q" * 50, ["d" * 100] * 7

    expected = 7 * estimate_tokens([query]) + estimate_tokens(documents)
    assert expected == estimate_rerank_tokens(query, documents)


def test_unread_images_count_as_the_largest():
    """Decoding images only for an estimate would cost more than it gains."""
    model = MODELS["voyage-multimodal-3.5"]
    image = -(-model.pixels.image_max // model.pixels.image_per_token)

    assert 3 * image + 2 * model.context_length == estimate_media_tokens(model.name, 3, 2)
    assert 0 == estimate_media_tokens("voyage-99", 5, 5)


def test_an_estimate_looks_at_no_single_letter():
    """Every call makes an estimate, so a few calls for each text have to do."""
    texts = ["word " * 100] * 1000
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        estimate_tokens(texts)
    finally:
        sys.setprofile(None)

    assert len(texts) <= calls < 5 * len(texts)


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.0, 5.0])
def test_answers_correct_the_estimates_to_come(factor):
    """Tokens per character differ between code and prose, but are alike within a corpus."""
    ratio = TokenRatio()
    assert (1.0, 2.0) == (ratio.mean, ratio.bound)
    for _ in range(100):
        ratio.learn(1000, round(1000 * factor))

    assert pytest.approx(factor, rel=0.01) == ratio.mean
    assert pytest.approx(factor, rel=0.05) == ratio.bound


def test_small_requests_teach_less_than_large_ones():
    """A query of three words says little about a batch of documents."""
    ratio = TokenRatio()
    for _ in range(100):
        ratio.learn(10, 40)
        ratio.learn(100_000, 100_000)

    assert pytest.approx(1.0, abs=0.01) == ratio.mean


@pytest.mark.parametrize("used", [0, 1_000_000])
def test_what_an_odd_answer_teaches_is_forgotten_after_a_hundred(used):
    """A forged but plausible count is believed for a while only."""
    ratio = TokenRatio()
    for number in [used] + 100 * [10]:
        ratio.learn(10, number)

    assert pytest.approx(1.0, abs=0.01) == ratio.mean
    assert ratio.bound < 1.5


@pytest.mark.parametrize("number", [1, 2, 3])
def test_paid_tiers_have_the_catalogues_names_too(number):
    """The emulator uses these names, so one setting works for both."""
    assert number == RateLimiter(f"tier_{number}").setting
