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
    from ..models.chunk_embedding import ChunkEmbedding


@define(kw_only=True, repr=False)
class DocumentEmbeddings(JsonModel):
    """The vectors of the chunks of one document.

    Attributes:
        data: One entry per chunk. Order them by `index`.
        index: Position of the document in the request, from 0.
        object: Always `list`.

    Example:
        >>> value = DocumentEmbeddings.from_dict(
        ...     {
        ...         "object": "list",
        ...         "data": [{"object": "embedding", "embedding": [0.6, 0.8], "index": 0}],
        ...         "index": 0,
        ...     }
        ... )
    """

    data: list[ChunkEmbedding]
    index: int
    object: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["data"] = to_json(self.data)
        data["index"] = self.index
        if self.object is not UNSET:
            data["object"] = self.object
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.chunk_embedding import ChunkEmbedding

        return shape(
            as_is,
            data=parsed("data", list_of(ChunkEmbedding.from_dict)),
            index=plain("index", int),
            object=optional(plain("object", str)),
        )
