from typing import Literal

FilePurpose = Literal["batch", "batch-error", "batch-output"]
"""Purpose of a stored file."""

FILE_PURPOSE_VALUES: tuple[FilePurpose, ...] = ("batch", "batch-error", "batch-output")
