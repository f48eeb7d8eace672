from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from ..types import (
    UNSET,
    JsonModel,
    Shape,
    Unset,
    as_datetime,
    as_is,
    optional,
    parsed,
    plain,
    shape,
    to_json,
)

if TYPE_CHECKING:
    import datetime

    from ..models.batch_endpoint import BatchEndpoint
    from ..models.batch_errors import BatchErrors
    from ..models.batch_metadata import BatchMetadata
    from ..models.batch_request_counts import BatchRequestCounts
    from ..models.batch_status import BatchStatus
    from ..models.completion_window import CompletionWindow


@define(kw_only=True, repr=False)
class Batch(JsonModel):
    """A batch job. A timestamp is null until its event has happened.

    Attributes:
        id: Id of the job, `batch-` and a random part.
        endpoint: Endpoint that processes the lines. Unknown values are passed through.
        input_file_id: Id of the input file.
        status: Status of the job. Unknown values are passed through.
        created_at: When the job was created.
        object: Always `batch`.
        errors: Why the job failed.
        completion_window: Time after which the job expires if it is not completed.
        model: Name of the model.
        output_file_id: Id of the file with the results.
        error_file_id: Id of the file with the failed lines.
        request_counts: Number of a job's lines, by state.
        metadata: The caller's key-value pairs.
        in_progress_at: When processing of the lines started.
        finalizing_at: When writing of the files started.
        completed_at: When the job was completed.
        failed_at: When the job failed.
        expected_completion_at: End of the completion window.
        cancelling_at: When cancellation was requested.
        cancelled_at: When the job was cancelled.

    Example:
        >>> value = Batch.from_dict(
        ...     {
        ...         "id": "batch-3kQ9",
        ...         "object": "batch",
        ...         "endpoint": "/v1/embeddings",
        ...         "errors": None,
        ...         "input_file_id": "file-7vT5tYiajeqrFpsqCT8fbxCp46vwf8R4Qwdh8",
        ...         "completion_window": "12h",
        ...         "model": "voyage-4",
        ...         "status": "validating",
        ...         "output_file_id": None,
        ...         "error_file_id": None,
        ...         "request_counts": {"total": 0, "completed": 0, "failed": 0},
        ...         "metadata": None,
        ...         "created_at": "2025-12-01T19:18:24+00:00",
        ...         "expected_completion_at": "2025-12-02T07:18:24+00:00",
        ...     }
        ... )
    """

    id: str
    endpoint: BatchEndpoint | str
    input_file_id: str
    status: BatchStatus | str
    created_at: datetime.datetime
    object: str | Unset = UNSET
    errors: BatchErrors | None | Unset = UNSET
    completion_window: CompletionWindow | str | Unset = UNSET
    model: None | str | Unset = UNSET
    output_file_id: None | str | Unset = UNSET
    error_file_id: None | str | Unset = UNSET
    request_counts: BatchRequestCounts | Unset = UNSET
    metadata: BatchMetadata | None | Unset = UNSET
    in_progress_at: datetime.datetime | None | Unset = UNSET
    finalizing_at: datetime.datetime | None | Unset = UNSET
    completed_at: datetime.datetime | None | Unset = UNSET
    failed_at: datetime.datetime | None | Unset = UNSET
    expected_completion_at: datetime.datetime | None | Unset = UNSET
    cancelling_at: datetime.datetime | None | Unset = UNSET
    cancelled_at: datetime.datetime | None | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["id"] = self.id
        data["endpoint"] = self.endpoint
        data["input_file_id"] = self.input_file_id
        data["status"] = self.status
        data["created_at"] = to_json(self.created_at)
        if self.object is not UNSET:
            data["object"] = self.object
        if self.errors is not UNSET:
            data["errors"] = to_json(self.errors)
        if self.completion_window is not UNSET:
            data["completion_window"] = self.completion_window
        if self.model is not UNSET:
            data["model"] = self.model
        if self.output_file_id is not UNSET:
            data["output_file_id"] = self.output_file_id
        if self.error_file_id is not UNSET:
            data["error_file_id"] = self.error_file_id
        if self.request_counts is not UNSET:
            data["request_counts"] = to_json(self.request_counts)
        if self.metadata is not UNSET:
            data["metadata"] = to_json(self.metadata)
        if self.in_progress_at is not UNSET:
            data["in_progress_at"] = to_json(self.in_progress_at)
        if self.finalizing_at is not UNSET:
            data["finalizing_at"] = to_json(self.finalizing_at)
        if self.completed_at is not UNSET:
            data["completed_at"] = to_json(self.completed_at)
        if self.failed_at is not UNSET:
            data["failed_at"] = to_json(self.failed_at)
        if self.expected_completion_at is not UNSET:
            data["expected_completion_at"] = to_json(self.expected_completion_at)
        if self.cancelling_at is not UNSET:
            data["cancelling_at"] = to_json(self.cancelling_at)
        if self.cancelled_at is not UNSET:
            data["cancelled_at"] = to_json(self.cancelled_at)
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.batch_errors import BatchErrors
        from ..models.batch_metadata import BatchMetadata
        from ..models.batch_request_counts import BatchRequestCounts

        return shape(
            as_is,
            id=plain("id", str),
            endpoint=plain("endpoint", str),
            input_file_id=plain("input_file_id", str),
            status=plain("status", str),
            created_at=parsed("created_at", as_datetime),
            object=optional(plain("object", str)),
            errors=optional(parsed("errors", BatchErrors.from_dict, NoneType)),
            completion_window=optional(plain("completion_window", str)),
            model=optional(plain("model", str, NoneType)),
            output_file_id=optional(plain("output_file_id", str, NoneType)),
            error_file_id=optional(plain("error_file_id", str, NoneType)),
            request_counts=optional(parsed("request_counts", BatchRequestCounts.from_dict)),
            metadata=optional(parsed("metadata", BatchMetadata.from_dict, NoneType)),
            in_progress_at=optional(parsed("in_progress_at", as_datetime, NoneType)),
            finalizing_at=optional(parsed("finalizing_at", as_datetime, NoneType)),
            completed_at=optional(parsed("completed_at", as_datetime, NoneType)),
            failed_at=optional(parsed("failed_at", as_datetime, NoneType)),
            expected_completion_at=optional(
                parsed("expected_completion_at", as_datetime, NoneType)
            ),
            cancelling_at=optional(parsed("cancelling_at", as_datetime, NoneType)),
            cancelled_at=optional(parsed("cancelled_at", as_datetime, NoneType)),
        )
