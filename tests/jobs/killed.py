"""A job for `test_kill`: `python -m tests.jobs.killed KIND URL KEY DIRECTORY`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import voyageai
from voyageai.batches import JobTimings

from tests.batch_limits import limit_batches

ROWS, PER_BATCH, PER_LINE = 240, 60, 10
TEXTS = [f"text {row} of {ROWS}" for row in range(ROWS)]
OPTIONS: dict[str, Any] = {
    "model": "voyage-4",
    "input_type": "document",
    "output_dimension": 256,
    "rows_per_line": PER_LINE,
    "poll": 0.02,
    "timings": JobTimings(settle_delay=0.3),
}


def work(kind: str, url: str, key: str, directory: str) -> None:
    """Run or resume the job."""
    print("ready", flush=True)
    if kind == "Client":
        with voyageai.Client(key, base_url=url) as vo:
            limit_batches(vo, inputs=PER_BATCH)
            results = vo.batches.embed(TEXTS, directory=directory, **OPTIONS)
            results.to_numpy()
    else:
        asyncio.run(_work(url, key, directory))


async def _work(url: str, key: str, directory: str) -> None:
    async with voyageai.AsyncClient(key, base_url=url) as vo:
        limit_batches(vo, inputs=PER_BATCH)
        results = await vo.batches.embed(TEXTS, directory=directory, **OPTIONS)
        results.to_numpy()


if __name__ == "__main__":
    work(*sys.argv[1:])
