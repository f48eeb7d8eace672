"""The official client's name for `voyageai.compat.resources`."""

from ..compat.resources import (
    Reranking,
)

__all__ = [
    "Reranking",
]
