"""The latency of answers, and the number of requests processed at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from starlette.types import Message, Scope
from voyageai_emulator import running
from voyageai_emulator.app import Application
from voyageai_emulator.concurrency import Slots
from voyageai_emulator.settings import Settings
from voyageai_emulator.timing import Latency

from tests.emulator.contract_client import client_of
from tests.emulator.http_helpers import message
from tests.emulator.virtual_time import run_in_virtual_time

SMALL = {"input": "a short text", "model": "voyage-4"}
# Few bytes but many tokens, as the query's tokens count once per document.
LARGE = {"query": "word " * 2000, "documents": ["a"] * 150, "model": "rerank-2.5"}


KEY = {"authorization": "Bearer any"}


class Emulated:
    """An emulator on the event loop of a test."""

    def __init__(self, http: httpx2.AsyncClient, app: Application) -> None:
        self.http = http
        self.state = app.state
        self.app = app
        self.ended: list[tuple[str, float]] = []

    async def ask(self, body: Any = SMALL, path: str = "/embeddings") -> httpx2.Response:
        """Send one request to the application."""
        return await self.http.post(path, json=body)

    async def note(self, name: str) -> None:
        """Send one request, and note when it ended."""
        assert 200 == (await self.ask()).status_code
        self.ended.append((name, now()))

    def start(self, names: str) -> list[asyncio.Task[None]]:
        """Start requests that arrive one after the other, named by letters."""
        return [asyncio.create_task(self.note(name)) for name in names]


@asynccontextmanager
async def emulated(**settings: Any) -> AsyncIterator[Emulated]:
    """Run an emulator that is called without a socket."""
    app = Application(Settings(**settings))
    async with client_of(app) as http:
        yield Emulated(http, app)
    app.close()


def now() -> float:
    """Return the seconds of the event loop, rounded to milliseconds."""
    return round(asyncio.get_running_loop().time(), 3)


async def leaves_after(seconds: float, app: Application) -> list[Message]:
    """Send a request, disconnect after some seconds; return the messages sent to the client."""
    sent: list[Message] = []
    begun = False

    async def receive() -> Message:
        nonlocal begun
        if not begun:
            begun = True
            return {"type": "http.request", "body": message(SMALL).partition(b"\r\n\r\n")[2]}
        await asyncio.sleep(seconds)
        return {"type": "http.disconnect"}

    async def send(part: Message) -> None:
        sent.append(part)

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/embeddings",
        "raw_path": b"/v1/embeddings",
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer any")],
    }
    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize("said", ["none", "0", 0, "0.2", 0.2, 3, "1e1", "model"])
def test_latency_is_none_seconds_or_the_model(said: str | float) -> None:
    """A shell passes text, and Python code a number."""
    seconds = Latency(said).seconds(0, 1)
    expected = {"none": 0, "model": 0.03}
    assert (expected[str(said)] if str(said) in expected else float(said)) == seconds
    assert str(said) == str(Latency(said))


@pytest.mark.parametrize("said", ["", "fast", "-1", "nan", "inf", -0.1, True, None, "Model"])
def test_an_invalid_latency_is_refused_with_the_valid_ones(said: Any) -> None:
    """The error comes at the start, not at the first request."""
    with pytest.raises(ValueError, match="latency must be none, model or seconds from 0, not "):
        Application(Settings(latency=said))


def test_the_model_grows_with_tokens_and_load() -> None:
    """A client's timeout must be tested with slow answers."""
    seconds = Latency("model").seconds
    assert 0.02 < seconds(10, 1) < 0.1
    assert seconds(120_000, 1) > 1
    assert seconds(1000, 1) < seconds(2000, 1) < seconds(2000, 5)
    assert seconds(10, 100) < 0.1


@pytest.mark.parametrize(("said", "expected"), [("none", 0.0), ("2.5", 2.5), (2.5, 2.5)])
def test_an_answer_comes_after_its_seconds(said: str | float, expected: float) -> None:
    """Refusals are delayed as well as embeddings."""

    async def main() -> list[float]:
        async with emulated(latency=said) as emulator:
            times = [now()]
            for body in (SMALL, {}, {**SMALL, "model": "none"}):
                await emulator.ask(body)
                times.append(now())
        return [after - before for before, after in pairwise(times)]

    assert [expected] * 3 == run_in_virtual_time(main())


def test_a_large_request_meets_a_timeout_that_a_small_one_does_not() -> None:
    """Users can tune timeouts, as the latency grows with the request."""

    async def main() -> None:
        async with emulated(latency="model") as emulator:
            async with asyncio.timeout(1):
                assert 200 == (await emulator.ask()).status_code
            assert now() < 0.1
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await emulator.ask(LARGE, "/rerank")
            assert 200 == (await emulator.ask(LARGE, "/rerank")).status_code
            assert now() > 2
            assert emulator.state.requests.last.tokens is not None
            assert emulator.state.requests.last.tokens > 120_000

    run_in_virtual_time(main())


def test_requests_at_once_slow_each_other_down() -> None:
    """In the latency model, concurrent requests share the server."""

    async def main(count: int) -> float:
        async with emulated(latency="model") as emulator:
            await asyncio.gather(*(emulator.ask(LARGE, "/rerank") for _ in range(count)))
            return now()

    assert run_in_virtual_time(main(1)) < run_in_virtual_time(main(3))


def test_a_client_times_out_over_a_socket() -> None:
    """Its slot on the server is free at once."""
    with running(latency=60, concurrency=1) as emulator:
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.post(f"{emulator}/embeddings", json=SMALL, headers=KEY, timeout=0.1)
        assert 0 == emulator.requests.settle()
        assert emulator.requests.last.disconnected
        emulator.latency = "none"
        response = httpx2.post(f"{emulator}/embeddings", json=SMALL, headers=KEY)
        assert 200 == response.status_code


