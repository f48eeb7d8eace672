"""Embed the result of a Polars query of any size: its batches are the source of a table job.

    python polars_table.py notes.parquet vectors

After a crash, run it again: the query runs again, and only missing rows are sent.
"""

from __future__ import annotations

import sys

import polars as pl
import voyageai


def main(source: str, into: str) -> None:
    """Embed the column `body` of a file, and join the vectors with it."""
    query = pl.scan_parquet(source).select("id", "body").filter(pl.col("body") != "")
    with voyageai.Client(rate_limit=1) as vo:
        vo.tables.embed(
            (frame.to_arrow() for frame in query.collect_batches(maintain_order=True)),
            text="body",
            id="id",
            model="voyage-4",
            input_type="document",
            output_dimension=512,
            into=into,
        )
    vectors = pl.scan_parquet(f"{into}/*.parquet")
    print(pl.scan_parquet(source).join(vectors, on="id").select(pl.len()).collect())


if __name__ == "__main__":
    main(*sys.argv[1:])
