"""Embed a Parquet file with Ray Data; all workers share one rate limit.

python ray_data.py notes.parquet vectors
"""

from __future__ import annotations

import sys

import ray
from voyageai.integrations.ray import RateBudget
from voyageai.ratelimit import RateLimit
from voyageai.tables import Embedder

LIMIT = RateLimit(rpm=2000, tpm=8_000_000)  # your own


def main(source: str, into: str) -> None:
    """Embed the column `body` of a file, and write all columns with the vectors into a folder."""
    ray.init(ignore_reinit_error=True)
    budget = RateBudget(LIMIT)  # an actor: keep this until the end
    embedder = Embedder(
        "body",
        model="voyage-4",
        input_type="document",
        output_dimension=512,
        on_error="column",
        rate_limit=budget,
    )
    rows = ray.data.read_parquet(source).map_batches(
        embedder,
        batch_size=1000,
        batch_format="pyarrow",
        num_cpus=0.25,  # it waits for the network most of the time
    )
    rows.write_parquet(into)


if __name__ == "__main__":
    main(*sys.argv[1:])
