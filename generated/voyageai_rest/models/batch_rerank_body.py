from __future__ import annotations

from typing import Any, Self

from attrs import define

from ..types import Model, as_fields, as_str, list_of, nothing_left, plain, required


@define(kw_only=True, repr=False)
class BatchRerankBody(Model):
    """Fields that differ from line to line of a job for /v1/rerank.

    Attributes:
        query: The query.
        documents: The documents, none of them empty.

    Example:
        >>> value = BatchRerankBody.from_dict(
        ...     {"query": "Where are the keys?", "documents": ["On the table.", "It is raining."]}
        ... )
    """

    query: str
    documents: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["query"] = self.query
        data["documents"] = self.documents
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        model = cls(
            query=plain(data, "query", str), documents=required(data, "documents", list_of(as_str))
        )
        nothing_left(data)
        return model
