"""The official client's home of these names; see `voyageai.api_resources`."""

from .resources import MultimodalEmbedding

__all__ = ["MultimodalEmbedding"]
