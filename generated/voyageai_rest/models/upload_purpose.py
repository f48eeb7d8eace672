from typing import Literal

UploadPurpose = Literal["batch"]
"""What an uploaded file is for."""

UPLOAD_PURPOSE_VALUES: tuple[UploadPurpose, ...] = ("batch",)
