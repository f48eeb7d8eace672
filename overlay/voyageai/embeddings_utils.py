"""The official client's name for `voyageai.compat.embeddings_utils`."""

from .compat.embeddings_utils import (
    aget_embedding,
    aget_embeddings,
    get_embedding,
    get_embeddings,
)

__all__ = [
    "aget_embedding",
    "aget_embeddings",
    "get_embedding",
    "get_embeddings",
]
