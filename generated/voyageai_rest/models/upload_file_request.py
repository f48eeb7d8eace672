from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ..types import File, Model, Part, file_part, text_part

if TYPE_CHECKING:
    from ..models.upload_purpose import UploadPurpose


@define(kw_only=True, repr=False)
class UploadFileRequest(Model):
    """A file to store.

    Attributes:
        file: Content of the file, in JSON Lines. The file name ends in `.jsonl`.
        purpose: Purpose of an uploaded file.
    """

    file: File
    purpose: UploadPurpose

    def to_parts(self) -> list[Part]:
        """Return the parts of a multipart body."""
        parts: list[Part] = []
        parts.append(file_part("file", self.file))
        parts.append(text_part("purpose", self.purpose))
        return parts
