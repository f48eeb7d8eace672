from __future__ import annotations

from types import NoneType
from typing import Any

from attrs import define

from ..types import UNSET, JsonModel, Shape, Unset, as_str, list_of, optional, parsed, plain, shape


@define(kw_only=True, repr=False)
class RerankRequest(JsonModel):
    """A query, and the documents to rank by their relevance to it.

    Attributes:
        query: The query. For models that follow instructions, it includes the instructions. The
            model limits the number of tokens.
        documents: The documents; empty ones are rejected. The model limits the tokens of the
            query plus any one document, and the total for all documents, where the query counts
            once per document.
        model: Name of a reranker.
        top_k: Number of best results to return. All if unset or larger than the number of
            documents. The server's default is null.
        return_documents: Return the documents' texts with the scores. The server's default is
            false.
        truncation: Truncate a query or documents that are too long. If false, they are an
            error. The server's default is true.

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
        """Return the model as a JSON object, without the fields that are not set."""
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
    def _shape(cls) -> Shape:
        return shape(
            None,
            query=plain("query", str),
            documents=parsed("documents", list_of(as_str)),
            model=plain("model", str),
            top_k=optional(plain("top_k", int, NoneType)),
            return_documents=optional(plain("return_documents", bool)),
            truncation=optional(plain("truncation", bool)),
        )
