"""The official client's name for `voyageai.results`."""

from ..results import (
    ContextualizedEmbeddingsObject,
    ContextualizedEmbeddingsResult,
    EmbeddingsObject,
    MultimodalEmbeddingsObject,
    RerankingObject,
    RerankingResult,
)

__all__ = [
    "ContextualizedEmbeddingsObject",
    "ContextualizedEmbeddingsResult",
    "EmbeddingsObject",
    "MultimodalEmbeddingsObject",
    "RerankingObject",
    "RerankingResult",
]
