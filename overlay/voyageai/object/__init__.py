"""The official client's home of results; see `voyageai.results`."""

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
