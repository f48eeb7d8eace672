from __future__ import annotations

from typing import Any, Self

from attrs import Factory, define

from ..types import UNSET, Model, Unset, as_fields, plain_or_unset


@define(kw_only=True, repr=False)
class Link(Model):
    """An address of something related.

    Attributes:
        href: The address.
        rel: What it is, such as `self`, `next` or `previous`.

    Example:
        >>> value = Link.from_dict(
        ...     {
        ...         "href": "https://cloud.mongodb.com/api/atlas/v2/groups/65f0a1b2c3d4e5f6a7b8c9d0/aiModelApiKeys?pageNum=1",
        ...         "rel": "self",
        ...     }
        ... )
    """

    href: str | Unset = UNSET
    rel: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        if self.href is not UNSET:
            data["href"] = self.href
        if self.rel is not UNSET:
            data["rel"] = self.rel
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        return cls(
            href=plain_or_unset(data, "href", str),
            rel=plain_or_unset(data, "rel", str),
            additional_properties=data,
        )
