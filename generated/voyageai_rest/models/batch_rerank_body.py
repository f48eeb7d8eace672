from __future__ import annotations

from typing import Any

from attrs import define

from ..types import JsonModel, Shape, as_str, list_of, parsed, plain, shape


@define(kw_only=True, repr=False)
class BatchRerankBody(JsonModel):
    """Fields that differ from line to line of a job for /v1/rerank.

    Attributes:
        query: The query.
        documents: The documents; empty ones are rejected.

    Example:
        >>> value = BatchRerankBody.from_dict(
        ...     {"query": "Where are the keys?", "documents": ["On the table.", "It is raining."]}
        ... )
    """

    query: str
    documents: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["query"] = self.query
        data["documents"] = self.documents
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            None, query=plain("query", str), documents=parsed("documents", list_of(as_str))
        )
