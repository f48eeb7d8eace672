"""Tables of any size: rows from Parquet, CSV, data frames and the like, with vectors, to Parquet.

result = vo.tables.embed("in/*.parquet", text="body", id="doc_id", model="voyage-4", into="v")
voyageai.tables.open("v").search(vo.embed_query("Where are the keys?", model="voyage-4"))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .dataset import VectorTable, open_table
    from .embedder import AsyncEmbedder, Embedder
    from .estimate import TableEstimate
    from .job import AsyncTableJob, TableJob, TableResult
    from .options import (
        ContextualizedEmbedTableOptions,
        EmbedTableOptions,
        RerankTableOptions,
        TableOptions,
    )
    from .resource import Tables
    from .resource_async import AsyncTables
    from .schedule import RowError
    from .slices import Failure

    open = open_table  # public, though not in __all__

_LAZY = {
    "AsyncEmbedder": ".embedder",
    "AsyncTables": ".resource_async",
    "Embedder": ".embedder",
    "AsyncTableJob": ".job",
    "ContextualizedEmbedTableOptions": ".options",
    "EmbedTableOptions": ".options",
    "Failure": ".slices",
    "RerankTableOptions": ".options",
    "RowError": ".schedule",
    "TableEstimate": ".estimate",
    "TableJob": ".job",
    "TableOptions": ".options",
    "TableResult": ".job",
    "Tables": ".resource",
    "VectorTable": ".dataset",
}

# Without `open`, which would shadow the builtin after `import *`.
__all__ = [
    "AsyncEmbedder",
    "AsyncTableJob",
    "AsyncTables",
    "ContextualizedEmbedTableOptions",
    "EmbedTableOptions",
    "Embedder",
    "Failure",
    "RerankTableOptions",
    "RowError",
    "TableEstimate",
    "TableJob",
    "TableOptions",
    "TableResult",
    "Tables",
    "VectorTable",
]


def __getattr__(name: str) -> object:
    if name == "open":
        return importlib.import_module(".dataset", __name__).open_table
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name], __name__), name)
