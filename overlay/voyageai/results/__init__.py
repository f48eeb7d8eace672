"""Results of calls, with the names of the official client."""

from .contextualized import ContextualizedEmbeddingsObject, ContextualizedEmbeddingsResult
from .embeddings import EmbeddingsObject, MultimodalEmbeddingsObject
from .raw import RawResponse
from .reranking import RerankingObject, RerankingResult
from .result import Result
from .vectored import EmbeddingSpaceWarning

__all__ = [
    "ContextualizedEmbeddingsObject",
    "ContextualizedEmbeddingsResult",
    "EmbeddingSpaceWarning",
    "EmbeddingsObject",
    "MultimodalEmbeddingsObject",
    "RawResponse",
    "RerankingObject",
    "RerankingResult",
    "Result",
]
