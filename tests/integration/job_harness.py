"""Run jobs with a client and an emulator in virtual time, which advances only in waits."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import voyageai
from voyageai.batches import Progress
from voyageai.flow import Environment
from voyageai.transport import AsyncTransport, Transport
from voyageai_emulator import Emulator

from tests.batch_limits import limit_batches

KEYS = count()
MODEL = "voyage-4"
ROLE: dict[str, Any] = {"model": MODEL, "input_type": "document", "output_dimension": 256}
START = datetime(2026, 1, 1, tzinfo=UTC)


class Site:
    """A sync or async client and an emulator, for tests of jobs.

    Jobs are split into batches of eight rows, so that small jobs have several batches.

    Whenever a job waits, the emulator does all the work that it can, and its clock advances.

    Attributes:
        key: An API key of this site, so that no other test sees its files and batches.
        waits: Seconds of each wait, in order.
        told: The progress events of the jobs.
        on_wait: Called after each wait of a job.
        on_now: Called whenever a job reads the clock, in the thread of the job.
    """

    def __init__(self, kind: str, emulator: Emulator) -> None:
        self.asynchronous = kind == "AsyncClient"
        self.emulator = emulator
        self.waits: list[float] = []
        self.told: list[Progress] = []
        self.on_wait: Callable[[], object] = lambda: None
        self.on_now: Callable[[], object] = lambda: None
        self._runner = asyncio.Runner()
        self._directories: list[Path] = []
        self.key = f"key-{next(KEYS)}"
        self.client = self.connect()
        self.plain = voyageai.Client(self.key, base_url=emulator)

    @property
    def now(self) -> datetime:
        """Return the virtual time in the form that a client expects."""
        return START + timedelta(seconds=sum(self.waits))

    def connect(self, http: Any = None, **settings: Any) -> Any:
        """Return a client in virtual time, with connections of its own or the given ones."""
        kind = voyageai.AsyncClient if self.asynchronous else voyageai.Client
        client: Any = kind(self.key, base_url=self.emulator, **settings)
        environment = Environment(random=lambda: 0.5, now=self.take_time)
        if self.asynchronous:
            client._transport = AsyncTransport(
                http=http, sleep=self.sleep_async, environment=environment
            )
        else:
            client._transport = Transport(http=http, sleep=self.sleep, environment=environment)
        limit_batches(client, inputs=8)
        return client

    def take_time(self) -> datetime:
        """Return the time as the clock of a job."""
        self.on_now()
        return self.now

    def sleep(self, seconds: float) -> None:
        """Advance the emulator's clock instead of waiting."""
        self.waits.append(seconds)
        self.emulator.batches.settle()
        self.emulator.clock.advance(seconds)
        self.emulator.batches.settle()
        self.on_wait()

    async def sleep_async(self, seconds: float) -> None:
        """Advance the clock asynchronously; actions meanwhile may block, and run in a thread."""
        await asyncio.to_thread(self.sleep, seconds)

    def get(self, value: Any) -> Any:
        """Return a result, awaited if necessary."""

        async def wait() -> Any:
            return await value

        return self._runner.run(wait()) if self.asynchronous else value

    def rows(self, results: Any) -> list[Any]:
        """Return the rows of results, read by `for` or `async for`."""

        async def gather() -> list[Any]:
            return [row async for row in results]

        return self._runner.run(gather()) if self.asynchronous else list(results)

    def embed(self, texts: Iterable[str], **options: Any) -> Any:
        """Return the result of `batches.embed`."""
        told = {"progress": self.told.append, "rows_per_line": 2}
        results = self.get(self.client.batches.embed(texts, **ROLE, **(told | options)))
        self._directories.append(results.directory)
        return results

    def job(self, texts: Iterable[str], **options: Any) -> Any:
        """Return the job of `batches.prepare_embed`."""
        told = {"progress": self.told.append, "rows_per_line": 2}
        job = self.get(self.client.batches.prepare_embed(texts, **ROLE, **(told | options)))
        self._directories.append(job.directory)
        return job

    def live(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of a live call."""
        return self.plain.embed(texts, **ROLE).embeddings

    def said(self, stage: str) -> str:
        """Return the messages of all progress events of a stage."""
        return "\n".join(progress.message for progress in self.told if progress.stage == stage)

    def answered(self, operation: str) -> int:
        """Count the requests to an operation that succeeded at the server."""
        self.emulator.requests.settle()
        return sum(request.status == 200 for request in self.emulator.requests.of(operation))

    @property
    def created(self) -> int:
        """Count the batches at the emulator."""
        return len(list(self.plain.batches.list()))

    @property
    def lines(self) -> int:
        """Count the lines that the emulator has run, over all batches."""
        return sum(batch.request_counts.total for batch in self.plain.batches.list())

    def close(self) -> None:
        """Close both clients, reset the emulator, and remove directories."""
        self.emulator.faults.clear()
        self.emulator.batches.stop_failing()
        self.emulator.batches.pace(0)
        self.emulator.batches.limit()
        self.emulator.batches.release()
        self.get(self.client.aclose()) if self.asynchronous else self.client.close()
        self.plain.close()
        self._runner.close()
        for directory in self._directories:  # a job keeps its temporary directory after a failure
            shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def sited(kind: str, emulator: Emulator) -> Iterator[Site]:
    """Yield a site at a shared emulator, and reset the emulator afterwards."""
    emulator.requests.clear()
    site = Site(kind, emulator)
    yield site
    site.close()


def texts(number: int) -> list[str]:
    """Return `number` different texts."""
    return [f"text {place} of {number}" for place in range(number)]


def older(directory: Path) -> None:
    """Rewrite the journal of a job in the format of an older release, without sums and digests."""
    journal = directory / "journal.jsonl"
    lines = []
    for line in journal.read_text("utf-8").splitlines():
        event = json.loads(line)
        for name in ("sum", "manifest", "digest", "size"):
            event.pop(name, None)
        lines.append(json.dumps(event) + "\n")
    journal.write_text("".join(lines), "utf-8")
    (directory / "lock").write_text("process 7\n")


async def slowly(values: Iterable[Any]) -> AsyncIterator[Any]:
    """Yield the values asynchronously."""
    for value in values:
        await asyncio.sleep(0)
        yield value
