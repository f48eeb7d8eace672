"""The official client's name for `voyageai.compat.resources`."""

from ..compat.resources import (
    MultimodalEmbedding,
)

__all__ = [
    "MultimodalEmbedding",
]
