"""Conversion of arguments into the calls about batch jobs, without I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from voyageai_rest.catalogue import BATCH
from voyageai_rest.constraints import CONSTRAINTS
from voyageai_rest.errors import REQUEST_ID, ShapeError
from voyageai_rest.types import UNSET, RawResponse, one_of

from ..argument_checks import check_model, check_number, check_output, check_value, constraint
from ..calls import Call
from ..error import ArgumentError
from ..files.calls import check_id, page_of
from ..files.objects import Page, or_none
from .objects import Batch

if TYPE_CHECKING:
    from voyageai_rest.models import (
        BatchContextualizedEmbeddingsParams,
        BatchEmbeddingsParams,
        BatchEndpoint,
        BatchMetadata,
        BatchRerankParams,
        CompletionWindow,
    )

    Params = BatchContextualizedEmbeddingsParams | BatchEmbeddingsParams | BatchRerankParams

CREATE_DOUBT = (
    "the batch may have been created, and a second one would cost as much again; look for its "
    "input_file_id and metadata with batches.list() before you create it again"
)


def create(
    endpoint: str,
    input_file_id: str,
    request_params: Mapping[str, Any] | Params,
    completion_window: str | None,
    metadata: Mapping[str, str] | None,
) -> Call[Batch]:
    """Return the call of `Batches.create`."""
    from voyageai_rest.api.batches import create_batch
    from voyageai_rest.models.create_batch_request import CreateBatchRequest

    window = BATCH.completion_window if completion_window is None else completion_window
    if endpoint is None:  # pyright: ignore[reportUnnecessaryComparison]  # given by a user
        raise ArgumentError("endpoint must be the endpoint of the lines, not None", "endpoint")
    check_value("CreateBatchRequest", "endpoint", endpoint)
    check_value("CreateBatchRequest", "completion_window", window)
    body = CreateBatchRequest(
        endpoint=cast("BatchEndpoint", endpoint),
        input_file_id=check_id("input_file_id", input_file_id),
        completion_window=cast("CompletionWindow", window),
        request_params=_params(request_params),
        metadata=UNSET if metadata is None else _metadata(metadata),
    )
    return Call(
        create_batch.build_request(body=body),
        partial(_batch, create_batch.parse_response),
        repeatable=False,
        doubt=CREATE_DOUBT,
        method="create",
    )


def retrieve(batch_id: str) -> Call[Batch]:
    """Return the call of `Batches.retrieve`."""
    from voyageai_rest.api.batches import retrieve_batch

    request = retrieve_batch.build_request(batch_id=check_id("batch_id", batch_id))
    return Call(request, partial(_batch, retrieve_batch.parse_response), method="retrieve")


def cancel(batch_id: str) -> Call[Batch]:
    """Return the call of `Batches.cancel`."""
    from voyageai_rest.api.batches import cancel_batch

    request = cancel_batch.build_request(batch_id=check_id("batch_id", batch_id))
    return Call(request, partial(_batch, cancel_batch.parse_response), method="cancel")


def list_page(limit: int | None, after: str | None) -> Call[Page[Batch]]:
    """Return the call for a page of `Batches.list`."""
    from voyageai_rest.api.batches import list_batches

    def read(response: RawResponse) -> Page[Batch]:
        found = list_batches.parse_response(response)
        return Page[Batch].of([Batch.of(batch) for batch in found.data], found, after)

    return Call(list_batches.build_request(**page_of(limit, after)), read)


def _params(params: Mapping[str, Any] | Params) -> Params:
    """Check the parameters of a batch against the contract, and return them as a model."""
    from voyageai_rest.models.batch_contextualized_embeddings_params import (
        BatchContextualizedEmbeddingsParams,
    )
    from voyageai_rest.models.batch_embeddings_params import BatchEmbeddingsParams
    from voyageai_rest.models.batch_rerank_params import BatchRerankParams

    models = (BatchEmbeddingsParams, BatchContextualizedEmbeddingsParams, BatchRerankParams)
    try:
        found: Params = (
            params
            if isinstance(params, models)
            else one_of(*(model.from_dict for model in models))(params)
        )
    except ShapeError as failure:
        raise ArgumentError(
            f"request_params must be a model and the other arguments of the endpoint: {failure}; "
            "pass fields that this release does not know in extra_body",
            "request_params",
        ) from None
    kind = type(found).__name__
    for name, bounds in CONSTRAINTS.get(kind, {}).items():
        value = or_none(getattr(found, name))
        if bounds.values:
            check_value(kind, name, value)
        else:
            check_number(kind, name, value)
    output = (or_none(getattr(found, name, UNSET)) for name in ("output_dimension", "output_dtype"))
    check_output(check_model(found.model), *output)
    return found


def _metadata(metadata: Mapping[str, str]) -> BatchMetadata:
    from voyageai_rest.models.batch_metadata import BatchMetadata

    try:
        found = BatchMetadata.from_dict(metadata)
    except ShapeError as failure:
        raise ArgumentError(f"metadata must be pairs of strings: {failure}", "metadata") from None
    maximum = constraint("CreateBatchRequest", "metadata").max_properties
    if maximum is not None and len(metadata) > maximum:
        raise ArgumentError(
            f"metadata must have {maximum} pairs or fewer, not {len(metadata)}", "metadata"
        )
    return found


def _batch(parse: Callable[[RawResponse], Any], response: RawResponse) -> Batch:
    return Batch.of(parse(response), response.headers.get(REQUEST_ID))
