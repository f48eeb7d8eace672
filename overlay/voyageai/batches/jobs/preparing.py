"""Preparing jobs: checking their arguments, and taking their rows from an iterable."""

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
from ...calls import fill
from ...error import ArgumentError
from ...flow import in_thread
from ...inputs.contextualized import ChunkFunction, check_chunking
from ...limits import check_flag
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
AT_ONCE = 1000
"""Rows that are taken from an iterable at once."""
OPTIONS = frozenset(JobOptions.__annotations__)


def embed_task(
    sender: Sender | AsyncSender, function: str, model: str, options: Mapping[str, Any]
) -> tuple[Embed, JobOptions]:
    """Return the task of a job of embeddings, and the options of the job.

    Args:
        sender: The client's, for its default input types.
        function: Name of the method that was called, for errors.
        model: The model.
        options: The method's `**options`: fields of the requests, and options of the job.

    Raises:
        TypeError: There is no such argument.
        ArgumentError: An argument is wrong.
    """
    fields, own = _sorted(options, sender.input_types.get("embed"))
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
        chunk_fn: Splits each text into chunks.

    Raises:
        TypeError, ArgumentError: As in `embed_task`.
    """
    fields, own = _sorted(options, sender.input_types.get("contextualized_embed"))
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
    fields, own = _sorted(options)
    params = BatchRerankParams(model=model)
    return Rerank(fill(params, function, {"truncation": True, **fields}, OPTIONS)), own


def _sorted(
    options: Mapping[str, Any], input_type: str | None = None
) -> tuple[dict[str, Any], JobOptions]:
    """Return the fields of the requests, with a default input type, and the options of the job."""
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
    """Write a job to its directory, or find it there.

    Args:
        sender: Sends the job when it is run.
        results_type: The class of its results.
        task: The method and its arguments.
        rows: The rows, as the user gave them.
        options: The options of the job, as the user gave them.

    Raises:
        ArgumentError: A row or an option is wrong, or the directory holds another job.
        JobInUseError: The job is in use elsewhere.
    """
    open_job = _opener(sender, task, options)
    iterator = _iterator(task, rows)
    directory, writer = open_job()
    try:
        with show_progress(options.get("progress")) as show:
            while some := list(islice(iterator, AT_ONCE)):
                writer.add(some)
                if writer.rows == len(some):
                    guard(task.prompted(some), task.role, task.params.model)
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
    """Do what `prepare` does without blocking: threads write the files and read the iterable."""
    open_job = _opener(sender, task, options)
    slices = _slices(task, rows)
    directory, writer = await in_thread(open_job)
    try:
        with show_progress(options.get("progress")) as show:
            async for some in slices:
                await in_thread(writer.add, some)
                if writer.rows == len(some):
                    guard(task.prompted(some), task.role, task.params.model)
                show(_progress(writer, task))
            manifest = await in_thread(writer.finish)
    finally:
        writer.close()
    return AsyncJob(sender, results_type, directory, manifest, options)


def _opener(
    sender: Sender | AsyncSender, task: Task[Any, Any], options: JobOptions
) -> Callable[[], tuple[JobDirectory, JobWriter]]:
    """Check the options, and return a function that opens the directory."""
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
        ArgumentError: They are not iterable, or are a single text.
    """
    name = task.argument
    if not _is_iterable(rows):
        hint = f"; wrap it in a list: [{name}]" if isinstance(rows, str) else ""
        raise ArgumentError(
            f"{name} must be an iterable of {task.noun}, not a {type(rows).__name__}{hint}", name
        )
    return iter(rows)


async def _slices(task: Task[Any, Any], rows: Any) -> AsyncIterator[list[Any]]:
    """Yield rows in lists of `AT_ONCE`."""
    from anyio.to_thread import run_sync

    if hasattr(rows, "__aiter__"):
        some: list[Any] = []
        async for row in rows:
            some.append(row)
            if len(some) == AT_ONCE:
                yield some
                some = []
        if some:
            yield some
        return
    iterator = _iterator(task, rows)
    while some := await run_sync(lambda: list(islice(iterator, AT_ONCE))):
        yield some


def _is_iterable(rows: object) -> bool:
    return isinstance(rows, Iterable) and not isinstance(rows, (str, bytes, Mapping))
