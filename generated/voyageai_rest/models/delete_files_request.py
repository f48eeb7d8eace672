from __future__ import annotations

from typing import Any, Self

from attrs import define

from ..types import Model, as_fields, as_str, list_of, nothing_left, required


@define(kw_only=True, repr=False)
class DeleteFilesRequest(Model):
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
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["file_ids"] = self.file_ids
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        model = cls(file_ids=required(data, "file_ids", list_of(as_str)))
        nothing_left(data)
        return model
