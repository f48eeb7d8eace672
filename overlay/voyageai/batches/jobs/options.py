"""Options of jobs: keyword arguments of the methods that make, run and resume jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast

from attrs import field, frozen
from attrs.validators import ge, gt
from voyageai_rest.catalogue import BATCH

from ...error import ArgumentError
from ...retry import RetryPolicy
from ..polling import Polling
from .progress import ProgressOption  # noqa: TC001  # tools read the hints

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from voyageai_rest.models import InputType, OutputDtype

__all__ = [
    "ContextualizedEmbedJobOptions",
    "EmbedJobOptions",
    "JobOptions",
    "JobTimings",
    "RerankJobOptions",
    "WatchOptions",
    "check_options",
]


@frozen(kw_only=True)
class JobTimings:
    """Waiting times of a job, other than the intervals at which it polls its batches.

    Attributes:
        limit_delay: Seconds to wait when too many batches or tokens of the organization are in
            flight and the server does not say how long to wait; by default the time that the API's
            documentation recommends.
        settle_delay: Seconds after which a request whose response was lost has taken effect, if it
            was carried out. Only then is its outcome looked up at the server, as it is after a job
            was resumed.
        retries: The retry policy for when the server fails or can't be reached.

    Example:
        >>> from voyageai.batches import JobTimings
        >>> JobTimings(limit_delay=600).limit_delay
        600
    """

    limit_delay: float = field(default=BATCH.backoff_minutes * 60.0, validator=gt(0))
    settle_delay: float = field(default=5.0, validator=ge(0))
    retries: RetryPolicy = field(
        factory=lambda: RetryPolicy(max_retries=8, initial_delay=2.0, max_delay=60.0)
    )


class WatchOptions(TypedDict, total=False):
    """Keyword arguments for running a job.

    Attributes:
        poll: Seconds between two polls of a batch, or a `voyageai.batches.Polling`.
        progress: None to show progress if standard error is a terminal, with bars if `rich` is
            installed; True to print it in any case; False to print nothing; or a function that is
            called with each `voyageai.batches.Progress`. Progress that is not printed is logged to
            `voyageai.batches`, long waits and failures as warnings, which Python prints where
            logging is not set up.
        timings: Waiting times after refusals and failures; None for the defaults.
    """

    poll: float | Polling | None
    progress: ProgressOption
    timings: JobTimings | None


class JobOptions(WatchOptions, total=False):
    """Keyword arguments of the methods that make a job.

    Attributes:
        directory: The directory that keeps the job, so that the same call continues it after an
            interruption. By default a temporary directory, which is kept, and named in a note, only
            if something fails.
        rows_per_line: Most rows of one request, which succeeds or fails as a whole.
        exact_tokens: True to count the tokens of the estimate with the model's tokenizer, which
            needs the extra `tokenizers`; by default they are estimated from the characters.
    """

    directory: str | os.PathLike[str] | None
    rows_per_line: int | None
    exact_tokens: bool


# A new field of the contract of batches is one line in one of these;
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


def check_options(options: Mapping[str, object], known: type[WatchOptions] = WatchOptions) -> None:
    """Check the options of a job, before anything is done.

    Args:
        options: The user's options.
        known: The class that lists the options.

    Raises:
        ArgumentError: The value of an option is wrong.
        TypeError: An option is not in `known`.
    """
    for name in options:
        if name not in known.__annotations__:
            raise TypeError(f"got an unexpected keyword argument {name!r}")
    Polling.of(cast("float | Polling | None", options.get("poll")))
    timings = options.get("timings")
    if timings is not None and not isinstance(timings, JobTimings):
        raise ArgumentError(
            f"timings must be a voyageai.batches.JobTimings or None, not {timings!r}", "timings"
        )
    progress = options.get("progress")
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ArgumentError(
            f"progress must be True, False, None or a function, not {progress!r}", "progress"
        )
