"""The official client's name for `voyageai.results`."""

from ..results import ContextualizedEmbeddingsObject, ContextualizedEmbeddingsResult

__all__ = ["ContextualizedEmbeddingsObject", "ContextualizedEmbeddingsResult"]
