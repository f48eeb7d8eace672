from __future__ import annotations

from typing import Any

from attrs import define

from ..types import JsonModel, Shape, as_str, list_of, parsed, shape


@define(kw_only=True, repr=False)
class DeleteFilesRequest(JsonModel):
    """Files to delete.

    Attributes:
        file_ids: Ids of the files.

    Example:
        >>> value = DeleteFilesRequest.from_dict(
        ...     {"file_ids": ["file-7vT5tYiajeqrFpsqCT8fbxCp46vwf8R4Qwdh8"]}
        ... )
    """

    file_ids: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["file_ids"] = self.file_ids
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(None, file_ids=parsed("file_ids", list_of(as_str)))
