"""Embed a Parquet file with Daft. After a crash, run it again: only missing rows are sent.

    python daft_table.py notes.parquet vectors          # on this machine
    python daft_table.py notes.parquet vectors --ray    # on a Ray cluster, with one limit for all

Rows have `id` and `body`. The key and the host come from the environment.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import daft
import pyarrow as pa
import pyarrow.parquet as pq
from daft.functions import embed_text
from voyageai.integrations.daft import VoyageProvider
from voyageai.ratelimit import RateLimit

LIMIT = RateLimit(rpm=2000, tpm=8_000_000)  # your own
SIZE = 16 * 1024 * 1024  # bytes per file: a crash loses one file per writer


def finished(folder: Path) -> list[str]:
    """Return the complete files, and remove incomplete ones."""
    found: list[str] = []
    for path in sorted(folder.rglob("*.parquet")):
        try:
            pq.read_metadata(path)  # the metadata is at the end of the file
        except pa.ArrowInvalid:
            path.unlink()
        else:
            found.append(str(path))
    return found


def main(source: str, into: str, size: int, *, on_ray: bool) -> None:
    """Embed the rows of a file that are not in a folder, and write them there."""
    limit = LIMIT
    if on_ray:
        import ray
        from voyageai.integrations.ray import RateBudget

        ray.init(ignore_reinit_error=True)
        daft.set_runner_ray()
        limit = RateBudget(LIMIT)
    daft.set_execution_config(parquet_target_filesize=size)
    frame = daft.read_parquet(source)
    if done := finished(Path(into)):
        frame = frame.join(daft.read_parquet(done).select("id"), on="id", how="anti")
    provider = VoyageProvider(input_type="document", rate_limit=limit)
    vectors = embed_text(
        daft.col("body"), provider=provider, model="voyage-4", dimensions=512, on_error="log"
    )
    frame.select("id", vectors.alias("embedding")).write_parquet(into, write_mode="append")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("into")
    parser.add_argument("--size", type=int, default=SIZE, help="approximate bytes per file")
    parser.add_argument("--ray", action="store_true")
    asked = parser.parse_args()
    main(asked.source, asked.into, asked.size, on_ray=asked.ray)
