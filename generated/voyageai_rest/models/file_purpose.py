from typing import Literal

FilePurpose = Literal["batch", "batch-error", "batch-output"]
"""What a stored file is for."""

FILE_PURPOSE_VALUES: tuple[FilePurpose, ...] = ("batch", "batch-error", "batch-output")
