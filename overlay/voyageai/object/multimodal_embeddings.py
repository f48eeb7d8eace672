"""The official client's name for `voyageai.results`."""

from ..results import MultimodalEmbeddingsObject

__all__ = ["MultimodalEmbeddingsObject"]
