"""Jobs as the API shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voyageai_rest.models import Batch, BatchErrors, BatchMetadata, BatchRequestCounts

from ..store import as_datetime

if TYPE_CHECKING:
    import datetime

    from ..store import Job

__all__ = ["as_batch"]


def as_batch(job: Job) -> Batch:
    """A job as the API shows it."""
    errors = None
    if job.errors is not None:
        errors = BatchErrors.from_dict({"object": "list", "data": job.errors})
    return Batch(
        id=job.id,
        object="batch",
        endpoint=job.endpoint,
        errors=errors,
        input_file_id=job.input_file_id,
        completion_window=job.completion_window,
        model=job.model,
        status=job.status,
        output_file_id=job.output_file_id,
        error_file_id=job.error_file_id,
        request_counts=BatchRequestCounts(
            total=job.total, completed=job.completed, failed=job.failed
        ),
        metadata=None if job.metadata is None else BatchMetadata.from_dict(job.metadata),
        created_at=as_datetime(job.created_at),
        in_progress_at=_time(job.in_progress_at),
        finalizing_at=_time(job.finalizing_at),
        completed_at=_time(job.completed_at),
        failed_at=_time(job.failed_at),
        expected_completion_at=as_datetime(job.expected_completion_at),
        cancelling_at=_time(job.cancelling_at),
        cancelled_at=_time(job.cancelled_at),
    )


def _time(microseconds: int | None) -> datetime.datetime | None:
    return None if microseconds is None else as_datetime(microseconds)
