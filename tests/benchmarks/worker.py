"""Measure calls in a contender's environment: one measurement per line of standard input.

    python -I worker.py WAY URL TEXTS DIMENSIONS

Each line is one of: `CALLS`, to make calls one after the other; `IN_FLIGHT SECONDS`, to keep this
number of concurrent calls in flight; `paced CALLS_PER_SECOND SECONDS`, to start calls at a constant
rate; `memory`, to measure the memory of a result. Prints each measurement as a line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from base64 import b64decode
from collections.abc import Awaitable, Callable, Coroutine
from importlib import import_module
from typing import Any

MODEL = "voyage-4"
KEY = "benchmark"
NUMBER_SIZE = 4

Texts = list[str]
# Returns the client's result, and the vectors in their final format.
Call = Callable[[], tuple[Any, Any]]
Make = Callable[[str, Texts], Call]
Finish = Callable[[Any], tuple[Any, Any]]


def voyageai(finish: Finish) -> Make:
    """Return calls by the official client or by this one, which have the same interface."""

    def make(url: str, texts: Texts) -> Call:
        client = import_module("voyageai").Client(api_key=KEY, base_url=url)
        return lambda: finish(client.embed(texts, model=MODEL, input_type="document"))

    return make


def voyageai_async(finish: Finish) -> Make:
    """Return calls by the asynchronous client."""

    def make(url: str, texts: Texts) -> Call:
        client = import_module("voyageai").AsyncClient(api_key=KEY, base_url=url)
        return _Waiting(lambda: client.embed(texts, model=MODEL, input_type="document"), finish)

    return make


def openai(url: str, texts: Texts) -> Call:
    client = import_module("openai").OpenAI(api_key=KEY, base_url=url)
    return lambda: _entries(client.embeddings.create(input=texts, model=MODEL))


def openai_async(url: str, texts: Texts) -> Call:
    client = import_module("openai").AsyncOpenAI(api_key=KEY, base_url=url)
    return _Waiting(lambda: client.embeddings.create(input=texts, model=MODEL), _entries)


def httpx2(url: str, texts: Texts) -> Call:
    client = import_module("httpx2").Client(timeout=60)
    return lambda: _decoded(client.post(f"{url}/embeddings", json=_body(texts)))


def httpx2_async(url: str, texts: Texts) -> Call:
    client = import_module("httpx2").AsyncClient(timeout=60)
    return _Waiting(lambda: client.post(f"{url}/embeddings", json=_body(texts)), _decoded)


def aiohttp(url: str, texts: Texts) -> Call:
    sessions: list[Any] = []

    async def post() -> Any:
        library = import_module("aiohttp")
        if not sessions:  # created on the loop that uses it
            sessions.append(library.ClientSession(connector=library.TCPConnector(limit=0)))
        async with sessions[0].post(f"{url}/embeddings", json=_body(texts)) as answer:
            return json.loads(await answer.read())

    async def close() -> None:
        for session in sessions:
            await session.close()

    return _Waiting(post, _decoded_json, close)


class _Waiting:
    """A blocking call that runs an asynchronous one, always on the same event loop."""

    def __init__(
        self,
        call: Callable[[], Awaitable[Any]],
        finish: Finish,
        close: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._call = call
        self._finish = finish
        self._close = close

    def close(self) -> None:
        """Close the client, as some warn if they are not closed."""
        if self._close is not None:
            self._loop.run_until_complete(self._close())

    def __call__(self) -> tuple[Any, Any]:
        return self._loop.run_until_complete(self._once())

    async def _once(self) -> tuple[Any, Any]:
        return self._finish(await self._call())

    def together(self, in_flight: int, seconds: float) -> int:
        """Keep `in_flight` calls in flight for some seconds, and return the number of calls."""
        return self._loop.run_until_complete(self._together(in_flight, seconds))

    def paced(self, rate: int, seconds: float) -> None:
        """Start `rate` calls per second for some seconds, and wait for all of them."""
        self._loop.run_until_complete(self._paced(rate, seconds))

    async def _paced(self, rate: int, seconds: float) -> None:
        start = self._loop.time()
        calls: list[asyncio.Future[Any]] = []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(start + number / rate - self._loop.time())
            calls.append(asyncio.ensure_future(self._once()))
        await asyncio.gather(*calls)

    async def _together(self, in_flight: int, seconds: float) -> int:
        end = time.perf_counter() + seconds

        async def work() -> int:
            count = 0
            while time.perf_counter() < end:
                await self._once()
                count += 1
            return count

        return sum(await asyncio.gather(*(work() for _ in range(in_flight))))


def _body(texts: Texts) -> dict[str, Any]:
    return {"input": texts, "model": MODEL, "encoding_format": "base64"}


def _decoded(answer: Any) -> tuple[Any, Any]:
    return _decoded_json(answer.json())


def _decoded_json(answer: Any) -> tuple[Any, Any]:
    np = import_module("numpy")
    rows = [b64decode(entry["embedding"]) for entry in answer["data"]]
    return None, np.frombuffer(b"".join(rows), np.float32).reshape(len(rows), -1)


def _entries(answer: Any) -> tuple[Any, Any]:
    return answer, [entry.embedding for entry in answer.data]


def _matrix(result: Any) -> tuple[Any, Any]:
    return result, result.to_numpy()


def _lists(result: Any) -> tuple[Any, Any]:
    return result, result.embeddings  # in the official client an attribute that is already a list


def _array(result: Any) -> tuple[Any, Any]:
    np = import_module("numpy")
    return result, np.array(result.embeddings, dtype=np.float32)


WAYS: dict[str, Make] = {
    "lists": voyageai(_lists),
    "matrix": voyageai(_matrix),
    "array": voyageai(_array),
    "lists async": voyageai_async(_lists),
    "matrix async": voyageai_async(_matrix),
    "openai": openai,
    "openai async": openai_async,
    "httpx2": httpx2,
    "httpx2 async": httpx2_async,
    "aiohttp": aiohttp,
}


def timed(call: Call, times: int) -> dict[str, float]:
    """Return the mean time of a call in milliseconds.

    The time of a single call does not include freeing its result.
    """
    result: Any = None
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        result = call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    del result
    return {"wall ms": 1000 * wall / times, "CPU ms": 1000 * cpu / times}


def crowded(call: Call, in_flight: int, seconds: float) -> dict[str, float]:
    """Return the elapsed milliseconds per call for concurrent calls."""
    assert isinstance(call, _Waiting)
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    count = call.together(in_flight, seconds)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"ms per call": 1000 * wall / count, "CPU ms per call": 1000 * cpu / count}


def paced(call: Call, rate: int, seconds: float) -> dict[str, float]:
    """Return the fraction of a core that a constant rate of calls takes."""
    assert isinstance(call, _Waiting)
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    call.paced(rate, seconds)
    return {"cores used": (time.process_time() - cpu) / (time.perf_counter() - wall)}


def memory(call: Call, own: int) -> dict[str, float]:
    """Return the memory that a result keeps, and the peak, in multiples of its vectors' bytes."""
    tracemalloc.start()
    call()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    result = call()
    gc.collect()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del result
    return {"kept / own bytes": (kept - before) / own, "peak / own bytes": (peak - before) / own}


if __name__ == "__main__":
    way, url, count, dimensions = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    one = WAYS[way](url, [f"text number {place}" for place in range(count)])
    _, vectors = one()
    if (len(vectors), len(vectors[0])) != (count, dimensions):
        sys.exit(f"{way} gave {len(vectors)} x {len(vectors[0])} numbers")
    del vectors
    for line in sys.stdin:
        if line.strip() == "memory":
            reading = memory(one, NUMBER_SIZE * dimensions * count)
        elif line.startswith("paced "):
            _, rate, seconds = line.split()
            reading = paced(one, int(rate), float(seconds))
        elif " " in line.strip():
            in_flight, seconds = line.split()
            reading = crowded(one, int(in_flight), float(seconds))
        else:
            reading = timed(one, int(line))
        print(json.dumps(reading), flush=True)
    if isinstance(one, _Waiting):
        one.close()
