from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from attrs import Factory, define

from ..types import UNSET, Model, Unset, as_fields, list_of, plain_or_unset, required, to_json

if TYPE_CHECKING:
    from ..models.document_embeddings import DocumentEmbeddings
    from ..models.token_usage import TokenUsage


@define(kw_only=True, repr=False)
class ContextualizedEmbeddingsResponse(Model):
    """Vectors of chunks, grouped by document.

    Attributes:
        data: One entry per document. Place them by `index`.
        usage: Billed use of the request.
        object: Always `list`.
        model: The model that answered.
        chunker_version: Version of the server's chunker; only with auto-chunking.

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
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
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
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """
        from ..models.document_embeddings import DocumentEmbeddings
        from ..models.token_usage import TokenUsage

        data = as_fields(data)
        return cls(
            data=required(data, "data", list_of(DocumentEmbeddings.from_dict)),
            usage=required(data, "usage", TokenUsage.from_dict),
            object=plain_or_unset(data, "object", str),
            model=plain_or_unset(data, "model", str),
            chunker_version=plain_or_unset(data, "chunker_version", str),
            additional_properties=data,
        )
