"""The official client's name for `voyageai.compat.resources`."""

from ..compat.resources import (
    ContextualizedEmbedding,
)

__all__ = [
    "ContextualizedEmbedding",
]
