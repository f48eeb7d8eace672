"""The arguments of `client.tables`, checked and converted to the specification of a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, cast

from ..argument_checks import check_flag
from ..batches.jobs.options import check_options
from ..calls import fill
from ..error import ArgumentError
from .preparing import Spec
from .slices import takes_null_vectors
from .sources import Columns

if TYPE_CHECKING:
    from voyageai_rest.models import InputType, OutputDtype

    from ..batches.jobs.options import JobTimings
    from ..batches.jobs.progress import Progress
    from ..batches.polling import Polling
    from .preparing import OnError, Via

__all__ = [
    "ContextualizedEmbedTableOptions",
    "EmbedTableOptions",
    "RerankTableOptions",
    "TableOptions",
    "contextualized_spec",
    "embed_spec",
    "rerank_spec",
]

ON_ERROR = ("record", "raise", "null")
VIA = ("live", "batch")
WATCH = ("poll", "progress", "timings")
NOT_FOR = {
    "live": {"poll": "there are no batches to poll", "timings": "there are no batches to wait for"},
    "batch": {
        "share": "batches have no rate limit to share",
        "concurrency": "as many batches as the organization's limits allow are in flight",
    },
}
"""Options that have no effect with a way of sending, and the reasons."""
WRITTEN = ("embedding", "relevance_score", "row")


class TableOptions(TypedDict, total=False):
    """Keyword arguments of all methods of `client.tables`.

    Attributes:
        id: Name of the column with the ids, which must be unique and not null. Without it, rows are
            numbered in a column `row`.
        keep: Names of columns to write beside the vectors.
        on_error: Action for a row without a result: `record` leaves it out of the table,
            `null` writes it with a null, `raise` ends the job. The result's `failures` list such
            rows.
        deduplicate: True to send rows with the same text once, within a slice of 50,000 rows.
        via: `live` sends requests at the rate limit; `batch` sends batches, which cost a third less
            and take up to twelve hours. An interrupted job continues the way it was begun.
        concurrency: Most requests in flight, 64 by default; lowered after refusals. For live jobs
            only.
        share: Share of the client's rate limit that this job may use, such as 1/4 in each of four
            processes. For live jobs only.
        poll: Seconds between two polls of a batch, or a `voyageai.batches.Polling`. For `batch`
            only.
        timings: Other waiting times, as a `voyageai.batches.JobTimings`. For `batch` only.
        filesystem: A `pyarrow.fs` or fsspec filesystem that opens the source's paths.
        format: `parquet`, `csv`, `tsv`, `ndjson` or `arrow`, if the files' extensions do not show
            it; or `lines`, for texts in a column `text`.
        progress: None to show progress on a terminal, True anywhere, False nowhere; or a function
            that is called with each `voyageai.batches.Progress`.
    """

    id: str | None
    keep: Sequence[str]
    on_error: OnError
    deduplicate: bool
    via: Via
    concurrency: int
    share: float
    poll: float | Polling | None
    timings: JobTimings | None
    filesystem: Any
    format: str | None
    progress: bool | Callable[[Progress], object] | None


class EmbedTableOptions(TableOptions, total=False):
    """Options of a table, and fields of `EmbeddingsRequest`, which `Client.embed` describes."""

    input_type: InputType | str | None
    truncation: bool | None
    output_dtype: OutputDtype | str | None
    output_dimension: int | None


class ContextualizedEmbedTableOptions(TableOptions, total=False):
    """Options of a table, and fields of `ContextualizedEmbeddingsRequest`.

    `Client.contextualized_embed` describes the fields. Those about chunking are left out, as rows
    are chunks already.
    """

    input_type: InputType | str | None
    output_dtype: OutputDtype | str | None
    output_dimension: int | None


class RerankTableOptions(TableOptions, total=False):
    """Options of a table, and fields of `RerankRequest`, which `Client.rerank` describes."""

    truncation: bool | None


OPTIONS = frozenset(TableOptions.__annotations__)


def embed_spec(
    function: str,
    text: str,
    model: str,
    options: Mapping[str, Any],
    input_type: InputType | str | None,
) -> Spec:
    """Return the specification of a job of embeddings.

    Args:
        function: Name of the method that was called, for errors.
        text: Name of the column with the texts.
        model: Name of the model.
        options: The method's `**options`.
        input_type: The client's default input type.

    Raises:
        TypeError: An option is unknown.
        ArgumentError: An argument is wrong.
    """
    from voyageai_rest.models.embeddings_request import EmbeddingsRequest

    given = {"truncation": True, "input_type": input_type, **options}
    request = EmbeddingsRequest(input=[], model=model, encoding_format="base64")
    return _spec(function, "embed", request, given, Columns(None, (text,)))


def contextualized_spec(
    function: str,
    text: str,
    group: str,
    model: str,
    options: Mapping[str, Any],
    input_type: InputType | str | None,
) -> Spec:
    """Return the specification of a job of contextualized embeddings.

    Args:
        function, text, model, options, input_type: As in `embed_spec`.
        group: Name of the column that identifies a chunk's document.

    Raises:
        TypeError, ArgumentError: As in `embed_spec`.
    """
    from voyageai_rest.models.contextualized_embeddings_request import (
        ContextualizedEmbeddingsRequest,
    )

    given = {"input_type": input_type, **options}
    for name in ("enable_auto_chunking", "chunk_size", "chunk_overlap"):
        if name in given:
            raise ArgumentError(f"{name} has no effect: rows of a table are chunks already", name)
    request = ContextualizedEmbeddingsRequest(inputs=[], model=model, encoding_format="base64")
    return _spec(function, "contextualized_embed", request, given, Columns(None, (text,), group))


def rerank_spec(
    function: str, query: str, document: str, model: str, options: Mapping[str, Any]
) -> Spec:
    """Return the specification of a job of rerankings.

    Args:
        function, model, options: As in `embed_spec`.
        query: Name of the column with the queries.
        document: Name of the column with the documents.

    Raises:
        TypeError, ArgumentError: As in `embed_spec`.
    """
    from voyageai_rest.models.rerank_request import RerankRequest

    if "top_k" in options:
        raise ArgumentError("top_k has no effect: each row of a table gets a score", "top_k")
    if "return_documents" in options:
        raise ArgumentError(
            "return_documents has no effect; name the column in keep", "return_documents"
        )
    request = RerankRequest(query="", documents=[], model=model)
    given = {"truncation": True, **options}
    return _spec(function, "rerank", request, given, Columns(None, (query, document), query))


def _spec(
    function: str, method: str, request: Any, given: Mapping[str, Any], columns: Columns
) -> Spec:
    own = cast("TableOptions", {name: given[name] for name in given if name in OPTIONS})
    fields = {name: given[name] for name in given if name not in OPTIONS}
    fill(request, f"tables.{function}", fields, OPTIONS)
    id_, keep = own.get("id"), own.get("keep", ())
    if isinstance(keep, str):
        raise ArgumentError("keep must be a list of names of columns, not a string", "keep")
    for name in (*keep, id_):
        if name in WRITTEN:
            raise ArgumentError(
                f"the job writes a column {name!r} of its own; rename the one in the source", "keep"
            )
    on_error, concurrency = own.get("on_error", "record"), own.get("concurrency")
    if on_error not in ON_ERROR:
        raise ArgumentError(
            f"on_error must be one of {', '.join(ON_ERROR)}, not {on_error!r}", "on_error"
        )
    if on_error == "null" and method != "rerank" and not takes_null_vectors():
        raise ArgumentError(
            "on_error='null' needs pyarrow 26: an older one can't read a null among vectors; "
            "use on_error='record', which leaves such rows out",
            "on_error",
        )
    via = own.get("via", "live")
    if via not in VIA:
        raise ArgumentError(f"via must be one of {', '.join(VIA)}, not {via!r}", "via")
    for name, reason in NOT_FOR[via].items():
        if own.get(name) is not None:
            raise ArgumentError(f"{name} has no effect with via={via!r}: {reason}", name)
    if concurrency is not None and (type(concurrency) is not int or concurrency < 1):
        raise ArgumentError(
            f"concurrency must be a whole number from 1, not {concurrency!r}", "concurrency"
        )
    check_flag("deduplicate", own.get("deduplicate", False))
    if own.get("deduplicate") and method != "embed":
        raise ArgumentError("deduplicate is supported by tables.embed only", "deduplicate")
    check_options({name: value for name, value in own.items() if name in WATCH})
    spec = Spec(
        method=method,
        model=request.model,
        params={name: value for name, value in fields.items() if value is not None},
        columns=Columns(id_, columns.values, columns.group, tuple(keep)),
        on_error=on_error,
        deduplicate=own.get("deduplicate", False),
        via=via,
    )
    if via == "batch":
        from .batch import batch_task

        batch_task(spec)  # raises for arguments that batches do not accept
    return spec
