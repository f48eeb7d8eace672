"""Embed a Parquet file with Spark.

    python spark_table.py notes.parquet vectors

Each task has a client, and an equal part of the rate limit: 1/N, if N tasks run concurrently.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession
from voyageai.ratelimit import RateLimit
from voyageai.tables import Embedder

LIMIT = RateLimit(rpm=2000, tpm=8_000_000)  # your own
TASKS = 2
COLUMNS = "id long, body string, embedding array<float>, error string"


def main(source: str, into: str) -> None:
    """Embed the column `body` of a file, and write all columns with the vectors into a folder."""
    embedder = Embedder(
        "body",
        model="voyage-4",
        input_type="document",
        output_dimension=512,
        on_error="column",
        rate_limit=LIMIT,
        share=1 / TASKS,
    )

    def embed(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in embedder.iterate(batches):
            place = batch.schema.get_field_index("embedding")  # Spark has no lists of fixed size
            vectors = batch.column(place).cast(pa.list_(pa.float32()))
            yield batch.set_column(place, "embedding", vectors)

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = SparkSession.builder.master(f"local[{TASKS}]").getOrCreate()
    rows = spark.read.parquet(source).repartition(TASKS)
    rows.mapInArrow(embed, COLUMNS).write.parquet(into)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
