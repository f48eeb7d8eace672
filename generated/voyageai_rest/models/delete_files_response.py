from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import (
    UNSET,
    JsonModel,
    Shape,
    Unset,
    as_is,
    as_str,
    list_of,
    optional,
    parsed,
    plain,
    shape,
)


@define(kw_only=True, repr=False)
class DeleteFilesResponse(JsonModel):
    """Result of deleting several files.

    Attributes:
        success: True if all files were deleted, false if none was.
        error_file_ids: Ids of the files that could not be deleted.

    Example:
        >>> value = DeleteFilesResponse.from_dict({"success": True})
    """

    success: bool
    error_file_ids: list[str] | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["success"] = self.success
        if self.error_file_ids is not UNSET:
            data["error_file_ids"] = self.error_file_ids
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            success=plain("success", bool),
            error_file_ids=optional(parsed("error_file_ids", list_of(as_str))),
        )
