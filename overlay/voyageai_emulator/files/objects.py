"""Files as the API shows them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from voyageai_rest.catalogue import BATCH
from voyageai_rest.models import FileObject

from ..responses import ApiError
from ..store import as_datetime, microseconds

if TYPE_CHECKING:
    from ..store import StoredFile

__all__ = ["RETENTION", "as_file_object", "no_file"]

RETENTION = microseconds(BATCH.file_retention_days * 86_400)
"""How long a file is kept, in microseconds."""


def as_file_object(file: StoredFile) -> FileObject:
    """A file as the API shows it."""
    return FileObject(
        id=file.id,
        object="file",
        bytes=file.bytes,
        created_at=as_datetime(file.created_at),
        expires_at=as_datetime(file.expires_at),
        filename=file.filename,
        purpose=file.purpose,
    )


def no_file(id: str) -> ApiError:
    """The refusal of what needs a file that is not there, or not the caller's."""
    return ApiError(f"File '{id}' not found.", HTTPStatus.NOT_FOUND)
