from typing import Literal

BatchStatus = Literal[
    "cancelled", "cancelling", "completed", "failed", "finalizing", "in_progress", "validating"
]
"""Where a job stands. One that misses its window is completed with `batch_expired` lines in its
error file."""

BATCH_STATUS_VALUES: tuple[BatchStatus, ...] = (
    "cancelled",
    "cancelling",
    "completed",
    "failed",
    "finalizing",
    "in_progress",
    "validating",
)
