"""Run ten workers that share one client; each sends a hundred requests, one after the other.

    VOYAGE_API_KEY=... python many_workers.py

The requests go to the API, or to the host in VOYAGE_BASE_URL, such as an emulator.
"""

from __future__ import annotations

import asyncio
import os
import time

import httpx2

URL = os.environ.get("VOYAGE_BASE_URL", "https://api.voyageai.com/v1")
KEY = os.environ["VOYAGE_API_KEY"]
WORKERS = 10
REQUESTS = 100
TEXT = "word " * 1000


async def work(number: int, http: httpx2.AsyncClient) -> int:
    """Send the requests of one worker, and return the tokens used."""
    tokens = 0
    for turn in range(REQUESTS):
        answer = await http.post(
            "/embeddings",
            json={"input": [TEXT], "model": "voyage-4", "input_type": "document"},
        )
        if answer.status_code != 200:
            raise SystemExit(
                f"request {turn} of worker {number}: {answer.status_code} {answer.text}"
            )
        tokens += answer.json()["usage"]["total_tokens"]
    print(f"worker {number}: {REQUESTS} requests, {tokens:,} tokens")
    return tokens


async def main() -> None:
    """Run the workers concurrently, and print the totals."""
    begun = time.perf_counter()
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        httpx2.AsyncClient(base_url=URL, headers=headers, timeout=60) as http,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(work(number, http)) for number in range(WORKERS)]
    tokens = sum(task.result() for task in tasks)
    seconds = time.perf_counter() - begun
    print(f"total: {WORKERS * REQUESTS} requests, {tokens:,} tokens, {seconds:.1f} seconds")


if __name__ == "__main__":
    asyncio.run(main())
