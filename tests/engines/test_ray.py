"""A rate limit that the processes of a Ray cluster share."""

from __future__ import annotations

import asyncio
import copy
import doctest
import gc
import importlib
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import voyageai
from voyageai.error import ArgumentError, DeadlineError, VoyageError
from voyageai.ratelimit import RateLimit
from voyageai_emulator import Emulator

from .conftest import ROWS, Run, texts_sent, wanted

ray = pytest.importorskip("ray")
pq = pytest.importorskip("pyarrow.parquet")
from voyageai.integrations.ray import MINUTE, BudgetHost, RateBudget  # noqa: E402

LIMIT = RateLimit(rpm=20)
DEADLINE = MINUTE - 1
"""Timeout of a call in seconds: it fails at once instead of waiting for the actor's clock."""
EMBED: dict[str, Any] = {"model": "voyage-4", "input_type": "document"}
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)  # Ray's own


class FrozenHost(BudgetHost):
    """A host with a fixed clock, so that what it admits does not depend on the test's speed."""

    def __init__(self, setting: Any, maker: str) -> None:
        super().__init__(setting, maker, clock=float)

    def process(self) -> int:
        """Return the number of this host's process."""
        return os.getpid()


class FrozenBudget(RateBudget):
    """A budget that uses a host with a fixed clock."""

    _host = FrozenHost


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of two processors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_raylet_start_wait_time_s", "120")
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()
        gc.collect()  # here, where warnings about Ray's ending processes are ignored


@pytest.fixture
def budget(cluster: None, request: pytest.FixtureRequest) -> Iterator[RateBudget]:
    """A new budget for each test."""
    found = FrozenBudget(LIMIT, name=request.node.name)
    yield found
    found.close()


def work(budget: RateBudget, url: str, count: int) -> tuple[int, int]:
    """Send requests with a client; return how many were answered and how many timed out."""
    late = 0
    with voyageai.Client("key", base_url=url, rate_limit=budget, deadline=DEADLINE) as vo:
        for _ in range(count):
            try:
                vo.embed(["a"], **EMBED)
            except DeadlineError:
                late += 1
    return count - late, late


def work_async(budget: RateBudget, url: str, count: int) -> tuple[int, int]:
    """Send all requests at once with an asynchronous client; return the same counts."""

    async def send() -> list[object]:
        async with voyageai.AsyncClient(
            "key", base_url=url, rate_limit=budget, deadline=DEADLINE
        ) as vo:
            calls = [vo.embed(["a"], **EMBED) for _ in range(count)]
            return await asyncio.gather(*calls, return_exceptions=True)

    late = sum(isinstance(answer, DeadlineError) for answer in asyncio.run(send()))
    return count - late, late


def test_workers_of_both_kinds_share_one_limit(budget: RateBudget, emulator: Emulator) -> None:
    """Sync and async workers together stay within the limit, and the server refuses no request."""
    emulator.limits.set("voyage-4", rpm=20)
    tasks = [ray.remote(each).remote(budget, emulator.url, 15) for each in (work, work_async)]
    done = ray.get(tasks)

    assert 20 == sum(answered for answered, _ in done)
    assert 10 == sum(late for _, late in done)
    assert {200} == {request.status for request in emulator.requests}


def test_a_refusal_reaches_all_workers(budget: RateBudget, emulator: Emulator) -> None:
    """When the server throttles one worker, all others wait as well."""
    url = emulator.faulty("status", status=429, retry_after="60")
    with (
        voyageai.Client("key", base_url=url, rate_limit=budget) as vo,
        pytest.raises(voyageai.error.RateLimitError),
    ):
        vo.embed(["a"], **EMBED)
    assert (0, 1) == ray.get(ray.remote(work).remote(budget, emulator.url, 1))


def test_a_budget_with_another_limit_is_refused_or_replaced(
    budget: RateBudget, emulator: Emulator
) -> None:
    """An existing named actor would otherwise silently keep the old limit."""
    assert LIMIT == RateBudget(LIMIT, budget.name).setting
    with pytest.raises(ArgumentError, match=r"has the limit RateLimit\(rpm=20, .* update=True"):
        RateBudget(RateLimit(rpm=30), budget.name)
    new = FrozenBudget(RateLimit(rpm=30), budget.name, update=True)
    assert RateLimit(rpm=30) == RateBudget(RateLimit(rpm=30), new.name).setting
    # The new actor does not know what the old one admitted, so it waits for a minute.
    assert (0, 1) == work(budget, emulator.url, 1)


def test_an_actor_whose_process_dies_is_started_again(
    budget: RateBudget, emulator: Emulator
) -> None:
    """The new actor admits nothing for a minute, so the limit holds while calls wait."""
    assert (1, 0) == work(budget, emulator.url, 1)
    actor = ray.get_actor(budget.name, budget.namespace)
    process = ray.get(actor.process.remote())
    ray.kill(actor, no_restart=False)
    while process == ray.get(actor.process.remote()):
        pass  # the process ends a little later
    assert (0, 1) == work(budget, emulator.url, 1)
    assert 1 == len(emulator.requests)


def test_a_budget_that_is_gone_is_an_error_that_says_so(
    budget: RateBudget, emulator: Emulator
) -> None:
    """The client waits half a minute for a new actor and then raises, by an injected clock."""
    budget.close()
    reservation = budget.reserve("voyage-4", 10, now=0.0)
    while budget.wait(reservation, now=0.0) != 1.0:
        pass
    with pytest.raises(VoyageError, match=r"has lost its actor: keep the RateBudget that made it"):
        budget.wait(reservation, now=31.0)
    budget.release(reservation, now=31.0)
    budget.close()


def test_a_pickle_is_a_name_and_a_limit(budget: RateBudget) -> None:
    """Copies of a client share the actor; `share` of such a budget is refused."""
    found = pickle.loads(pickle.dumps(budget))
    assert (LIMIT, budget.name, budget.namespace) == (found.setting, found.name, found.namespace)
    assert copy.copy(budget) is copy.deepcopy(budget) is budget
    assert repr(budget) == repr(found)
    assert (20, float("inf")) == budget.limits("voyage-4")
    with pytest.raises(ArgumentError, match="leave share out"):
        budget.shared(1 / 2)


def test_the_example_in_the_docstring_runs(cluster: None, emulator: Emulator) -> None:
    """Users copy the example unchanged."""
    module = importlib.import_module(RateBudget.__module__)
    assert (0, 4) == doctest.testmod(module, extraglobs={"voyageai": voyageai})


def test_ray_data_shares_the_budget(
    emulator: Emulator, notes: Path, run: Run, tmp_path: Path
) -> None:
    """The example sends each row once, and gives a reason for each row without a vector."""
    run("ray_data.py", notes, "vectors")
    rows = pq.read_table(tmp_path / "vectors", columns=["id", "error"]).to_pylist()
    assert wanted() == sorted(texts_sent(emulator))
    assert list(range(ROWS)) == sorted(row["id"] for row in rows)
    assert {None, "it is empty"} == {row["error"] for row in rows}
    assert {200} == {request.status for request in emulator.requests}
