"""Answers about batch jobs."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from voyageai_rest import catalogue
from voyageai_rest.models import Batch, BatchList, CreateBatchRequest

from .. import rules
from ..authentication import Caller
from ..error_messages import invalid_argument
from ..files.objects import no_file
from ..responses import ApiError
from ..store import CursorNotFoundError
from .endpoints import endpoint_of, schema_of
from .objects import as_batch
from .windows import length

if TYPE_CHECKING:
    from ..handlers import CheckedRequest
    from ..state import EmulatorState
    from ..store import Job

__all__ = ["cancel_batch", "create_batch", "list_batches", "retrieve_batch"]

UPLOADED = "batch"
"""Purpose of the files that jobs read."""


def create_batch(asked: CheckedRequest, world: EmulatorState) -> Batch:
    """Start a job."""
    request = CreateBatchRequest.from_dict(asked.body)
    params: dict[str, Any] = asked.body["request_params"]
    operation, endpoint = endpoint_of(world.contract, request.endpoint)
    world.contract.check(schema_of(endpoint.params), params)
    served = world.serving(operation, Caller(asked.owner, asked.platform)).models
    # Of some models nobody has said whether jobs take them.
    taken = {name: model for name, model in served.items() if model.batch is not False}
    model = rules.find(params["model"], taken)
    rules.output(
        model,
        params.get("output_dimension"),
        params.get("output_dtype"),
        params.get("encoding_format"),
    )
    now = world.now()
    with world.store.transaction():
        file = world.store.files.find(request.input_file_id, asked.owner, now)
        if file is None:
            raise no_file(request.input_file_id)
        if file.purpose != UPLOADED:
            raise invalid_argument(
                "input_file_id", f"the purpose of the file is '{file.purpose}', not '{UPLOADED}'"
            )
        _check_load(asked.owner, world)
        job = world.store.jobs.add(
            owner=asked.owner,
            platform=asked.platform,
            endpoint=request.endpoint,
            model=model.name,
            input_file_id=file.id,
            input_file=file.number,
            completion_window=request.completion_window,
            request_params=params,
            metadata=asked.body.get("metadata"),
            created_at=now,
            expected_completion_at=now + length(request.completion_window),
        )
    world.batches.wake()
    return as_batch(job)


def list_batches(asked: CheckedRequest, world: EmulatorState) -> BatchList:
    """One page of jobs."""
    try:
        page = world.store.jobs.page(
            asked.owner, limit=asked.query["limit"], after=asked.query.get("after")
        )
    except CursorNotFoundError as missing:
        raise _no_batch(str(missing)) from None
    jobs = [as_batch(job) for job in page.items]
    return BatchList(
        object="list",
        data=jobs,
        first_id=jobs[0].id if jobs else None,
        last_id=jobs[-1].id if jobs else None,
        has_more=page.has_more,
    )


def retrieve_batch(asked: CheckedRequest, world: EmulatorState) -> Batch:
    """How a job stands."""
    return as_batch(_find(asked, world))


def cancel_batch(asked: CheckedRequest, world: EmulatorState) -> Batch:
    """Cancel a job."""
    with world.store.transaction():
        job = _find(asked, world)
        if not world.store.jobs.move(
            job.number, ("validating", "in_progress"), "cancelling", world.now()
        ):
            raise ApiError(f"Batch '{job.id}' cannot be cancelled: its status is {job.status}.")
        job = _find(asked, world)
    world.batches.wake()
    return as_batch(job)


def _find(asked: CheckedRequest, world: EmulatorState) -> Job:
    id = asked.path["batch_id"]
    job = world.store.jobs.find(id, asked.owner)
    if job is None:
        raise _no_batch(id)
    return job


def _no_batch(id: str) -> ApiError:
    return ApiError(f"Batch '{id}' not found.", HTTPStatus.NOT_FOUND)


def _check_load(owner: str, world: EmulatorState) -> None:
    """Refuse a job for an owner who has enough of them."""
    limits = catalogue.BATCH
    jobs, tokens = world.store.jobs.load(owner)
    for used, limit, what in (
        (jobs, limits.max_jobs_in_flight, "jobs"),
        (tokens, limits.max_tokens_in_flight, "tokens"),
    ):
        if used >= limit:
            raise ApiError(
                f"You have exceeded your organization's Batch API limit of {limit} {what} in "
                f"flight. Please wait {limits.backoff_minutes} minutes before you try again.",
                HTTPStatus.TOO_MANY_REQUESTS,
            )
