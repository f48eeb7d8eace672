"""Jobs of any size, made of batches: what `client.batches.embed` and its like give and take.

    results = vo.batches.embed(texts, model="voyage-4", directory="my-job")

The names of lines, files and batches are explained in `voyageai.bulk.names`, the job's directory
in `voyageai.bulk.folder`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import JobDirectoryError, JobInUseError, MaxCostError
    from .estimate import Estimate
    from .failures import Failure, Failures
    from .jobs import AsyncJob, Job
    from .pace import Pace
    from .preparing import JobOptions
    from .progress import Progress
    from .results import (
        BatchContextualizedEmbeddings,
        BatchEmbeddings,
        BatchRerankings,
        BatchResults,
        Row,
    )

__all__ = [
    "AsyncJob",
    "BatchContextualizedEmbeddings",
    "BatchEmbeddings",
    "BatchRerankings",
    "BatchResults",
    "Estimate",
    "Failure",
    "Failures",
    "Job",
    "JobDirectoryError",
    "JobInUseError",
    "JobOptions",
    "MaxCostError",
    "Pace",
    "Progress",
    "Row",
]

# Loaded when they are asked for: single batches need none of them.
_LATE = {
    "AsyncJob": ".jobs",
    "BatchContextualizedEmbeddings": ".results",
    "BatchEmbeddings": ".results",
    "BatchRerankings": ".results",
    "BatchResults": ".results",
    "Estimate": ".estimate",
    "Failure": ".failures",
    "Failures": ".failures",
    "Job": ".jobs",
    "JobDirectoryError": ".errors",
    "JobInUseError": ".errors",
    "JobOptions": ".preparing",
    "MaxCostError": ".errors",
    "Pace": ".pace",
    "Progress": ".progress",
    "Row": ".results",
}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATE[name], __name__), name)
