"""One client shared by many threads and tasks loses and leaks nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import voyageai
import voyageai_emulator

pytestmark = pytest.mark.smoke


@pytest.fixture
def emulator() -> Iterator[voyageai_emulator.Emulator]:
    """An emulator that only the test talks to."""
    with voyageai_emulator.running() as found:
        yield found


def test_a_client_shared_by_32_threads_loses_nothing(emulator):
    """Each thread gets its own responses, over as many connections as there are threads."""
    texts = [f"text number {number}" for number in range(640)]
    with voyageai.Client("k", base_url=emulator) as vo:
        expected = vo.embed(texts, model="voyage-4", output_dimension=256).embeddings

        def embed(text: str) -> list[float]:
            return vo.embed([text], model="voyage-4", output_dimension=256).embeddings[0]

        with ThreadPoolExecutor(32) as pool:
            found = list(pool.map(embed, texts))

    assert expected == found
    assert emulator.connections.accepted <= 33
    assert 0 == emulator.connections.settle()


def test_a_thousand_cancelled_tasks_leave_nothing_behind(emulator):
    """Their connections are closed, and calls that wait for one go on."""
    emulator.faults.always("delay", seconds=0.02)

    async def run() -> int:
        async with voyageai.AsyncClient("k", base_url=emulator) as vo:

            async def embed(number: int) -> int:
                result = await vo.embed(f"text {number}", model="voyage-4", output_dimension=256)
                return len(result)

            tasks = [asyncio.create_task(embed(number)) for number in range(1000)]
            survivors = [asyncio.create_task(embed(number)) for number in range(50)]
            await asyncio.sleep(0.03)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert {int, asyncio.CancelledError} >= {type(end) for end in ended}
            return sum(await asyncio.gather(*survivors))

    assert 50 == asyncio.run(run())
    assert 0 == emulator.connections.settle()
