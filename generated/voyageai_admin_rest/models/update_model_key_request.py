from __future__ import annotations

from typing import Any

from attrs import define

from ..types import JsonModel, Shape, plain, shape


@define(kw_only=True, repr=False)
class UpdateModelKeyRequest(JsonModel):
    """The new name of a key.

    Attributes:
        name: New name of the key.

    Example:
        >>> value = UpdateModelKeyRequest.from_dict({"name": "search in production"})
    """

    name: str

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["name"] = self.name
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(None, name=plain("name", str))
