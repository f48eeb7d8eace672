from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from attrs import Factory, define

from ..types import UNSET, Model, Unset, as_fields, list_of, optional, to_json

if TYPE_CHECKING:
    from ..models.field_violation import FieldViolation


@define(kw_only=True, repr=False)
class BadRequestDetail(Model):
    """The fields that are wrong.

    Attributes:
        fields: One item for each field.

    Example:
        >>> value = BadRequestDetail.from_dict(
        ...     {"fields": [{"field": "name", "description": "must not be empty"}]}
        ... )
    """

    fields: list[FieldViolation] | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        if self.fields is not UNSET:
            data["fields"] = to_json(self.fields)
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """
        from ..models.field_violation import FieldViolation

        data = as_fields(data)
        return cls(
            fields=optional(data, "fields", list_of(FieldViolation.from_dict)),
            additional_properties=data,
        )
