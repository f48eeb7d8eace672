from __future__ import annotations

from typing import Any

from attrs import define

from ..types import JsonModel, Shape, plain, shape


@define(kw_only=True, repr=False)
class CreateModelKeyRequest(JsonModel):
    """A key to create.

    Attributes:
        name: Name of the key. It must be unique in the project.
        cloud: Cloud of the key; `ANY` means no specific cloud.
        geography: Geography of the key; `ANY` means no specific geography.

    Example:
        >>> value = CreateModelKeyRequest.from_dict(
        ...     {"name": "search in production", "cloud": "ANY", "geography": "ANY"}
        ... )
    """

    name: str
    cloud: str
    geography: str

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["name"] = self.name
        data["cloud"] = self.cloud
        data["geography"] = self.geography
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            None,
            name=plain("name", str),
            cloud=plain("cloud", str),
            geography=plain("geography", str),
        )
