from typing import Literal

BatchStatus = Literal[
    "cancelled", "cancelling", "completed", "failed", "finalizing", "in_progress", "validating"
]
"""Status of a job. A job that exceeds its completion window gets the status `completed`, and its
unfinished lines are in the error file with the code `batch_expired`."""

BATCH_STATUS_VALUES: tuple[BatchStatus, ...] = (
    "cancelled",
    "cancelling",
    "completed",
    "failed",
    "finalizing",
    "in_progress",
    "validating",
)
