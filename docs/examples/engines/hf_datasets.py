"""Embed a dataset of the library `datasets` in two processes, each with half of the rate limit.

python hf_datasets.py notes.parquet vectors
"""

from __future__ import annotations

import sys

from datasets import load_dataset
from voyageai.ratelimit import RateLimit
from voyageai.tables import Embedder

LIMIT = RateLimit(rpm=2000, tpm=8_000_000)  # your own
PROCESSES = 2


def main(source: str, into: str) -> None:
    """Embed the column `body` of a file, and save all columns with the vectors."""
    embedder = Embedder(
        "body",
        model="voyage-4",
        input_type="document",
        output_dimension=512,
        on_error="column",
        rate_limit=LIMIT,
        share=1 / PROCESSES,
    )
    rows = load_dataset("parquet", data_files=source, split="train").with_format("arrow")
    rows.map(embedder, batched=True, batch_size=1000, num_proc=PROCESSES).save_to_disk(into)


if __name__ == "__main__":
    main(*sys.argv[1:])
