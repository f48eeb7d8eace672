from typing import Literal

UploadPurpose = Literal["batch"]
"""Purpose of an uploaded file."""

UPLOAD_PURPOSE_VALUES: tuple[UploadPurpose, ...] = ("batch",)
