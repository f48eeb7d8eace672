"""Embed the result of a DuckDB query: its record batches are the source of a table job.

    python duckdb_table.py notes.parquet vectors

After a crash, run it again: the query runs again, and only missing rows are sent.
"""

from __future__ import annotations

import sys

import duckdb
import voyageai


def main(source: str, into: str) -> None:
    """Embed the column `body` of a file, and join the vectors with it."""
    base = duckdb.connect()
    notes = base.read_parquet(source)
    query = notes.query("notes", "SELECT id, body FROM notes WHERE body <> '' ORDER BY id")
    with voyageai.Client(rate_limit=1) as vo:
        vo.tables.embed(
            query.to_arrow_reader(10_000),
            text="body",
            id="id",
            model="voyage-4",
            input_type="document",
            output_dimension=512,
            into=into,
        )
    vectors = base.read_parquet(f"{into}/*.parquet")
    print(notes.set_alias("n").join(vectors.set_alias("v"), "id").count("*").fetchall())


if __name__ == "__main__":
    main(*sys.argv[1:])
