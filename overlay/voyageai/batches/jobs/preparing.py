"""Taking the rows of a job from an iterable, and making the job."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from ... import tokenization
from ...error import ArgumentError
from ...flow import in_thread
from ...limits import check_flag
from ...prompts import guard
from .bounds import rows_per_line
from .directory import JobDirectory
from .job import AsyncJob, Job
from .job_writer import JobWriter
from .options import WatchOptions, check_watch
from .progress import Progress, show_progress
from .results import BatchResults

if TYPE_CHECKING:
    import os

    from voyageai_rest.models import InputType, OutputDtype

    from ...flow import AsyncSender, Sender
    from .task import Count, Task

__all__ = [
    "ContextualizedEmbedJobOptions",
    "EmbedJobOptions",
    "JobOptions",
    "RerankJobOptions",
    "prepare",
    "prepare_async",
]

R = TypeVar("R", bound=BatchResults[Any])
AT_ONCE = 1000
"""Rows that are taken from an iterable at once."""


class JobOptions(WatchOptions, total=False):
    """Keyword arguments of the methods that make a job.

    Attributes:
        directory: The job's directory, which makes it resumable: the same call goes on where an
            earlier one was ended. Without it a temporary one, which is kept only if something
            fails, and named then.
        rows_per_line: The most rows of one request. A request succeeds or fails as a whole.
        exact_tokens: Count the tokens for the estimate by the model's tokenizer, which takes the
            extra `tokenizers`; by default they are estimated from the characters.
    """

    directory: str | os.PathLike[str] | None
    rows_per_line: int | None
    exact_tokens: bool


# A field that the contract of batches gains is one line in these;
# tests/overlay/test_arguments.py compares them with the contract.


class EmbedJobOptions(JobOptions, total=False):
    """Options of a job, and fields of `BatchEmbeddingsParams`, which `Client.embed` describes."""

    input_type: InputType | str | None
    truncation: bool | None
    output_dtype: OutputDtype | str | None
    output_dimension: int | None


class ContextualizedEmbedJobOptions(JobOptions, total=False):
    """Options of a job, and fields of `BatchContextualizedEmbeddingsParams`.

    `Client.contextualized_embed` describes the fields.
    """

    input_type: InputType | str | None
    output_dtype: OutputDtype | str | None
    output_dimension: int | None
    enable_auto_chunking: bool
    chunk_size: int | None
    chunk_overlap: int | None


class RerankJobOptions(JobOptions, total=False):
    """Options of a job, and fields of `BatchRerankParams`, which `Client.rerank` describes."""

    top_k: int | None
    truncation: bool | None
    return_documents: bool | None


def prepare(
    sender: Sender,
    kind: type[R],
    task: Task[Any, Any],
    rows: Iterable[Any],
    options: JobOptions,
) -> Job[R]:
    """Take the rows of a job.

    Args:
        sender: Sends the job.
        kind: What it comes to.
        task: What its rows are.
        rows: They.
        options: As the user gave them.

    Raises:
        ArgumentError: A row or an option is wrong, or the directory holds another job.
        JobInUseError: Somebody else is at work on it.
    """
    open_job = _opening(sender, task, options)
    iterator = _iterator(task, rows)
    directory, writer = open_job()
    try:
        with show_progress(options.get("progress")) as tell:
            while some := list(islice(iterator, AT_ONCE)):
                writer.add(some)
                if writer.rows == len(some):
                    guard(task.prompted(some), task.role, task.params.model)
                tell(_told(writer, task))
            manifest = writer.finish()
    finally:
        writer.close()
    return Job(sender, kind, directory, manifest, options)


async def prepare_async(
    sender: AsyncSender,
    kind: type[R],
    task: Task[Any, Any],
    rows: Iterable[Any] | AsyncIterable[Any],
    options: JobOptions,
) -> AsyncJob[R]:
    """The same, without blocking: files are written, and iterables asked, in threads."""
    open_job = _opening(sender, task, options)
    slices = _slices(task, rows)
    directory, writer = await in_thread(open_job)
    try:
        with show_progress(options.get("progress")) as tell:
            async for some in slices:
                await in_thread(writer.add, some)
                if writer.rows == len(some):
                    guard(task.prompted(some), task.role, task.params.model)
                tell(_told(writer, task))
            manifest = await in_thread(writer.finish)
    finally:
        writer.close()
    return AsyncJob(sender, kind, directory, manifest, options)


def _opening(
    sender: Sender | AsyncSender, task: Task[Any, Any], options: JobOptions
) -> Callable[[], tuple[JobDirectory, JobWriter]]:
    """What opens the directory, once the options are found to be right."""
    check_watch(options, JobOptions)
    check_flag("exact_tokens", options.get("exact_tokens"))
    task.check_model()
    most = rows_per_line(task, options.get("rows_per_line"))
    model, now = task.params.model, sender.environment.now

    def open_job() -> tuple[JobDirectory, JobWriter]:
        count: Count | None = None
        if options.get("exact_tokens"):
            tokenizer = tokenization.load(model, sender.tokenizers, sender.base_url)
            count = partial(tokenization.count, tokenizer)
        directory = JobDirectory(options.get("directory"))
        return directory, JobWriter.open(directory, task, most, count, now)

    return open_job


def _told(writer: JobWriter, task: Task[Any, Any]) -> Progress:
    message = f"preparing {task.noun}"
    return Progress(stage="preparing", message=message, done=writer.rows, unit="rows")


def _iterator(task: Task[Any, Any], rows: Any) -> Iterator[Any]:
    """An iterator over rows.

    Raises:
        ArgumentError: They can't be iterated over, or are a single text.
    """
    name = task.argument
    if not _is_iterable(rows):
        hint = f"; wrap it in a list: [{name}]" if isinstance(rows, str) else ""
        raise ArgumentError(
            f"{name} must be an iterable of {task.noun}, not a {type(rows).__name__}{hint}", name
        )
    return iter(rows)


async def _slices(task: Task[Any, Any], rows: Any) -> AsyncIterator[list[Any]]:
    """Rows, some at a time."""
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
