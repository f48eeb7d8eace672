"""Public objects: batch jobs, their counts and their errors."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import field, frozen
from voyageai_rest import models
from voyageai_rest.errors import printable

from .._utils import safe_repr
from ..files.objects import aware, or_none
from ..html import card, table

if TYPE_CHECKING:
    from voyageai_rest.models import BatchEndpoint, BatchStatus

DONE: tuple[BatchStatus, ...] = ("completed", "failed", "cancelled")
"""Final statuses."""


@frozen
class RequestCounts:
    """Counts of a batch job's lines.

    Attributes:
        total: Number of all lines.
        completed: Number of lines with a response.
        failed: Number of lines that failed.
    """

    total: int = 0
    completed: int = 0
    failed: int = 0


@frozen(kw_only=True)
class BatchError:
    """A reason why the input file of a batch job was refused: an object of the API, no exception.

    Attributes:
        code: The kind of error; newer ones may be added.
        message: The reason as text.
        line: Number of the line at fault, from 1; None if no single line is.
        param: The argument at fault; None if no argument is.
    """

    code: str
    message: str
    line: int | None
    param: str | None


@frozen(kw_only=True, repr=False)
class Batch:
    """A batch job. Times have a time zone, and are None until they are reached.

    Attributes:
        id: Id of the job.
        endpoint: The endpoint of the lines.
        model: The model; None if the server does not report it.
        input_file_id: Id of the file with the lines.
        output_file_id: Id of the file with the responses; None until there is one.
        error_file_id: Id of the file with the failed lines; None if there is none.
        status: The status: `validating`, `in_progress`, `finalizing`, `completed`, `cancelling`,
            `cancelled`, `failed`, or a newer one.
        request_counts: Counts of the lines.
        errors: Reasons why the job failed.
        metadata: The pairs that the job was created with.
        completion_window: Time within which the job is done; lines left over expire.
        created_at: Time of creation.
        in_progress_at: Time at which the lines began to run.
        finalizing_at: Time at which the output files began to be written.
        completed_at: Time of completion.
        failed_at: Time of failure.
        cancelling_at: Time at which the cancellation was requested.
        cancelled_at: Time at which the job was cancelled.
        expected_completion_at: End of the completion window.
        request_id: The server's id of the request that returned it; None for jobs of a list.

    Example:
        >>> file = vo.files.upload([{"custom_id": "a", "body": {"input": ["Rain."]}}])
        >>> batch = vo.batches.create("/v1/embeddings", file.id, {"model": "voyage-4"})
        >>> batch.model, batch.is_done, batch.created_at.tzinfo is not None
        ('voyage-4', False, True)
    """

    id: str
    endpoint: BatchEndpoint | str
    model: str | None
    input_file_id: str
    output_file_id: str | None
    error_file_id: str | None
    status: BatchStatus | str
    request_counts: RequestCounts
    errors: tuple[BatchError, ...]
    metadata: Mapping[str, str]
    completion_window: str | None
    created_at: datetime.datetime
    in_progress_at: datetime.datetime | None
    finalizing_at: datetime.datetime | None
    completed_at: datetime.datetime | None
    failed_at: datetime.datetime | None
    cancelling_at: datetime.datetime | None
    cancelled_at: datetime.datetime | None
    expected_completion_at: datetime.datetime | None
    request_id: str | None = field(default=None, eq=False)
    _source: models.Batch = field(eq=False, alias="source")

    @classmethod
    def of(cls, source: models.Batch, request_id: str | None = None) -> Self:
        """Return the job that a response describes."""
        counts = or_none(source.request_counts)
        errors = or_none(source.errors)
        metadata = or_none(source.metadata)
        return cls(
            id=source.id,
            endpoint=source.endpoint,
            model=or_none(source.model),
            input_file_id=source.input_file_id,
            output_file_id=or_none(source.output_file_id),
            error_file_id=or_none(source.error_file_id),
            status=source.status,
            request_counts=RequestCounts(counts.total, counts.completed, counts.failed)
            if counts
            else RequestCounts(),
            errors=tuple(map(_error, errors.data)) if errors else (),
            metadata=dict(metadata.additional_properties) if metadata else {},
            completion_window=or_none(source.completion_window),
            created_at=aware(source.created_at),
            in_progress_at=aware(source.in_progress_at),
            finalizing_at=aware(source.finalizing_at),
            completed_at=aware(source.completed_at),
            failed_at=aware(source.failed_at),
            cancelling_at=aware(source.cancelling_at),
            cancelled_at=aware(source.cancelled_at),
            expected_completion_at=aware(source.expected_completion_at),
            request_id=request_id,
            source=source,
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read a job from decoded JSON, as `to_dict` returns it.

        Raises:
            voyageai_rest.errors.ShapeError: `data` does not describe a job; a ValueError.
        """
        return cls.of(models.Batch.from_dict(data))

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON values, with fields that this release does not know."""
        return self._source.to_dict()

    @property
    def is_done(self) -> bool:
        """True once the job has ended, successfully or not."""
        ends = (self.completed_at, self.failed_at, self.cancelled_at)
        return self.status in DONE or any(end is not None for end in ends)

    @property
    def progress(self) -> float:
        """Share of the lines that were completed or failed, from 0 to 1."""
        counts = self.request_counts
        if not counts.total:
            return float(self.is_done)
        return (counts.completed + counts.failed) / counts.total

    @safe_repr
    def __repr__(self) -> str:
        counts = self.request_counts
        failed = f", {counts.failed} failed" if counts.failed else ""
        return (
            f"{type(self).__name__}({self.id!r}, {printable(self.status)}, "
            f"{counts.completed} of {counts.total} lines{failed})"
        )

    @safe_repr
    def _repr_html_(self) -> str:
        counts = self.request_counts
        facts = {
            "id": self.id,
            "status": self.status,
            "model": self.model,
            "lines": f"{counts.completed:,} of {counts.total:,}",
            "failed": f"{counts.failed:,}" if counts.failed else None,
            "created": f"{self.created_at:%Y-%m-%d %H:%M %Z}",
        }
        rows = [(error.line, error.code, error.message) for error in self.errors]
        return card(type(self).__name__, facts, table(["line", "code", "error"], rows))


def _error(error: models.BatchError) -> BatchError:
    return BatchError(
        code=error.code, message=error.message, line=or_none(error.line), param=or_none(error.param)
    )
