"""Batch jobs of the API, and jobs of any size that consist of them: `client.batches`.

    results = vo.batches.embed(texts, model="voyage-4", directory="my-job")

`voyageai.batches.jobs.lines` explains the names of lines, files and batches,
`voyageai.batches.jobs.directory` the directory of a job.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ..prices import MaxCostError
from .objects import Batch, BatchError, RequestCounts
from .polling import Polling
from .resource import Batches, PollOptions
from .resource_async import AsyncBatches

if TYPE_CHECKING:
    from .jobs.directory import JobDirectoryError, JobInUseError
    from .jobs.estimate import Estimate
    from .jobs.job import AsyncJob, Job
    from .jobs.options import (
        ContextualizedEmbedJobOptions,
        EmbedJobOptions,
        JobOptions,
        JobTimings,
        RerankJobOptions,
    )
    from .jobs.progress import Progress
    from .jobs.result_join import Failure, Failures
    from .jobs.results import (
        BatchContextualizedEmbeddings,
        BatchEmbeddings,
        BatchRerankings,
        BatchResults,
        Row,
    )

__all__ = [
    "AsyncBatches",
    "AsyncJob",
    "Batch",
    "BatchContextualizedEmbeddings",
    "BatchEmbeddings",
    "BatchError",
    "BatchRerankings",
    "BatchResults",
    "Batches",
    "ContextualizedEmbedJobOptions",
    "EmbedJobOptions",
    "Estimate",
    "Failure",
    "Failures",
    "Job",
    "JobDirectoryError",
    "JobInUseError",
    "JobOptions",
    "JobTimings",
    "MaxCostError",
    "PollOptions",
    "Polling",
    "Progress",
    "RequestCounts",
    "RerankJobOptions",
    "Row",
]

# Loaded on first use, as single batches need none of them.
_LAZY = {
    "AsyncJob": ".jobs.job",
    "BatchContextualizedEmbeddings": ".jobs.results",
    "BatchEmbeddings": ".jobs.results",
    "BatchRerankings": ".jobs.results",
    "BatchResults": ".jobs.results",
    "ContextualizedEmbedJobOptions": ".jobs.options",
    "EmbedJobOptions": ".jobs.options",
    "Estimate": ".jobs.estimate",
    "Failure": ".jobs.result_join",
    "Failures": ".jobs.result_join",
    "Job": ".jobs.job",
    "JobDirectoryError": ".jobs.directory",
    "JobInUseError": ".jobs.directory",
    "JobOptions": ".jobs.options",
    "JobTimings": ".jobs.options",
    "Progress": ".jobs.progress",
    "RerankJobOptions": ".jobs.options",
    "Row": ".jobs.results",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name], __name__), name)
