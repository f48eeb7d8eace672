"""Requests and tokens per minute, by usage tier, on a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyageai_emulator import Emulator, running
from voyageai_emulator.rate_limits import TIER_NAMES, RateLimits, Usage, Window
from voyageai_emulator.responses import ApiError
from voyageai_emulator.settings import Settings
from voyageai_emulator.state import EmulatorState
from voyageai_rest.catalogue import MODELS, TIERS

from tests.emulator.contract_client import DOCUMENT

EXAMPLES: Mapping[str, Any] = DOCUMENT["components"]["responses"]["RateLimited"]["content"][
    "application/json"
]["examples"]
BODY = {"input": "hello", "model": "voyage-4"}


class Time:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    """A clock that stands still until a test moves it."""
    return Time()


@pytest.fixture
def limits(time: Time) -> RateLimits:
    """Rate limits without a tier that send `Retry-After`."""
    return RateLimits(None, MODELS, time, retry_after=True)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A running emulator with the free tier."""
    with running(tier="free") as emulator:
        yield emulator


def passes(limits: RateLimits, model: str = "voyage-4", tokens: int = 1, owner: str = "a") -> bool:
    """Return whether a request is accepted."""
    try:
        limits.take(owner, model, tokens)
    except ApiError:
        return False
    return True


def refused(limits: RateLimits, model: str = "voyage-4", tokens: int = 1) -> ApiError:
    """Return the refusal of a request."""
    with pytest.raises(ApiError) as caught:
        limits.take("a", model, tokens)
    assert 429 == caught.value.status
    return caught.value


def recorded(name: str) -> str:
    """Return an example message of the contract."""
    return str(EXAMPLES[name]["value"]["detail"])


def post(url: str, body: Any = BODY, key: str | None = "any") -> httpx2.Response:
    """Send a request to a running emulator."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return httpx2.post(f"{url}/embeddings", json=body, headers=headers)


def test_without_a_tier_nothing_is_refused(limits: RateLimits) -> None:
    """Tests that are not about limits must not meet any."""
    assert all(passes(limits, tokens=1_000_000) for _ in range(5000))


def test_the_free_tier_refuses_in_the_recorded_words(limits: RateLimits) -> None:
    """The fourth request of a minute is refused, and any beyond 10,000 tokens."""
    limits.tier = "free"
    assert [True] * 3 == [passes(limits) for _ in range(3)]
    assert recorded("no_payment_method") == refused(limits).detail
    assert passes(limits, "rerank-2.5", tokens=10_000)
    assert recorded("no_payment_method") == refused(limits, "rerank-2.5").detail


def test_too_many_requests_are_refused_in_the_recorded_words(limits: RateLimits) -> None:
    """Code that searches for the API's message must find it here."""
    limits.set("rerank-2.5", rpm=1)
    assert passes(limits, "rerank-2.5")
    assert recorded("requests_per_minute") == refused(limits, "rerank-2.5").detail


def test_too_many_tokens_are_refused_in_the_recorded_words(limits: RateLimits) -> None:
    """A first request above the limit is refused too, without `Retry-After`, as it never passes."""
    limits.set("rerank-2.5", tpm=100)
    alone = refused(limits, "rerank-2.5", tokens=101)
    assert recorded("tokens_per_minute") == alone.detail
    assert {} == alone.headers
    assert passes(limits, "rerank-2.5", tokens=100)
    assert "you used 100 tokens." in refused(limits, "rerank-2.5", tokens=1).detail


@pytest.mark.parametrize("tier", [name for name in TIER_NAMES if name != "free"])
@pytest.mark.parametrize("model", ["voyage-4", "voyage-4-lite", "rerank-2.5-lite"])
def test_a_tier_multiplies_the_limits_of_each_model(
    time: Time, limits: RateLimits, tier: str, model: str
) -> None:
    """The factor applies exactly, to the last request and token."""
    limits.tier = tier
    factor, known = getattr(TIERS, tier).factor, MODELS[model]
    assert known.rpm is not None
    assert known.tpm is not None
    assert passes(limits, model, tokens=int(known.tpm * factor))
    assert f"limit of {int(known.tpm * factor)} tokens" in refused(limits, model).detail
    time.now += 60
    allowed = int(known.rpm * factor)
    assert [True] * allowed == [passes(limits, model, tokens=0) for _ in range(allowed)]
    assert f"limit of {allowed} requests" in refused(limits, model, tokens=0).detail


def test_a_limit_that_is_not_known_limits_nothing(time: Time) -> None:
    """A new model may have no limits in the catalogue, but those of the free tier apply to all."""
    unknown = "rerank-unknown"
    new = attrs.evolve(MODELS["rerank-3"], name=unknown, rpm=None, tpm=None)
    limits = RateLimits("tier_1", {unknown: new}, time, retry_after=True)
    assert all(passes(limits, unknown, tokens=10_000_000) for _ in range(3000))
    limits.tier = "free"
    refused(limits, unknown)


