"""The official client's home of these names; see `voyageai.results`."""

from ..results import MultimodalEmbeddingsObject

__all__ = ["MultimodalEmbeddingsObject"]
