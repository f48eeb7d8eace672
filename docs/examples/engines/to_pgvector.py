"""Load the table of a job into PostgreSQL with pgvector, and search it.

python to_pgvector.py vectors postgresql://localhost/notes "Where are the keys?"
"""

from __future__ import annotations

import sys

import psycopg
import voyageai
from pgvector.psycopg import register_vector


def main(table: str, base: str, question: str) -> None:
    """Copy a table batch by batch, and print the row nearest to a question."""
    rows = voyageai.tables.open(table).dataset()
    with psycopg.connect(base) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        register_vector(connection)
        connection.execute("CREATE TABLE notes (id bigint PRIMARY KEY, embedding vector(512))")
        copy = "COPY notes (id, embedding) FROM STDIN WITH (FORMAT BINARY)"
        with connection.cursor().copy(copy) as target:
            target.set_types(["int8", "vector"])
            for batch in rows.to_batches(columns=["id", "embedding"], batch_size=1000):
                ids = batch.column("id").to_pylist()
                vectors = batch.column("embedding").flatten().to_numpy().reshape(len(ids), -1)
                for row in zip(ids, vectors, strict=True):
                    target.write_row(row)
        with voyageai.Client() as vo:
            query = vo.embed_query(question, model="voyage-4", output_dimension=512)
        nearest = "SELECT id FROM notes ORDER BY embedding <=> %s LIMIT 1"
        print(*connection.execute(nearest, [query.to_numpy()[0]]).fetchone())


if __name__ == "__main__":
    main(*sys.argv[1:])
