from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import UNSET, JsonModel, Shape, Unset, as_is, optional, plain, shape


@define(kw_only=True, repr=False)
class DeletedFile(JsonModel):
    """Confirmation that a file was deleted.

    Attributes:
        id: Id of the file.
        deleted: Whether the file was deleted.
        object: Always `file`.

    Example:
        >>> value = DeletedFile.from_dict(
        ...     {
        ...         "id": "file-7vT5tYiajeqrFpsqCT8fbxCp46vwf8R4Qwdh8",
        ...         "object": "file",
        ...         "deleted": True,
        ...     }
        ... )
    """

    id: str
    deleted: bool
    object: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["id"] = self.id
        data["deleted"] = self.deleted
        if self.object is not UNSET:
            data["object"] = self.object
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            id=plain("id", str),
            deleted=plain("deleted", bool),
            object=optional(plain("object", str)),
        )
