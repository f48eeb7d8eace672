from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import JsonModel, Shape, as_str, shape


@define(kw_only=True, repr=False)
class BatchMetadata(JsonModel):
    """Up to 16 key-value pairs, chosen by the caller.

    Example:
        >>> value = BatchMetadata.from_dict({"corpus": "recipes"})
    """

    additional_properties: dict[str, str] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(as_str)