def test_keys_and_models_are_counted_apart(limits: RateLimits) -> None:
    """One worker's key must not use up the limit of another."""
    limits.set(rpm=1)
    assert passes(limits, "voyage-4", owner="a")
    assert passes(limits, "voyage-4", owner="b")
    assert passes(limits, "voyage-4-lite", owner="a")
    assert not passes(limits, "voyage-4", owner="a")


def test_the_minute_slides(time: Time, limits: RateLimits) -> None:
    """Usage expires exactly a minute later, not at the turn of a minute."""
    limits.set(rpm=2)
    assert passes(limits)
    time.now += 30
    assert passes(limits)
    time.now += 29.999
    assert not passes(limits)
    time.now += 0.001
    assert passes(limits)
    assert not passes(limits)


def test_a_refused_request_uses_up_nothing(time: Time, limits: RateLimits) -> None:
    """A client above the limit is accepted again once the minute is over."""
    limits.set(rpm=5, tpm=10)
    assert passes(limits, tokens=8)
    for _ in range(100):
        refused(limits, tokens=3)
    assert [Usage("a", "voyage-4", 1, 8, 5, 10)] == limits.usage()
    assert passes(limits, tokens=2)


def test_the_time_to_wait_is_told_if_asked(time: Time, limits: RateLimits) -> None:
    """A client that waits for the whole seconds of `Retry-After` is accepted."""
    limits.set(tpm=10)
    for seconds in (0.25, 10.0):
        time.now += seconds
        assert passes(limits, tokens=5)
    time.now += 20
    assert {"retry-after": "30"} == refused(limits, tokens=5).headers
    assert {"retry-after": "40"} == refused(limits, tokens=6).headers
    assert {} == refused(limits, tokens=11).headers
    limits.retry_after = False
    assert {} == refused(limits, tokens=5).headers


def test_both_limits_are_waited_for(time: Time, limits: RateLimits) -> None:
    """A client that waits only for the requests limit would be refused again."""
    limits.set(rpm=2, tpm=10)
    assert passes(limits, tokens=1)
    time.now += 10
    assert passes(limits, tokens=9)
    assert {"retry-after": "50"} == refused(limits, tokens=1).headers
    assert {"retry-after": "60"} == refused(limits, tokens=2).headers


@given(
    rpm=st.none() | st.integers(0, 5),
    tpm=st.none() | st.integers(0, 50),
    asked=st.lists(st.tuples(st.floats(0, 40), st.integers(0, 30)), max_size=40),
)
def test_no_minute_holds_more_than_its_limits(
    rpm: int | None, tpm: int | None, asked: list[tuple[float, int]]
) -> None:
    """No request that fits is refused, and a client that waits as told is accepted, not before."""
    time = Time()
    limits = RateLimits(None, MODELS, time, retry_after=True)
    limits.set(rpm=rpm, tpm=tpm)
    taken: list[tuple[float, int]] = []

    def fits(at: float, tokens: int) -> bool:
        recent = [used for then, used in taken if then + 60 > at]
        return (rpm is None or len(recent) < rpm) and (tpm is None or sum(recent) + tokens <= tpm)

    for pause, tokens in asked:
        time.now += pause
        expected = fits(time.now, tokens)
        try:
            limits.take("a", "voyage-4", tokens)
            passed, headers = True, dict[str, str]()
        except ApiError as refusal:
            passed, headers = False, refusal.headers
        assert expected == passed
        if passed:
            taken.append((time.now, tokens))
        elif headers:
            seconds = int(headers["retry-after"])
            assert fits(time.now + seconds, tokens)
            assert not fits(time.now + seconds - 1, tokens)
        else:
            assert not fits(time.now + 1000, tokens)


def test_threads_together_get_what_the_limit_allows(limits: RateLimits) -> None:
    """Large requests are answered in threads."""
    limits.set(rpm=100)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: passes(limits), range(400)))
    assert 100 == sum(results)


def test_limits_can_be_changed_while_it_counts(limits: RateLimits) -> None:
    """Earlier usage counts against the new limits."""
    assert all(passes(limits) for _ in range(4))
    limits.tier = "free"
    assert "free" == limits.tier
    assert not passes(limits)
    limits.set("voyage-4", rpm=5)
    assert passes(limits)
    assert not passes(limits)
    limits.set(rpm=1)
    assert passes(limits, "voyage-4-lite")
    assert not passes(limits, "voyage-4-lite")
    assert {"voyage-4": 5, "voyage-4-lite": 1} == {each.model: each.rpm for each in limits.usage()}
    limits.clear()
    assert passes(limits, "voyage-4-lite")
    limits.tier = None
    assert passes(limits)


def test_usage_says_what_the_limits_are(time: Time, limits: RateLimits) -> None:
    """The report shows usage beside its limits, without what is a minute old."""
    limits.take("a", "voyage-4", 10)
    limits.take("b", "rerank-2.5", 20)
    limits.take("a", "voyage-4", 5)
    assert [
        Usage("b", "rerank-2.5", 1, 20, None, None),
        Usage("a", "voyage-4", 2, 15, None, None),
    ] == limits.usage()
    limits.tier = "free"
    assert [(3, 10_000)] * 2 == [(used.rpm, used.tpm) for used in limits.usage()]
    time.now += 60
    assert [] == limits.usage()


