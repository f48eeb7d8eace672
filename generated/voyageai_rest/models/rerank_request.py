from __future__ import annotations

from types import NoneType
from typing import Any, Self

from attrs import define

from ..types import (
    UNSET,
    Model,
    Unset,
    as_fields,
    as_str,
    list_of,
    nothing_left,
    plain,
    plain_or_unset,
    required,
)


@define(kw_only=True, repr=False)
class RerankRequest(Model):
    """A query and the documents to rank by it.

    Attributes:
        query: The query. Models that follow instructions take them as part of it. The model
            limits its tokens.
        documents: The documents, none of them empty. The model limits the tokens of the query
            with one document, and of the query once per document with all documents.
        model: Name of a reranker.
        top_k: How many of the best to return; all without it, or when there are fewer. The
            server's default is null.
        return_documents: Return the texts with the scores. The server's default is false.
        truncation: Cut query and documents that are too long. If false they are an error. The
            server's default is true.

    Example:
        >>> value = RerankRequest.from_dict(
        ...     {
        ...         "query": "Where are the keys?",
        ...         "documents": ["On the table.", "It is raining."],
        ...         "model": "rerank-2.5",
        ...         "top_k": 1,
        ...     }
        ... )
    """

    query: str
    documents: list[str]
    model: str
    top_k: int | None | Unset = UNSET
    return_documents: bool | Unset = UNSET
    truncation: bool | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["query"] = self.query
        data["documents"] = self.documents
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
            query=plain(data, "query", str),
            documents=required(data, "documents", list_of(as_str)),
            model=plain(data, "model", str),
            top_k=plain_or_unset(data, "top_k", int, NoneType),
            return_documents=plain_or_unset(data, "return_documents", bool),
            truncation=plain_or_unset(data, "truncation", bool),
        )
        nothing_left(data)
        return model
