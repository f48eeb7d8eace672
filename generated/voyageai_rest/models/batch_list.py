from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, Self

from attrs import Factory, define

from ..types import UNSET, Model, Unset, as_fields, list_of, plain_or_unset, required, to_json

if TYPE_CHECKING:
    from ..models.batch import Batch


@define(kw_only=True, repr=False)
class BatchList(Model):
    """A page of jobs.

    Attributes:
        data: The jobs.
        object: Always `list`.
        first_id: Id of the first job of the page.
        last_id: Id of the last job of the page, for `after`.
        has_more: Whether there are more pages.

    Example:
        >>> value = BatchList.from_dict(
        ...     {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
        ... )
    """

    data: list[Batch]
    object: str | Unset = UNSET
    first_id: None | str | Unset = UNSET
    last_id: None | str | Unset = UNSET
    has_more: bool | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["data"] = to_json(self.data)
        if self.object is not UNSET:
            data["object"] = self.object
        if self.first_id is not UNSET:
            data["first_id"] = self.first_id
        if self.last_id is not UNSET:
            data["last_id"] = self.last_id
        if self.has_more is not UNSET:
            data["has_more"] = self.has_more
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """
        from ..models.batch import Batch

        data = as_fields(data)
        return cls(
            data=required(data, "data", list_of(Batch.from_dict)),
            object=plain_or_unset(data, "object", str),
            first_id=plain_or_unset(data, "first_id", str, NoneType),
            last_id=plain_or_unset(data, "last_id", str, NoneType),
            has_more=plain_or_unset(data, "has_more", bool),
            additional_properties=data,
        )
