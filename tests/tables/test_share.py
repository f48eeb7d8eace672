"""Jobs at a rate limit use nearly all of it and are never refused; time is virtual."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from voyageai.ratelimit import RateLimit, RateLimiter
from voyageai.ratelimit.tokens import estimate_tokens
from voyageai.tables.schedule import Schedule
from voyageai_emulator.rate_limits import RateLimits
from voyageai_rest.catalogue import MODELS

from .conftest import OPTIONS, Api, expected, job_of, table_in

MODEL, TPM, ROWS, MINUTE, LATENCY = "voyage-4", 60_000, 18_000, 60.0, 0.3


class Now:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def sent(jobs: list[tuple[Schedule, RateLimiter]], client: Any) -> Iterator[tuple[float, int]]:
    """Run jobs together; yield the time of each request and its tokens."""
    now = Now()
    server = RateLimits(None, MODELS, now)
    server.set(MODEL, rpm=2000, tpm=TPM)
    order = count()
    events: list[Any] = []

    def begin(schedule: Schedule, limiter: RateLimiter) -> None:
        while (request := schedule.next()) is not None:
            estimated = estimate_tokens(request.units.values[0])
            place = limiter.reserve(MODEL, estimated, now())
            step = [schedule, limiter, request, place, None]
            heappush(events, (now(), next(order), step))

    for job in jobs:
        begin(*job)
    while events:
        now.seconds, _, step = heappop(events)
        schedule, limiter, request, place, answer = step
        if answer is not None:
            limiter.correct(place, answer.total_tokens, now())
            limiter.release(place, now())
            schedule.take(request, answer)
            begin(schedule, limiter)
        elif wait := limiter.wait(place, now()):
            heappush(events, (now() + wait, next(order), step))
        else:
            step[-1] = client.embed(request.units.values[0], MODEL, **OPTIONS)
            server.take("key", MODEL, step[-1].total_tokens)  # raises if it is beyond the limit
            yield now() - 1000.0, step[-1].total_tokens
            heappush(events, (now() + LATENCY, next(order), step))


@pytest.mark.parametrize("processes", [pytest.param(1, marks=pytest.mark.full), 4])
def test_jobs_use_nearly_all_of_a_limit_and_are_never_refused(
    processes: int, api: Api, tmp_path: Path
) -> None:
    """A large table takes as long as the limit allows, so unused tokens cost the user time."""
    jobs: list[Any] = []
    tables: dict[Path, list[Any]] = {}
    for process in range(processes):
        limiter = RateLimiter(RateLimit(rpm=2000, tpm=TPM), share=1 / processes)
        rows = [
            {"id": row, "body": f"row {row} of {process}" + " and more" * (row % 15)}
            for row in range(ROWS // processes)
        ]
        path = tmp_path / str(process)
        tables[path] = rows
        job = job_of(api.client(rate_limit=limiter), rows, path, slice_rows=5000, concurrency=64)
        jobs.append((job._work(None), limiter))
    requests = list(sent(jobs, api.client()))

    minutes = int(requests[-1][0] // MINUTE)
    steady = sum(tokens for at, tokens in requests if MINUTE <= at < MINUTE * minutes)
    assert minutes >= 4
    assert 0.99 <= steady / (TPM * (minutes - 1)) <= 1
    for path, rows in tables.items():
        assert expected(rows) == table_in(path)
