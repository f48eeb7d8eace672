"""Many workers with one limit in simulated minutes, as the server sees them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from random import Random

import pytest
from voyageai.ratelimit import RateLimit, RateLimiter
from voyageai_rest.catalogue import TIERS, find

from .simulation import MODEL, Referee, World

TIER_1 = find(MODEL)
START = 1000.0
ESTIMATES: dict[str, Callable[[Random], float]] = {
    "half of it": lambda _: 0.5,
    "exact": lambda _: 1.0,
    "twice it": lambda _: 2.0,
    "anything from half to twice": lambda chance: 2 ** chance.uniform(-1, 1),
}
MEAN_TOKENS = {"requests": 300, "tokens": 6000, "both": 1500}


def calls(mean, estimate):
    """Yield estimated and real tokens of calls, from 1 token to twice the mean."""
    chance = Random(7)
    while True:
        real = chance.randint(1, 2 * mean)
        yield max(1, round(real * estimate(chance))), real


def world(bound, estimate, referee, *, setting=1, number=None):
    """Return a simulation whose calls are bound by requests, by tokens, or by both."""
    stream = islice(calls(MEAN_TOKENS[bound], ESTIMATES[estimate]), number)
    return World(stream, RateLimiter(setting), referee, Random(3))


def shares(referee, first, last):
    """Yield the arrivals of each minute as a share of the limit."""
    for minute in range(first, last):
        start = START + 60 * minute
        requests, tokens = referee.rates(start, start + 60)
        yield max(requests / referee.rpm, tokens / referee.tpm)


@pytest.mark.parametrize(
    ("workers", "bound", "estimate"),
    [
        (64, "tokens", "anything from half to twice"),
        (64, "requests", "half of it"),
        (10_000, "both", "anything from half to twice"),
        pytest.param(64, "requests", "anything from half to twice", marks=pytest.mark.full),
        pytest.param(64, "both", "anything from half to twice", marks=pytest.mark.full),
        pytest.param(64, "both", "half of it", marks=pytest.mark.full),
        pytest.param(64, "tokens", "twice it", marks=pytest.mark.full),
    ],
)
def test_ten_thousand_calls_use_a_tier_and_never_exceed_it(workers, bound, estimate):
    """A client's rate limit promises no refusals and no lost time."""
    referee = Referee(TIER_1.rpm, TIER_1.tpm)
    simulated = world(bound, estimate, referee, number=10_000)
    simulated.run(workers)
    minutes = int((simulated.now - START) // 60)
    requests, tokens = referee.rates(START + 60, START + 60 * minutes)
    reached = {"requests": requests / TIER_1.rpm, "tokens": tokens / TIER_1.tpm}

    assert 10_000 == len(referee.taken)
    assert referee.most_requests <= TIER_1.rpm
    assert referee.most_tokens <= TIER_1.tpm
    assert 0.95 <= max(reached.values())
    if bound != "both":
        assert bound == max(reached, key=reached.__getitem__)
    assert simulated.asked < 60 * 10_000


@pytest.mark.parametrize("bound", [pytest.param("requests", marks=pytest.mark.full), "tokens"])
def test_a_server_that_refuses_finds_nothing_to_refuse(bound):
    """A user sees all calls succeed without a single 429."""
    referee = Referee(TIER_1.rpm * 3, TIER_1.tpm * 3, refuses=True)
    world(bound, "anything from half to twice", referee, setting=3, number=10_000).run(64)

    assert 10_000 == len(referee.taken)
    assert [] == referee.refused


@pytest.mark.parametrize(
    ("bound", "retry_after"),
    [pytest.param("requests", None, marks=pytest.mark.full), ("tokens", 20.0)],
)
def test_workers_back_off_to_a_lower_limit_together_and_recover_from_it(bound, retry_after):
    """A user may set too high a tier, or share the key with others."""
    half = Referee(TIER_1.rpm / 2, TIER_1.tpm / 2, refuses=True, retry_after=retry_after)
    simulated = world(bound, "anything from half to twice", half)
    simulated.run(64, until=START + 600)
    settled = list(shares(half, 1, 10))
    refused = sum(at > START + 60 for at in half.refused)

    assert 64 >= len(half.refused) - refused  # each worker once, at the most
    assert 0.85 <= min(settled)
    assert refused <= 0.08 * sum(at > START + 60 for at, _ in half.taken)

    half.rpm, half.tpm = TIER_1.rpm, TIER_1.tpm
    simulated.run(0, until=START + 1200)

    assert 0.95 <= min(shares(half, 13, 20))


def test_the_free_tier_is_kept_for_an_hour():
    """With three requests a minute, a single extra one exceeds the limit by a third."""
    referee = Referee(TIERS.free.rpm, TIERS.free.tpm)
    simulated = world("requests", "twice it", referee, setting="free")
    simulated.run(8, until=START + 3600)
    requests, _ = referee.rates(START + 60, START + 3600)

    assert referee.most_requests <= TIERS.free.rpm
    assert referee.most_tokens <= TIERS.free.tpm
    assert 0.95 * TIERS.free.rpm <= requests


def test_calls_are_let_out_in_the_order_in_which_they_were_made():
    """Calls wake up slightly late, which moves them by a few places at most."""
    referee = Referee(600, TIER_1.tpm)
    simulated = world("requests", "exact", referee, setting=RateLimit(rpm=600), number=3000)
    simulated.run(3000)
    shifts = [abs(place - number) for place, number in enumerate(simulated.sent)]

    assert sorted(simulated.sent) == list(range(3000))
    assert max(shifts) <= 10
