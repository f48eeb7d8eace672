"""Preparation of jobs: checks of arguments, and writing of rows from an iterable."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from voyageai_rest.models.batch_contextualized_embeddings_params import (
    BatchContextualizedEmbeddingsParams,
)
from voyageai_rest.models.batch_embeddings_params import BatchEmbeddingsParams
from voyageai_rest.models.batch_rerank_params import BatchRerankParams

from ... import tokenization
from ...argument_checks import check_flag
from ...calls import fill
from ...error import ArgumentError
from ...flow import in_thread
from ...inputs.contextualized import ChunkFunction, check_chunking
from ...prompts import guard
from .batch_files import JobWriter
from .directory import JobDirectory
from .estimate import rows_per_line
from .job import AsyncJob, Job
from .options import JobOptions, check_options
from .progress import Progress, show_progress
from .results import BatchResults
from .tasks import Contextualize, Embed, Rerank

if TYPE_CHECKING:
    from ...flow import AsyncSender, Sender
    from .tasks import Count, Task

__all__ = ["contextualize_task", "embed_task", "prepare", "prepare_async", "rerank_task"]

R = TypeVar("R", bound=BatchResults[Any])
SLICE_ROWS = 1000
"""Rows that are taken from an iterable and written at a time."""
OPTIONS = frozenset(JobOptions.__annotations__)


def embed_task(
    sender: Sender | AsyncSender, function: str, model: str, options: Mapping[str, Any]
) -> tuple[Embed, JobOptions]:
    """Return the task of a job of embeddings, and the options of the job.

    Args:
        sender: The client's sender, for its default input types.
        function: Name of the method that was called, for errors.
        model: Name of the model.
        options: The method's `**options`: fields of the requests, and options of the job.

    Raises:
        TypeError: An argument is unknown.
        ArgumentError: An argument is wrong.
    """
    fields, own = _split_options(options, sender.input_types.get("embed"))
    params = BatchEmbeddingsParams(model=model, encoding_format="base64")
    return Embed(fill(params, function, {"truncation": True, **fields}, OPTIONS)), own


def contextualize_task(
    sender: Sender | AsyncSender,
    function: str,
    model: str,
    chunk_fn: ChunkFunction | None,
    options: Mapping[str, Any],
) -> tuple[Contextualize, JobOptions]:
    """Return the task of a job of contextualized embeddings, and the options of the job.

    Args:
        sender, function, model, options: As in `embed_task`.
        chunk_fn: A function that splits a text into chunks; None for none.

    Raises:
        TypeError, ArgumentError: As in `embed_task`.
    """
    fields, own = _split_options(options, sender.input_types.get("contextualized_embed"))
    fields = check_chunking(chunk_fn, fields)
    if fields["enable_auto_chunking"] and fields.get("input_type") != "document":
        raise ArgumentError(
            "enable_auto_chunking=True requires input_type='document'", "enable_auto_chunking"
        )
    params = BatchContextualizedEmbeddingsParams(model=model, encoding_format="base64")
    return Contextualize(fill(params, function, fields, OPTIONS), chunk_fn), own


def rerank_task(function: str, model: str, options: Mapping[str, Any]) -> tuple[Rerank, JobOptions]:
    """Return the task of a job of rerankings, and the options of the job.

    Args:
        function, model, options: As in `embed_task`.

    Raises:
        TypeError, ArgumentError: As in `embed_task`.
    """
    fields, own = _split_options(options)
    params = BatchRerankParams(model=model)
    return Rerank(fill(params, function, {"truncation": True, **fields}, OPTIONS)), own


def _split_options(
    options: Mapping[str, Any], input_type: str | None = None
) -> tuple[dict[str, Any], JobOptions]:
    """Split `**options` into fields of requests, with a default input type, and job options."""
    own = {name: options[name] for name in options if name in OPTIONS}
    fields = {name: options[name] for name in options if name not in OPTIONS}
    if input_type and not fields.get("input_type"):
        fields["input_type"] = input_type
    return fields, cast("JobOptions", own)


def prepare(
    sender: Sender,
    results_type: type[R],
    task: Task[Any, Any],
    rows: Iterable[Any],
    options: JobOptions,
) -> Job[R]:
    """Write a job to its directory, or compare it with the job there.

    Args:
        sender: The sender of the job's requests.
        results_type: The class of the job's results.
        task: The method and its arguments.
        rows: The rows, as values of the user.
        options: The options of the job.

    Raises:
        ArgumentError: A row or an option is wrong, or the directory holds another job.
        JobInUseError: Another process or thread is working on the job.
    """
    open_job = _opener(sender, task, options)
    iterator = _iterator(task, rows)
    directory, writer = open_job()
    try:
        with show_progress(options.get("progress")) as show:
            while slice_rows := list(islice(iterator, SLICE_ROWS)):
                writer.add(slice_rows)
                if writer.rows == len(slice_rows):
                    guard(task.prompted(slice_rows), task.role, task.params.model)
                show(_progress(writer, task))
            manifest = writer.finish()
    finally:
        writer.close()
    return Job(sender, results_type, directory, manifest, options)


async def prepare_async(
    sender: AsyncSender,
    results_type: type[R],
    task: Task[Any, Any],
    rows: Iterable[Any] | AsyncIterable[Any],
    options: JobOptions,
) -> AsyncJob[R]:
    """Prepare a job without blocking, as `prepare` does: threads use the files and the iterable."""
    open_job = _opener(sender, task, options)
    slices = _slices(task, rows)
    directory, writer = await in_thread(open_job)
    try:
        with show_progress(options.get("progress")) as show:
            async for slice_rows in slices:
                await in_thread(writer.add, slice_rows)
                if writer.rows == len(slice_rows):
                    guard(task.prompted(slice_rows), task.role, task.params.model)
                show(_progress(writer, task))
            manifest = await in_thread(writer.finish)
    finally:
        writer.close()
    return AsyncJob(sender, results_type, directory, manifest, options)


def _opener(
    sender: Sender | AsyncSender, task: Task[Any, Any], options: JobOptions
) -> Callable[[], tuple[JobDirectory, JobWriter]]:
    """Check the options, and return a function that opens the job directory."""
    check_options(options, JobOptions)
    check_flag("exact_tokens", options.get("exact_tokens"))
    task.check_model()
    per_line = rows_per_line(task, options.get("rows_per_line"))
    model = task.params.model

    def open_job() -> tuple[JobDirectory, JobWriter]:
        count: Count | None = None
        if options.get("exact_tokens"):
            tokenizer = tokenization.load(model, sender.tokenizers, sender.base_url)
            count = partial(tokenization.count, tokenizer)
        directory = JobDirectory(options.get("directory"))
        return directory, JobWriter.open(directory, task, per_line, count, sender.environment)

    return open_job


def _progress(writer: JobWriter, task: Task[Any, Any]) -> Progress:
    message = f"preparing {task.noun}"
    return Progress(stage="preparing", message=message, done=writer.rows, unit="rows")


def _iterator(task: Task[Any, Any], rows: Any) -> Iterator[Any]:
    """Return an iterator over rows.

    Raises:
        ArgumentError: `rows` is no iterable of rows, such as a single text.
    """
    name = task.argument
    if not _is_iterable(rows):
        hint = f"; wrap it in a list: [{name}]" if isinstance(rows, str) else ""
        raise ArgumentError(
            f"{name} must be an iterable of {task.noun}, not a {type(rows).__name__}{hint}", name
        )
    return iter(rows)


async def _slices(task: Task[Any, Any], rows: Any) -> AsyncIterator[list[Any]]:
    """Yield rows in lists of up to `SLICE_ROWS`."""
    from anyio.to_thread import run_sync

    if hasattr(rows, "__aiter__"):
        slice_rows: list[Any] = []
        async for row in rows:
            slice_rows.append(row)
            if len(slice_rows) == SLICE_ROWS:
                yield slice_rows
                slice_rows = []
        if slice_rows:
            yield slice_rows
        return
    iterator = _iterator(task, rows)
    while slice_rows := await run_sync(lambda: list(islice(iterator, SLICE_ROWS))):
        yield slice_rows


def _is_iterable(rows: object) -> bool:
    return isinstance(rows, Iterable) and not isinstance(rows, (str, bytes, Mapping))
