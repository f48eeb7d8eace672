"""Embed every line of a text file as a batch job, and save the vectors as a matrix.

    VOYAGE_API_KEY=... python batch_job.py texts.txt job --max-cost 5

If it is interrupted, by Ctrl-C or a power cut, run it again to continue. --retry sends failed lines
once more. It uses the API, or the host in VOYAGE_BASE_URL, such as an emulator.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import voyageai


def lines(path: Path) -> Iterator[str]:
    """Yield the non-empty lines of a file."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if text := line.strip():
                yield text


def main() -> None:
    """Print the estimate, run the job, print its failures and its cost, and save the vectors."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("texts", type=Path, help="a file with one text per line")
    parser.add_argument("directory", type=Path, help="job directory")
    parser.add_argument("--model", default="voyage-4")
    parser.add_argument("--max-cost", type=float, help="maximum cost in US dollars")
    parser.add_argument("--retry", action="store_true", help="send failed lines once more")
    given = parser.parse_args()

    with voyageai.Client() as vo:
        job = vo.batches.prepare_embed(
            lines(given.texts),
            model=given.model,
            input_type="document",
            directory=given.directory,
        )
        print(job.estimate)
        results = job.run(given.max_cost)
        if results.failures and given.retry:
            results = job.retry_failed(given.max_cost)

    for failure in results.failures[:10]:
        print(failure)
    cost = "an unknown sum" if results.cost is None else f"${results.cost:.4f}"
    print(f"{len(results) - len(results.failures)} of {len(results)} texts for {cost}")
    vectors = given.directory / "vectors.npy"
    np.save(vectors, results.to_numpy(fill=np.nan))
    print(vectors)


if __name__ == "__main__":
    main()
