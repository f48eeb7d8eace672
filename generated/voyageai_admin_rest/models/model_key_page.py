from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from ..types import (
    UNSET,
    JsonModel,
    Shape,
    Unset,
    as_is,
    list_of,
    optional,
    parsed,
    plain,
    shape,
    to_json,
)

if TYPE_CHECKING:
    from ..models.link import Link
    from ..models.model_key import ModelKey


@define(kw_only=True, repr=False)
class ModelKeyPage(JsonModel):
    """A page of keys.

    Attributes:
        results: The keys.
        links: Links to this page and to adjacent pages.
        total_count: Estimated number of keys on all pages.

    Example:
        >>> value = ModelKeyPage.from_dict(
        ...     {
        ...         "results": [
        ...             {"apiKeyId": "a86r5kwrfsk5r5ku5tgvhmpj", "name": "search in production"}
        ...         ],
        ...         "totalCount": 1,
        ...     }
        ... )
    """

    results: list[ModelKey]
    links: list[Link] | Unset = UNSET
    total_count: int | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["results"] = to_json(self.results)
        if self.links is not UNSET:
            data["links"] = to_json(self.links)
        if self.total_count is not UNSET:
            data["totalCount"] = self.total_count
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.link import Link
        from ..models.model_key import ModelKey

        return shape(
            as_is,
            results=parsed("results", list_of(ModelKey.from_dict)),
            links=optional(parsed("links", list_of(Link.from_dict))),
            total_count=optional(plain("totalCount", int)),
        )
