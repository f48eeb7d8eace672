"""The official client's home of these names; see `voyageai.results`."""

from ..results import RerankingObject, RerankingResult

__all__ = ["RerankingObject", "RerankingResult"]
