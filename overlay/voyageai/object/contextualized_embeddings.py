"""The official client's home of these names; see `voyageai.results`."""

from ..results import ContextualizedEmbeddingsObject, ContextualizedEmbeddingsResult

__all__ = ["ContextualizedEmbeddingsObject", "ContextualizedEmbeddingsResult"]