def test_recorded_usage_takes_bounded_memory(time: Time) -> None:
    """An emulator may run for weeks, and get any number of keys."""
    limits = RateLimits(None, MODELS, time, max_windows=10)
    for number in range(50):
        limits.take(f"key {number}", "voyage-4", 1)
    assert [f"key {number}" for number in range(40, 50)] == [used.owner for used in limits.usage()]
    time.now += 60
    limits.take("another", "voyage-4", 1)
    assert 1 == len(limits._windows)


def test_a_window_keeps_bounded_entries() -> None:
    """All usage counts beyond the bound, though some expires later."""
    counted = Window(max_entries=3)
    for second in range(6):
        counted.add(float(second), tokens=10)
    assert (6, 60, 3) == (counted.requests, counted.tokens, len(counted._entries))
    assert (56.0, 60.0) == (counted.wait(5.0, 2, 0), counted.wait(5.0, 3, 0))
    counted.roll(61.0)
    assert (4, 40) == (counted.requests, counted.tokens)
    counted.roll(65.0)
    assert (0, 0) == (counted.requests, counted.tokens)


def test_an_unknown_tier_is_refused_with_the_known_ones(limits: RateLimits) -> None:
    """The tier is checked at the start and at run time."""
    with pytest.raises(ValueError, match="one of free, tier_1, tier_2, tier_3, not 'gold'"):
        EmulatorState(Settings(tier="gold"))
    with pytest.raises(ValueError, match="tier must be"):
        limits.tier = "Free"
    assert limits.tier is None


@pytest.mark.parametrize("value", [-1, 1.5, "3", True])
@pytest.mark.parametrize("name", ["rpm", "tpm"])
def test_an_invalid_limit_is_refused(limits: RateLimits, name: str, value: Any) -> None:
    """A limit given as text would otherwise fail at the first request."""
    with pytest.raises(ValueError, match=f"{name} must be a whole number from 0"):
        limits.set(**{name: value})
    with pytest.raises(ValueError, match="no model 'voyage-x'"):
        limits.set("voyage-x", rpm=1)


def test_a_minute_passes_as_the_clock_is_moved(emulator: Emulator) -> None:
    """A test of waiting takes no time."""
    assert [200, 200, 200, 429] == [post(emulator).status_code for _ in range(4)]
    emulator.clock.advance(60)
    assert 200 == post(emulator).status_code


def test_only_what_is_answered_counts(emulator: Emulator) -> None:
    """Bad bodies, bad keys, unknown models and planned faults use up nothing."""
    for _ in range(3):
        assert 400 == post(emulator, {}).status_code
        assert 401 == post(emulator, key=None).status_code
        assert 400 == post(emulator, {**BODY, "model": "none"}).status_code
        emulator.faults.next("status", status=503)
        assert 503 == post(emulator).status_code
    assert [] == emulator.limits.usage()
    answers = [post(emulator) for _ in range(4)]
    assert [200, 200, 200, 429] == [answer.status_code for answer in answers]
    (used,) = emulator.limits.usage()
    assert (3, 3 * answers[0].json()["usage"]["total_tokens"]) == (used.requests, used.tokens)


def test_invalid_requests_are_refused_before_rate_limits_apply(emulator: Emulator) -> None:
    """A request must be valid before it is counted."""
    for _ in range(3):
        post(emulator)
    assert 400 == post(emulator, {**BODY, "output_dimension": 3}).status_code
    assert 401 == post(emulator, key=None).status_code
    assert 429 == post(emulator).status_code


def test_a_request_for_more_than_a_minute_holds_never_passes(emulator: Emulator) -> None:
    """With 10,000 tokens a minute in the free tier, no single request may have more."""
    large = {"input": ["word " * 1000] * 11, "model": "voyage-4"}
    assert [429, 429] == [post(emulator, large).status_code for _ in range(2)]
    assert emulator.requests.last.tokens is None


def test_a_refusal_says_when_to_come_again_only_if_asked(emulator: Emulator) -> None:
    """The API sends no `Retry-After`, so clients must work without it."""
    answers = [post(emulator) for _ in range(4)]
    assert "retry-after" not in answers[-1].headers
    emulator.limits.retry_after = True
    assert 55 <= int(post(emulator).headers["retry-after"]) <= 60
    with running(tier="free", retry_after=True) as other:
        answers = [post(other) for _ in range(4)]
        assert "retry-after" in answers[-1].headers


@pytest.mark.parametrize("said", [1, "1", "tier_1"])
def test_a_tier_may_be_named_as_the_client_names_it(said: int | str) -> None:
    """The same setting works for client and emulator, and a shell has only strings."""
    with running(tier=said) as emulator:
        assert "tier_1" == emulator.limits.tier
        emulator.limits.tier = 2
        assert "tier_2" == emulator.limits.tier
