"""Load the table of a job into MongoDB, for Atlas Vector Search.

    python to_mongodb.py vectors mongodb://localhost/notes

Vectors are stored as BSON binary, which is smaller than a list. The search index is created in
Atlas. The documents were checked, but never written to a server, as no package of PyPI, npm or
Debian contains one (`pymongo-inmemory` and `mongodb-memory-server` download it from elsewhere).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import voyageai
from bson.binary import Binary, BinaryVectorDtype
from pymongo import MongoClient, ReplaceOne


def writes(table: str) -> Iterator[list[ReplaceOne[Any]]]:
    """Yield lists of a thousand upserts, one per document, by id."""
    rows = voyageai.tables.open(table).dataset()
    for batch in rows.to_batches(columns=["id", "embedding"], batch_size=1000):
        ids = batch.column("id").to_pylist()
        vectors = batch.column("embedding").flatten().to_numpy().reshape(len(ids), -1)
        yield [
            ReplaceOne(
                {"_id": id_},
                {
                    "_id": id_,
                    "embedding": Binary.from_vector(vector.tolist(), BinaryVectorDtype.FLOAT32),
                },
                upsert=True,  # so that the program can be run again after a crash
            )
            for id_, vector in zip(ids, vectors, strict=True)
        ]


def main(table: str, base: str) -> None:
    """Write the documents of a table."""
    with MongoClient(base) as client:
        notes = client.get_default_database()["notes"]
        for documents in writes(table):
            notes.bulk_write(documents, ordered=False)
        print(notes.count_documents({}))


if __name__ == "__main__":
    main(*sys.argv[1:])
