"""The official client's home of these names; see `voyageai.results`."""

from ..results import EmbeddingsObject

__all__ = ["EmbeddingsObject"]
