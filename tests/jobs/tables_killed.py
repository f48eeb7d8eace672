"""A table job for `test_tables`: `python -m tests.jobs.tables_killed METHOD KIND URL KEY SOURCE INTO AT`.

It kills itself before the job's AT-th operation on a file of its directory; an AT of 0 means
never.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
from itertools import count
from typing import Any

import attrs
import voyageai
from voyageai.tables.job import AsyncTableJob, TableJob
from voyageai.tables.options import embed_spec, rerank_spec
from voyageai.tables.preparing import prepare
from voyageai.tables.sources import source_of

CONCURRENCY, PER_REQUEST, SLICE = 4, 10, {"embed": 10, "rerank": 70}
OPTIONS: dict[str, Any] = {"input_type": "document", "output_dimension": 256}
FILES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir")


def die_at(number: int, directory: str) -> None:
    """Kill this process before the job's n-th operation on a file."""
    numbers = count(1)

    def look(event: str, arguments: Any) -> None:
        if event in FILES and directory in str(arguments[0]) and next(numbers) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


def work(method: str, kind: str, url: str, key: str, source: str, into: str, at: str) -> None:
    """Run or resume the job."""
    if method == "embed":
        spec = embed_spec(method, "body", "voyage-4", {"id": "id", **OPTIONS}, None)
    else:
        spec = rerank_spec(method, "query", "body", "rerank-2.5", {"id": "id"})
    spec = attrs.evolve(spec, slice_rows=SLICE[method])
    die_at(int(at), into)
    prepared = prepare(spec, source_of(source), into)
    client: Any = getattr(voyageai, kind)(key, base_url=url)
    make: Any = TableJob if kind == "Client" else AsyncTableJob
    result = make(
        client.tables.sender, prepared, {"concurrency": CONCURRENCY, "progress": False}
    ).run()
    if inspect.isawaitable(result):
        asyncio.run(_done(result))


async def _done(result: Any) -> None:
    await result


if __name__ == "__main__":
    work(*sys.argv[1:])
