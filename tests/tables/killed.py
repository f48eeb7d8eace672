"""A job whose processes are killed: `python -m tests.tables.killed KIND VIA URL SOURCE DIRECTORY`."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import voyageai
from voyageai.batches import JobTimings
from voyageai_emulator import Emulator

from tests.batch_limits import limit_batches

from .conftest import KEY, done, job_of, rows_of

ROOT = Path(__file__).parents[2]
ROWS, SLICE, CONCURRENCY, PER_QUERY, PER_BATCH = 1200, 150, 3, 10, 300
OPTIONS: dict[str, dict[str, Any]] = {
    "live": {"concurrency": CONCURRENCY},
    "batch": {"via": "batch", "poll": 0.02, "timings": JobTimings(settle_delay=0.3)},
}


def outlive(kind: str, via: str, emulator: Emulator, folder: Path, kills: int) -> Any:
    """Run a job whose process is killed, and check that its table has each row once.

    Args:
        kind: The client.
        via: `live` or `batch`.
        emulator: The server.
        folder: The directory of the job.
        kills: The number of kills. Batches do not end before the last kill, which happens
            while their answers are downloaded and joined.

    Returns:
        The rows.
    """
    rows = [
        {**row, "q": f"question {place // PER_QUERY}"} for place, row in enumerate(rows_of(ROWS))
    ]
    source, directory = folder / "a.parquet", folder / "v"
    pa.parquet.write_table(pa.Table.from_pylist(rows), source, row_group_size=400)
    emulator.latency = 0.03
    emulator.batches.hold("in_progress")
    step = 4 if via == "live" else 1
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    killed = 0
    while True:
        command = ["-m", "tests.tables.killed", kind, via, emulator, source, directory]
        with subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert "ready\n" == process.stdout.readline()
            begun = len(emulator.requests)
            if killed == kills - 1:
                emulator.batches.release()
            while killed < kills and process.poll() is None:
                if len(emulator.requests) - begun >= 1 + killed * step:
                    try:
                        process.wait(chance.uniform(0, 0.2))
                    except subprocess.TimeoutExpired:
                        process.kill()
                        killed += 1
                    break
            code = process.wait()
        if code == 0:
            break
        assert -9 == code
    emulator.requests.settle()
    table = pa.parquet.read_table(directory)
    assert kills == killed
    assert [row["id"] for row in rows] == table["id"].to_pylist()
    assert 0 == table["relevance_score"].null_count
    return rows


def work(kind: str, via: str, url: str, source: str, directory: str) -> None:
    """Run or resume the job."""
    print("ready", flush=True)
    client = getattr(voyageai, kind)(KEY, base_url=url)
    limit_batches(client, inputs=PER_BATCH)
    options: dict[str, Any] = {"method": "rerank", "columns": ("q", "body"), "model": "rerank-2.5"}
    job = job_of(client, source, Path(directory), slice_rows=SLICE, **options, **OPTIONS[via])
    done(job.run())


if __name__ == "__main__":
    work(*sys.argv[1:])
