from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import JsonModel, Shape, as_is, plain, shape


@define(kw_only=True, repr=False)
class FieldViolation(JsonModel):
    """An invalid field.

    Attributes:
        field: Name of the field.
        description: What is wrong with the field.

    Example:
        >>> value = FieldViolation.from_dict({"field": "name", "description": "must not be empty"})
    """

    field: str
    description: str
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["field"] = self.field
        data["description"] = self.description
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(as_is, field=plain("field", str), description=plain("description", str))
