from __future__ import annotations

from typing import Any, Self

from attrs import define

from ..types import Model, as_fields, nothing_left, plain


@define(kw_only=True, repr=False)
class UpdateModelKeyRequest(Model):
    """The new name of a key.

    Attributes:
        name: The name.

    Example:
        >>> value = UpdateModelKeyRequest.from_dict({"name": "search in production"})
    """

    name: str

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["name"] = self.name
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        model = cls(name=plain(data, "name", str))
        nothing_left(data)
        return model
