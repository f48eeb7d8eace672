from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from ..types import (
    UNSET,
    JsonModel,
    Shape,
    Unset,
    as_datetime,
    as_is,
    optional,
    parsed,
    plain,
    shape,
    to_json,
)

if TYPE_CHECKING:
    import datetime

    from ..models.file_purpose import FilePurpose


@define(kw_only=True, repr=False)
class FileObject(JsonModel):
    """A stored file.

    Attributes:
        id: Id of the file, `file-` and a random part.
        bytes: Size of the file in bytes.
        created_at: When the file was stored.
        filename: Name of the file.
        purpose: Purpose of the file. Unknown values are passed through.
        object: Always `file`.
        expires_at: When the file is deleted, 30 days later.

    Example:
        >>> value = FileObject.from_dict(
        ...     {
        ...         "id": "file-7vT5tYiajeqrFpsqCT8fbxCp46vwf8R4Qwdh8",
        ...         "object": "file",
        ...         "bytes": 1024,
        ...         "created_at": "2025-12-01T19:18:23.455349+00:00",
        ...         "expires_at": "2025-12-31T19:18:23.455349+00:00",
        ...         "filename": "texts.jsonl",
        ...         "purpose": "batch",
        ...     }
        ... )
    """

    id: str
    bytes: int
    created_at: datetime.datetime
    filename: str
    purpose: FilePurpose | str
    object: str | Unset = UNSET
    expires_at: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["id"] = self.id
        data["bytes"] = self.bytes
        data["created_at"] = to_json(self.created_at)
        data["filename"] = self.filename
        data["purpose"] = self.purpose
        if self.object is not UNSET:
            data["object"] = self.object
        if self.expires_at is not UNSET:
            data["expires_at"] = to_json(self.expires_at)
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            id=plain("id", str),
            bytes=plain("bytes", int),
            created_at=parsed("created_at", as_datetime),
            filename=plain("filename", str),
            purpose=plain("purpose", str),
            object=optional(plain("object", str)),
            expires_at=optional(parsed("expires_at", as_datetime)),
        )
