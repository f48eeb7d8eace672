"""The official client's low-level interface: endpoints as classes, responses as dictionaries."""

from ..compat.resources import (
    APIResource,
    ContextualizedEmbedding,
    Embedding,
    MultimodalEmbedding,
    Reranking,
)
from ..compat.response import VoyageHttpResponse, VoyageResponse

__all__ = [
    "APIResource",
    "ContextualizedEmbedding",
    "Embedding",
    "MultimodalEmbedding",
    "Reranking",
    "VoyageHttpResponse",
    "VoyageResponse",
]
