"""The official client's name for `voyageai.compat.resources`."""

from ..compat.resources import (
    Embedding,
)

__all__ = [
    "Embedding",
]
