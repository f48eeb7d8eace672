"""A client that keeps to a usage tier, against the emulator's count, in virtual time."""

from __future__ import annotations

import asyncio
import random
import selectors
from typing import Any

import httpx2
import pytest
import voyageai
from voyageai.flow import Environment
from voyageai.transport import AsyncTransport
from voyageai_emulator.app import Application
from voyageai_emulator.settings import Settings
from voyageai_rest.catalogue import TIERS, find

MODEL = "voyage-4-large"
WORKERS = 64


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer."""

    def __init__(self) -> None:
        self.now = 0.0
        loop = self

        class Jump(selectors.DefaultSelector):
            def select(self, timeout: float | None = None) -> Any:
                loop.now += timeout or 0.0
                return super().select(0)

        super().__init__(Jump())

    def time(self) -> float:
        """Return the seconds of the jumping clock."""
        return self.now


class Network(httpx2.AsyncBaseTransport):
    """The emulator behind a network latency of some milliseconds."""

    def __init__(self, app: Application, chance: random.Random) -> None:
        self.app = httpx2.ASGITransport(app)
        self.chance = chance

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Deliver a request and its response with a delay."""
        await asyncio.sleep(self.chance.uniform(0.005, 0.1))
        response = await self.app.handle_async_request(request)
        await response.aread()
        await asyncio.sleep(self.chance.uniform(0.005, 0.1))
        return response


def most_in_a_minute(arrived: list[tuple[float, int]]) -> tuple[int, int]:
    """Return the most requests and the most tokens of any sliding minute."""
    arrived = sorted(arrived)
    first = tokens = most_requests = most_tokens = 0
    for place, (time, count) in enumerate(arrived):
        tokens += count
        while arrived[first][0] <= time - 60:
            tokens -= arrived[first][1]
            first += 1
        most_requests = max(most_requests, place - first + 1)
        most_tokens = max(most_tokens, tokens)
    return most_requests, most_tokens


@pytest.mark.parametrize(
    ("calls", "words", "bound"),
    [
        pytest.param(5_000, 6, "requests", id="bound by requests", marks=pytest.mark.full),
        pytest.param(2_000, 8_000, "tokens", id="bound by tokens"),
    ],
)
def test_thousands_of_calls_keep_to_a_tier_and_use_it(calls, words, bound):
    """Calls never exceed the limit in any sliding minute, and use nearly all of it."""
    chance = random.Random(7)
    loop = Loop()
    app = Application(Settings(clock=loop.time))
    client = voyageai.AsyncClient("k", rate_limit=1)
    client._transport = AsyncTransport(
        http=Network(app, chance),
        sleep=asyncio.sleep,
        environment=Environment(clock=loop.time, random=chance.random),
    )
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            text = "a " * chance.randint(1, words)
            await client.embed(text, model=MODEL, output_dimension=256)

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(worker())

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    arrived = [(request.time, request.tokens) for request in app.state.requests]
    entry = find(MODEL)
    rpm, tpm = entry.rpm * TIERS.tier_1.factor, entry.tpm * TIERS.tier_1.factor
    most_requests, most_tokens = most_in_a_minute(arrived)
    # The first minute starts with an empty window, so it may hold more than an average one.
    after = [(time, tokens) for time, tokens in arrived if time > 60]
    minutes = (max(arrived)[0] - 60) / 60

    assert calls == len(arrived)
    assert {200} == {request.status for request in app.state.requests}
    assert most_requests <= rpm
    assert most_tokens <= tpm
    assert minutes > 1
    if bound == "requests":
        assert len(after) / minutes >= 0.95 * rpm
    else:
        assert sum(tokens for _, tokens in after) / minutes >= 0.95 * tpm
