from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import UNSET, JsonModel, Shape, Unset, as_is, optional, plain, shape


@define(kw_only=True, repr=False)
class Link(JsonModel):
    """A link to a related resource.

    Attributes:
        href: URL of the resource.
        rel: Relation to this resource, such as `self`, `next` or `previous`.

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
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        if self.href is not UNSET:
            data["href"] = self.href
        if self.rel is not UNSET:
            data["rel"] = self.rel
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(as_is, href=optional(plain("href", str)), rel=optional(plain("rel", str)))
