"""Embed a Parquet file with Daft on Ray; skip rows whose ids are in existing output files.

    python daft_skip_existing.py notes.parquet vectors

After a crash, run it again: only missing rows are sent. Rows have `id` and `body`.
"""

from __future__ import annotations

import sys

import daft
import ray
from daft.functions import embed_text
from voyageai.integrations.daft import VoyageProvider
from voyageai.integrations.ray import RateBudget
from voyageai.ratelimit import RateLimit

LIMIT = RateLimit(rpm=2000, tpm=8_000_000)  # your own
SIZE = 16 * 1024 * 1024  # bytes per file: a crash loses one file per writer


def main(source: str, into: str) -> None:
    """Embed the rows of a file that are not in a folder, and write them there."""
    ray.init(ignore_reinit_error=True)
    daft.set_runner_ray()
    daft.set_execution_config(parquet_target_filesize=SIZE)
    budget = RateBudget(LIMIT)  # an actor: keep this until the end
    frame = daft.read_parquet(source).skip_existing(
        into,
        key_column="id",
        file_format="parquet",
        num_workers=1,  # actors, which hold the existing ids in memory
        cpus_per_worker=0.5,
        ignore_corrupt_files=True,  # incomplete files
    )
    provider = VoyageProvider(input_type="document", rate_limit=budget)
    vectors = embed_text(
        daft.col("body"), provider=provider, model="voyage-4", dimensions=512, on_error="log"
    )
    frame.select("id", vectors.alias("embedding")).write_parquet(into, write_mode="append")


if __name__ == "__main__":
    main(*sys.argv[1:])