def test_the_wait_ends_when_the_client_goes_away() -> None:
    """The answer has no recipient any more."""

    async def main() -> float:
        app = Application(Settings(latency=600, concurrency=1))
        await leaves_after(3, app)
        assert (0, 1) == (app.state.slots.in_flight, len(app.state.requests))
        return now()

    assert 3 == run_in_virtual_time(main())


def test_latency_can_be_set_while_it_runs() -> None:
    """The values are those allowed at the start."""
    with running() as emulator:
        assert "none" == str(emulator.latency)
        emulator.latency = 0.001
        assert 0.001 == emulator.latency.seconds(10, 1)
        emulator.latency = "model"
        assert emulator.latency.seconds(120_000, 1) > 1
        with pytest.raises(ValueError, match="latency must be"):
            emulator.latency = "slow"
        assert "model" == str(emulator.latency)


def test_as_many_are_worked_on_as_the_limit_says() -> None:
    """The other requests wait, and are processed in the order of arrival."""

    async def main() -> list[tuple[str, float]]:
        async with emulated(latency=1, concurrency=2) as emulator:
            await asyncio.gather(*emulator.start("abcde"))
            assert (0, 0) == (emulator.state.slots.in_flight, emulator.state.slots.waiting)
            return emulator.ended

    ended = sorted(run_in_virtual_time(main()))
    assert [("a", 1), ("b", 1), ("c", 2), ("d", 2), ("e", 3)] == ended


def test_without_a_limit_all_are_worked_on() -> None:
    """No request waits by default."""

    async def main() -> list[tuple[str, float]]:
        async with emulated(latency=1) as emulator:
            await asyncio.gather(*emulator.start("abcde"))
            return emulator.ended

    assert [(name, 1) for name in "abcde"] == sorted(run_in_virtual_time(main()))


@pytest.mark.parametrize("left", ["a", "b", "c"])
def test_a_client_that_leaves_frees_its_place(left: str) -> None:
    """Later requests must not wait for a client that is gone."""

    async def main() -> list[tuple[str, float]]:
        async with emulated(latency=1, concurrency=1) as emulator:
            tasks = dict(zip("abcd", emulator.start("abcd"), strict=True))
            await asyncio.sleep(0.5)
            tasks[left].cancel()
            await asyncio.wait(tasks.values())
            assert (0, 0) == (emulator.state.slots.in_flight, emulator.state.slots.waiting)
            return emulator.ended

    first = 1.5 if left == "a" else 1.0
    rest = [name for name in "abcd" if name != left]
    assert [(name, first + later) for later, name in enumerate(rest)] == run_in_virtual_time(main())


def test_a_client_that_is_told_to_have_left_frees_its_place() -> None:
    """Over a socket nothing is cancelled: the server only hears of the disconnect."""

    async def main() -> float:
        async with emulated(latency=10, concurrency=1) as emulator:
            (first,) = emulator.start("a")
            await asyncio.sleep(1)
            waiting = asyncio.create_task(leaves_after(2, emulator.app))
            await asyncio.sleep(1)
            assert 1 == emulator.state.slots.waiting
            await waiting
            assert 0 == emulator.state.slots.waiting
            left = now()
            await first
            assert [("a", 10.0)] == emulator.ended
            return left

    assert 3 == run_in_virtual_time(main())


@pytest.mark.parametrize("path", ["/_emulator/state", "/"])
def test_the_emulators_own_routes_do_not_wait(path: str) -> None:
    """They must answer while the emulator is busy, to show why."""

    async def main() -> float:
        async with emulated(latency=60, concurrency=1, admin_token="token") as emulator:
            emulator.start("abc")
            await asyncio.sleep(1)
            response = await emulator.http.get(
                f"http://localhost{path}", headers={"x-emulator-token": "token"}
            )
            assert 200 == response.status_code
            return now()

    assert 1 == run_in_virtual_time(main())


def test_unknown_paths_and_planned_faults_do_not_wait() -> None:
    """Such answers come from a proxy in front of a real server."""

    async def main() -> float:
        async with emulated(latency=60, concurrency=1) as emulator:
            emulator.start("ab")
            await asyncio.sleep(1)
            assert 404 == (await emulator.ask(path="/nowhere")).status_code
            emulator.state.faults.next("status", status=503)
            assert 503 == (await emulator.ask()).status_code
            return now()

    assert 1 == run_in_virtual_time(main())


def test_places_are_shared_between_event_loops() -> None:
    """Clients in one process may each have an event loop."""
    slots = Slots(1)
    taken, free = threading.Event(), threading.Event()
    order: list[str] = []

    async def never() -> Message:
        return await asyncio.get_running_loop().create_future()

    async def hold() -> None:
        async with slots.acquire(never):
            taken.set()
            await asyncio.to_thread(free.wait)
            order.append("first")

    async def follow(waits: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(0, waits)
        async with slots.acquire(never):
            order.append("second")

    other = threading.Thread(target=asyncio.run, args=(hold(),))
    other.start()
    taken.wait()
    asyncio.run(follow(free.set))
    other.join()
    assert (["first", "second"], 0) == (order, slots.in_flight)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "2", True])
def test_an_invalid_concurrency_is_refused(limit: Any) -> None:
    """A limit of 0 would make every request wait forever."""
    with pytest.raises(ValueError, match="concurrency must be a whole number from 1"):
        Application(Settings(concurrency=limit))
