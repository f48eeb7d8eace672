"""The official client's lower level: endpoints as classes, answers as dictionaries."""

from .resources import (
    APIResource,
    ContextualizedEmbedding,
    Embedding,
    MultimodalEmbedding,
    Reranking,
)
from .response import VoyageHttpResponse, VoyageResponse

__all__ = [
    "APIResource",
    "ContextualizedEmbedding",
    "Embedding",
    "MultimodalEmbedding",
    "Reranking",
    "VoyageHttpResponse",
    "VoyageResponse",
]
