from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from ..types import UNSET, JsonModel, Shape, Unset, as_is, list_of, optional, parsed, shape, to_json

if TYPE_CHECKING:
    from ..models.field_violation import FieldViolation


@define(kw_only=True, repr=False)
class BadRequestDetail(JsonModel):
    """The invalid fields of a request.

    Attributes:
        fields: One entry per invalid field.

    Example:
        >>> value = BadRequestDetail.from_dict(
        ...     {"fields": [{"field": "name", "description": "must not be empty"}]}
        ... )
    """

    fields: list[FieldViolation] | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        if self.fields is not UNSET:
            data["fields"] = to_json(self.fields)
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.field_violation import FieldViolation

        return shape(as_is, fields=optional(parsed("fields", list_of(FieldViolation.from_dict))))
