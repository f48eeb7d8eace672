"""Run a large job and measure its memory: `python -m tests.jobs.large URL DIRECTORY`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import voyageai

ROWS = 250_000
ARGUMENTS = {"model": "voyage-4", "input_type": "document"}
AT_ONCE = 1000


def text(row: int) -> str:
    """Return the text of a row."""
    return f"Record {row}: the river rose by {row % 977} centimetres in {row % 53} hours."


def peak() -> int:
    """Return the peak memory of this process in bytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def main(url: str, directory: str) -> None:
    """Run the job, read its rows, and compare its vectors with those of live calls."""
    begun = time.perf_counter()
    with voyageai.Client("emulator", base_url=url) as vo:
        found = {"start": peak()}
        job = vo.batches.prepare_embed(
            map(text, range(ROWS)), directory=directory, poll=0.5, **ARGUMENTS
        )
        results = job.run(max_cost=10)
        found |= {"run": peak(), "seconds": int(time.perf_counter() - begun)}
        order = [row.index for row in results if row.failure is None]
        found |= {"read": peak(), "rows": len(order), "ordered": order == list(range(ROWS))}
        del order
        matrix = results.to_numpy()
        equal = sum(
            bool(np.array_equal(matrix[first : first + AT_ONCE], live(vo, first)))
            for first in range(0, ROWS, AT_ONCE)
        )
        found |= {
            "matrix": peak(),
            "result": matrix.nbytes,
            "equal": equal * AT_ONCE,
            "batches": job.estimate.batches,
        }
    print(json.dumps(found))


def live(vo: voyageai.Client, first: int) -> object:
    """Return the vectors of some rows by a live call."""
    return vo.embed([text(row) for row in range(first, first + AT_ONCE)], **ARGUMENTS).to_numpy()


if __name__ == "__main__":
    main(*sys.argv[1:])
