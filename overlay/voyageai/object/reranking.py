"""The official client's name for `voyageai.results`."""

from ..results import RerankingObject, RerankingResult

__all__ = ["RerankingObject", "RerankingResult"]
