"""Embed Parquet files with Daft on Ray; Daft records in checkpoints which rows are written.

    python daft_checkpoints.py "notes/*.parquet" vectors checkpoints

After a crash, run it again: only missing rows are sent. Rows have `id` and `body`. The folders must
be on a disk that all machines of the cluster share.
"""

from __future__ import annotations

import sys
from pathlib import Path

import daft
import pyarrow as pa
import ray
from daft.functions import embed_text
from voyageai.integrations.daft import VoyageProvider
from voyageai.integrations.ray import RateBudget
from voyageai.ratelimit import RateLimit

LIMIT = RateLimit(rpm=2000, tpm=8_000_000)  # your own


def remove_strays(into: Path, store: daft.CheckpointStore) -> None:
    """Remove the files of unfinished tasks, whose rows will be written again."""
    recorded = {
        Path(name).name
        for file in store.get_checkpointed_files()
        for name in pa.ipc.open_stream(file.data).read_all()["path"].to_pylist()
    }
    for path in into.glob("*.parquet"):
        if path.name not in recorded:
            path.unlink()


def main(source: str, into: str, checkpoints: str) -> None:
    """Embed the rows that are not recorded as done, and write them into a folder."""
    ray.init(ignore_reinit_error=True)
    daft.set_runner_ray()
    budget = RateBudget(LIMIT)  # an actor: keep this until the end
    store = daft.CheckpointStore(Path(checkpoints).resolve().as_uri())
    remove_strays(Path(into), store)
    settings = daft.KeyFilteringSettings(num_workers=1, cpus_per_worker=0.5)
    frame = daft.read_parquet(source, checkpoint=daft.CheckpointConfig(store, "id", settings))
    provider = VoyageProvider(input_type="document", rate_limit=budget)
    vectors = embed_text(
        daft.col("body"), provider=provider, model="voyage-4", dimensions=512, on_error="log"
    )
    frame.select("id", vectors.alias("embedding")).write_parquet(into, write_mode="append")


if __name__ == "__main__":
    main(*sys.argv[1:])
