"""A job for `test_slices_and_resume`: `python -m tests.tables.killed KIND URL SOURCE DIRECTORY`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import voyageai

from .conftest import KEY, done, job_of

ROWS, SLICE, CONCURRENCY, PER_QUERY = 1200, 150, 3, 10
OPTIONS: dict[str, Any] = {
    "method": "rerank",
    "columns": ("q", "body"),
    "model": "rerank-2.5",
    "slice_rows": SLICE,
    "concurrency": CONCURRENCY,
}


def work(kind: str, url: str, source: str, directory: str) -> None:
    """Run the job, or what is left of it."""
    print("ready", flush=True)
    client = getattr(voyageai, kind)(KEY, base_url=url)
    done(job_of(client, source, Path(directory), **OPTIONS).run())


if __name__ == "__main__":
    work(*sys.argv[1:])
