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
    from ..models.document_embeddings import DocumentEmbeddings
    from ..models.token_usage import TokenUsage


@define(kw_only=True, repr=False)
class ContextualizedEmbeddingsResponse(JsonModel):
    """Vectors of chunks, grouped by document.

    Attributes:
        data: One entry per document. Order them by `index`.
        usage: Billed usage of the request.
        object: Always `list`.
        model: Name of the model that produced the response.
        chunker_version: Version of the server's chunker. Only with auto-chunking.

    Example:
        >>> value = ContextualizedEmbeddingsResponse.from_dict(
        ...     {
        ...         "object": "list",
        ...         "data": [
        ...             {
        ...                 "object": "list",
        ...                 "data": [{"object": "embedding", "embedding": [0.6, 0.8], "index": 0}],
        ...                 "index": 0,
        ...             }
        ...         ],
        ...         "model": "voyage-context-4",
        ...         "usage": {"total_tokens": 5},
        ...     }
        ... )
    """

    data: list[DocumentEmbeddings]
    usage: TokenUsage
    object: str | Unset = UNSET
    model: str | Unset = UNSET
    chunker_version: str | Unset = UNSET
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
        if self.chunker_version is not UNSET:
            data["chunker_version"] = self.chunker_version
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.document_embeddings import DocumentEmbeddings
        from ..models.token_usage import TokenUsage

        return shape(
            as_is,
            data=parsed("data", list_of(DocumentEmbeddings.from_dict)),
            usage=parsed("usage", TokenUsage.from_dict),
            object=optional(plain("object", str)),
            model=optional(plain("model", str)),
            chunker_version=optional(plain("chunker_version", str)),
        )
