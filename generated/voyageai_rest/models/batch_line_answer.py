from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import UNSET, JsonModel, Shape, Unset, as_is, optional, plain, shape


@define(kw_only=True, repr=False)
class BatchLineAnswer(JsonModel):
    """Response body of the endpoint for one line.

    Attributes:
        object: Always `list`.

    Example:
        >>> value = BatchLineAnswer.from_dict({"object": "list"})
    """

    object: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        if self.object is not UNSET:
            data["object"] = self.object
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(as_is, object=optional(plain("object", str)))
