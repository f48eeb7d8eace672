from __future__ import annotations

from types import NoneType
from typing import Any

from attrs import define

from ..types import UNSET, JsonModel, Shape, Unset, optional, plain, shape


@define(kw_only=True, repr=False)
class BatchRerankParams(JsonModel):
    """Arguments of /v1/rerank that all lines of a job share.

    Attributes:
        model: Name of a reranker.
        top_k: Number of best results to return. The server's default is null.
        return_documents: Return the documents' texts with the scores. The server's default is
            false.
        truncation: Truncate a query or documents that are too long. The server's default is
            true.

    Example:
        >>> value = BatchRerankParams.from_dict({"model": "rerank-2.5", "top_k": 3})
    """

    model: str
    top_k: int | None | Unset = UNSET
    return_documents: bool | Unset = UNSET
    truncation: bool | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["model"] = self.model
        if self.top_k is not UNSET:
            data["top_k"] = self.top_k
        if self.return_documents is not UNSET:
            data["return_documents"] = self.return_documents
        if self.truncation is not UNSET:
            data["truncation"] = self.truncation
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            None,
            model=plain("model", str),
            top_k=optional(plain("top_k", int, NoneType)),
            return_documents=optional(plain("return_documents", bool)),
            truncation=optional(plain("truncation", bool)),
        )
