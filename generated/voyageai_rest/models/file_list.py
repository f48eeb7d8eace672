from __future__ import annotations

from types import NoneType
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
    from ..models.file_object import FileObject


@define(kw_only=True, repr=False)
class FileList(JsonModel):
    """A page of files.

    Attributes:
        data: The files.
        object: Always `list`.
        first_id: Id of the first file of the page.
        last_id: Id of the last file of the page, for `after`.
        has_more: Whether there is another page.

    Example:
        >>> value = FileList.from_dict(
        ...     {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
        ... )
    """

    data: list[FileObject]
    object: str | Unset = UNSET
    first_id: None | str | Unset = UNSET
    last_id: None | str | Unset = UNSET
    has_more: bool | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
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
    def _shape(cls) -> Shape:
        from ..models.file_object import FileObject

        return shape(
            as_is,
            data=parsed("data", list_of(FileObject.from_dict)),
            object=optional(plain("object", str)),
            first_id=optional(plain("first_id", str, NoneType)),
            last_id=optional(plain("last_id", str, NoneType)),
            has_more=optional(plain("has_more", bool)),
        )
