from __future__ import annotations

from typing import Any, Self

from attrs import Factory, define

from ..types import Model, all_of, as_fields, as_str


@define(kw_only=True, repr=False)
class BatchMetadata(Model):
    """Up to 16 pairs of the caller's own.

    Example:
        >>> value = BatchMetadata.from_dict({"corpus": "recipes"})
    """

    additional_properties: dict[str, str] = Factory(dict[str, Any])
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        return cls(additional_properties=all_of(data, as_str))
