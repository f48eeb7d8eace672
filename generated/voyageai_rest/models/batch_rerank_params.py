from __future__ import annotations

from types import NoneType
from typing import Any, Self

from attrs import define

from ..types import UNSET, Model, Unset, as_fields, nothing_left, plain, plain_or_unset


@define(kw_only=True, repr=False)
class BatchRerankParams(Model):
    """Arguments of /v1/rerank that all lines of a job share.

    Attributes:
        model: Name of a reranker.
        top_k: How many of the best to return. The server's default is null.
        return_documents: Return the texts with the scores. The server's default is false.
        truncation: Cut query and documents that are too long. The server's default is true.

    Example:
        >>> value = BatchRerankParams.from_dict({"model": "rerank-2.5", "top_k": 3})
    """

    model: str
    top_k: int | None | Unset = UNSET
    return_documents: bool | Unset = UNSET
    truncation: bool | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
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
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        model = cls(
            model=plain(data, "model", str),
            top_k=plain_or_unset(data, "top_k", int, NoneType),
            return_documents=plain_or_unset(data, "return_documents", bool),
            truncation=plain_or_unset(data, "truncation", bool),
        )
        nothing_left(data)
        return model
