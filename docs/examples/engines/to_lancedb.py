"""Load the table of a job into LanceDB, and search it.

python to_lancedb.py vectors base "Where are the keys?"
"""

from __future__ import annotations

import sys

import lancedb
import voyageai


def main(table: str, base: str, question: str) -> None:
    """Load a table batch by batch, and print the row nearest to a question."""
    rows = voyageai.tables.open(table).dataset()
    notes = lancedb.connect(base).create_table(
        "notes", rows.to_batches(), schema=rows.schema, mode="overwrite"
    )
    with voyageai.Client() as vo:
        query = vo.embed_query(question, model="voyage-4", output_dimension=512)
    print(notes.search(query.to_numpy()[0]).metric("cosine").limit(1).to_list()[0]["id"])


if __name__ == "__main__":
    main(*sys.argv[1:])
