from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import UNSET, JsonModel, Shape, Unset, as_is, optional, plain, shape


@define(kw_only=True, repr=False)
class Embedding(JsonModel):
    """The vector of one input.

    Attributes:
        embedding: A list of numbers or, if the request has `encoding_format` base64, a base64
            string. The number of elements is the dimension, or an eighth of it for `binary` and
            `ubinary`.
        index: Position of the input in the request, from 0.
        object: Always `embedding`.

    Example:
        >>> value = Embedding.from_dict(
        ...     {"object": "embedding", "embedding": [0.6, 0.8], "index": 0}
        ... )
    """

    embedding: list[float] | str
    index: int
    object: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["embedding"] = self.embedding
        data["index"] = self.index
        if self.object is not UNSET:
            data["object"] = self.object
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            embedding=plain("embedding", str, list),
            index=plain("index", int),
            object=optional(plain("object", str)),
        )
