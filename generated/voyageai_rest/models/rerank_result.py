from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import UNSET, JsonModel, Shape, Unset, as_is, optional, plain, shape


@define(kw_only=True, repr=False)
class RerankResult(JsonModel):
    """The relevance of one document.

    Attributes:
        index: Position of the document in the request, from 0.
        relevance_score: Relevance to the query; higher is better. All observed scores are
            between 0 and 1.
        document: Text of the document. Only with `return_documents`.

    Example:
        >>> value = RerankResult.from_dict({"index": 0, "relevance_score": 0.87})
    """

    index: int
    relevance_score: float
    document: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["index"] = self.index
        data["relevance_score"] = self.relevance_score
        if self.document is not UNSET:
            data["document"] = self.document
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            index=plain("index", int),
            relevance_score=plain("relevance_score", float, int),
            document=optional(plain("document", str)),
        )
