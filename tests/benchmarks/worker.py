"""Runs in a contender's environment: makes a call for each line it reads, prints what it took.

    python -I worker.py WAY URL TEXTS DIMENSIONS

A line of input is the number of calls to make, whose mean is printed, or `memory`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from base64 import b64decode
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

MODEL = "voyage-4"
KEY = "benchmark"
NUMBER_SIZE = 4

Texts = list[str]
# Returns what the client returned, and the vectors in their final form.
Call = Callable[[], tuple[Any, Any]]
Make = Callable[[str, Texts], Call]
Finish = Callable[[Any], tuple[Any, Any]]


def voyageai(finish: Finish) -> Make:
    """The official client or this one, which are used the same way."""

    def make(url: str, texts: Texts) -> Call:
        client = import_module("voyageai").Client(api_key=KEY, base_url=url)
        return lambda: finish(client.embed(texts, model=MODEL))

    return make


def voyageai_async(finish: Finish) -> Make:
    """The same, asynchronous."""

    def make(url: str, texts: Texts) -> Call:
        client = import_module("voyageai").AsyncClient(api_key=KEY, base_url=url)
        return _waiting(lambda: client.embed(texts, model=MODEL), finish)

    return make


def openai(url: str, texts: Texts) -> Call:
    client = import_module("openai").OpenAI(api_key=KEY, base_url=url)
    return lambda: _entries(client.embeddings.create(input=texts, model=MODEL))


def openai_async(url: str, texts: Texts) -> Call:
    client = import_module("openai").AsyncOpenAI(api_key=KEY, base_url=url)
    return _waiting(lambda: client.embeddings.create(input=texts, model=MODEL), _entries)


def httpx(url: str, texts: Texts) -> Call:
    client = import_module("httpx").Client(timeout=60)
    return lambda: _decoded(client.post(f"{url}/embeddings", json=_body(texts)))


def httpx_async(url: str, texts: Texts) -> Call:
    client = import_module("httpx").AsyncClient(timeout=60)
    return _waiting(lambda: client.post(f"{url}/embeddings", json=_body(texts)), _decoded)


def _waiting(call: Callable[[], Awaitable[Any]], finish: Finish) -> Call:
    """An asynchronous call as a plain one, always on the same loop."""
    loop = asyncio.new_event_loop()

    async def run() -> tuple[Any, Any]:
        return finish(await call())

    return lambda: loop.run_until_complete(run())


def _body(texts: Texts) -> dict[str, Any]:
    return {"input": texts, "model": MODEL, "encoding_format": "base64"}


def _decoded(answer: Any) -> tuple[Any, Any]:
    np = import_module("numpy")
    rows = [b64decode(entry["embedding"]) for entry in answer.json()["data"]]
    return None, np.frombuffer(b"".join(rows), np.float32).reshape(len(rows), -1)


def _entries(answer: Any) -> tuple[Any, Any]:
    return answer, [entry.embedding for entry in answer.data]


def _matrix(result: Any) -> tuple[Any, Any]:
    return result, result.numpy()


def _lists(result: Any) -> tuple[Any, Any]:
    return result, result.embeddings  # in the official client a plain attribute, already made


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
    "httpx": httpx,
    "httpx async": httpx_async,
}


def timed(call: Call, times: int) -> dict[str, float]:
    """Mean milliseconds of a call; results are dropped off the clock where it is one call."""
    result: Any = None
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        result = call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    del result
    return {"wall ms": 1000 * wall / times, "CPU ms": 1000 * cpu / times}


def memory(call: Call, own: int) -> dict[str, float]:
    """What a result keeps, and what getting it took, as parts of the vectors' own bytes."""
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
        else:
            reading = timed(one, int(line))
        print(json.dumps(reading), flush=True)
