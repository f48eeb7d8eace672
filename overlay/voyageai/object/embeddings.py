"""The official client's name for `voyageai.results`."""

from ..results import EmbeddingsObject

__all__ = ["EmbeddingsObject"]
