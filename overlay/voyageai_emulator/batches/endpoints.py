"""The operations on batch jobs."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from voyageai_rest.catalogue import BATCH
from voyageai_rest.models import (
    Batch,
    BatchErrors,
    BatchList,
    BatchMetadata,
    BatchRequestCounts,
    CreateBatchRequest,
)

from .. import model_limits
from ..authentication import Caller
from ..error_messages import invalid_argument
from ..files import file_not_found
from ..responses import ApiError
from ..store import CursorNotFoundError, as_datetime, microseconds
from .validation import endpoint_of, schema_of

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    from ..handlers import CheckedRequest
    from ..state import EmulatorState
    from ..store import Job

__all__ = ["BatchEndpoints", "as_batch"]

INPUT_PURPOSE = "batch"
"""Purpose of the files that jobs read."""
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
"""Units of completion windows."""


class BatchEndpoints:
    """The handlers of the operations on batch jobs.

    Args:
        state: The emulator's state.
        wake: Called when there is a job to work on.
    """

    def __init__(self, state: EmulatorState, wake: Callable[[], None]) -> None:
        self._state = state
        self._wake = wake

    def create(self, checked: CheckedRequest) -> Batch:
        """Start a job."""
        state = self._state
        request = CreateBatchRequest.from_dict(checked.body)
        params: dict[str, Any] = checked.body["request_params"]
        operation, endpoint = endpoint_of(state.contract, request.endpoint)
        state.contract.check(schema_of(endpoint.params), params)
        models = state.model_context(operation, Caller(checked.owner, checked.platform)).models
        # `batch` is None for models that may or may not be available in jobs.
        accepted = {name: model for name, model in models.items() if model.batch is not False}
        model = model_limits.find(params["model"], accepted)
        model_limits.output(
            model,
            params.get("output_dimension"),
            params.get("output_dtype"),
            params.get("encoding_format"),
        )
        now = state.now()
        with state.store.transaction():
            file = state.store.files.find(request.input_file_id, checked.owner, now)
            if file is None:
                raise file_not_found(request.input_file_id)
            if file.purpose != INPUT_PURPOSE:
                raise invalid_argument(
                    "input_file_id",
                    f"the purpose of the file is '{file.purpose}', not '{INPUT_PURPOSE}'",
                )
            self._check_load(checked.owner)
            job = state.store.jobs.add(
                owner=checked.owner,
                platform=checked.platform,
                endpoint=request.endpoint,
                model=model.name,
                input_file_id=file.id,
                input_file=file.number,
                completion_window=request.completion_window,
                request_params=params,
                metadata=checked.body.get("metadata"),
                created_at=now,
                expected_completion_at=now + _microseconds(request.completion_window),
            )
        self._wake()
        return as_batch(job)

    def list(self, checked: CheckedRequest) -> BatchList:
        """Return one page of jobs."""
        query = checked.query
        try:
            page = self._state.store.jobs.page(
                checked.owner, limit=query["limit"], after=query.get("after")
            )
        except CursorNotFoundError as missing:
            raise _not_found(str(missing)) from None
        jobs = [as_batch(job) for job in page.items]
        return BatchList(
            object="list",
            data=jobs,
            first_id=jobs[0].id if jobs else None,
            last_id=jobs[-1].id if jobs else None,
            has_more=page.has_more,
        )

    def retrieve(self, checked: CheckedRequest) -> Batch:
        """Return a job."""
        return as_batch(self._find(checked))

    def cancel(self, checked: CheckedRequest) -> Batch:
        """Cancel a job."""
        store = self._state.store
        with store.transaction():
            job = self._find(checked)
            if not store.jobs.move(
                job.number, ("validating", "in_progress"), "cancelling", self._state.now()
            ):
                raise ApiError(f"Batch '{job.id}' cannot be cancelled: its status is {job.status}.")
            job = self._find(checked)
        self._wake()
        return as_batch(job)

    def _find(self, checked: CheckedRequest) -> Job:
        id = checked.path["batch_id"]
        job = self._state.store.jobs.find(id, checked.owner)
        if job is None:
            raise _not_found(id)
        return job

    def _check_load(self, owner: str) -> None:
        """Check that the owner has not used up the organization's limits of jobs in flight.

        Raises:
            ApiError: The owner has the maximum of jobs or tokens in flight.
        """
        limits = self._state.batch_limits
        jobs, tokens = self._state.store.jobs.load(owner)
        for used, limit, unit in (
            (jobs, limits.max_jobs_in_flight, "jobs"),
            (tokens, limits.max_tokens_in_flight, "tokens"),
        ):
            if used >= limit:
                raise ApiError(
                    f"You have exceeded your organization's Batch API limit of {limit} {unit} in "
                    f"flight. Please wait {BATCH.backoff_minutes} minutes before you try again.",
                    HTTPStatus.TOO_MANY_REQUESTS,
                )


def as_batch(job: Job) -> Batch:
    """Return a job as the API represents it."""
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
        in_progress_at=_datetime(job.in_progress_at),
        finalizing_at=_datetime(job.finalizing_at),
        completed_at=_datetime(job.completed_at),
        failed_at=_datetime(job.failed_at),
        expected_completion_at=as_datetime(job.expected_completion_at),
        cancelling_at=_datetime(job.cancelling_at),
        cancelled_at=_datetime(job.cancelled_at),
    )


def _datetime(time: int | None) -> datetime.datetime | None:
    return None if time is None else as_datetime(time)


def _microseconds(window: str) -> int:
    """Return the microseconds of a completion window, such as ``12h``."""
    return microseconds(int(window[:-1]) * SECONDS[window[-1]])


def _not_found(id: str) -> ApiError:
    return ApiError(f"Batch '{id}' not found.", HTTPStatus.NOT_FOUND)
