from __future__ import annotations

from typing import Any, Self

from attrs import Factory, define

from ..types import UNSET, Model, Unset, as_fields, plain_or_unset


@define(kw_only=True, repr=False)
class BatchLineAnswer(Model):
    """The endpoint's answer to a line.

    Attributes:
        object: Always `list`.

    Example:
        >>> value = BatchLineAnswer.from_dict({"object": "list"})
    """

    object: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        if self.object is not UNSET:
            data["object"] = self.object
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        return cls(object=plain_or_unset(data, "object", str), additional_properties=data)
