from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from ..types import (
    UNSET,
    JsonModel,
    Shape,
    Unset,
    as_is,
    list_of,
    optional,
    parsed,
    plain,
    shape,
    to_json,
)

if TYPE_CHECKING:
    from ..models.rerank_result import RerankResult
    from ..models.token_usage import TokenUsage


@define(kw_only=True, repr=False)
class RerankResponse(JsonModel):
    """Relevance scores of documents, in descending order.

    Attributes:
        data: One entry per document, or `top_k` entries, best first.
        usage: Billed usage of the request.
        object: Always `list`.
        model: Name of the model that produced the response.

    Example:
        >>> value = RerankResponse.from_dict(
        ...     {
        ...         "object": "list",
        ...         "data": [{"index": 0, "relevance_score": 0.87}],
        ...         "model": "rerank-2.5",
        ...         "usage": {"total_tokens": 12},
        ...     }
        ... )
    """

    data: list[RerankResult]
    usage: TokenUsage
    object: str | Unset = UNSET
    model: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["data"] = to_json(self.data)
        data["usage"] = self.usage.to_dict()
        if self.object is not UNSET:
            data["object"] = self.object
        if self.model is not UNSET:
            data["model"] = self.model
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.rerank_result import RerankResult
        from ..models.token_usage import TokenUsage

        return shape(
            as_is,
            data=parsed("data", list_of(RerankResult.from_dict)),
            usage=parsed("usage", TokenUsage.from_dict),
            object=optional(plain("object", str)),
            model=optional(plain("model", str)),
        )
