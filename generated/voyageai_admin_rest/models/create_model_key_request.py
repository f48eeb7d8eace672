from __future__ import annotations

from typing import Any, Self

from attrs import define

from ..types import Model, as_fields, nothing_left, plain


@define(kw_only=True, repr=False)
class CreateModelKeyRequest(Model):
    """A key to create.

    Attributes:
        name: Its name, which no other key of the project has.
        cloud: The cloud it is for; `ANY` for none in particular.
        geography: The geography it is for; `ANY` for none in particular.

    Example:
        >>> value = CreateModelKeyRequest.from_dict(
        ...     {"name": "search in production", "cloud": "ANY", "geography": "ANY"}
        ... )
    """

    name: str
    cloud: str
    geography: str

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["name"] = self.name
        data["cloud"] = self.cloud
        data["geography"] = self.geography
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        model = cls(
            name=plain(data, "name", str),
            cloud=plain(data, "cloud", str),
            geography=plain(data, "geography", str),
        )
        nothing_left(data)
        return model
