"""The rows of a job that have failed, as further batches of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ratelimit.tokens import estimate_tokens
from ...retry import RETRYABLE
from .batch_files import BatchWriter
from .bounds import billable_count
from .lines import Size
from .result_join import ResultJoin

if TYPE_CHECKING:
    from .directory import JobDirectory
    from .failures import FailureReason
    from .state import BatchPlan, JobState

__all__ = ["add_failed"]


def add_failed(directory: JobDirectory, state: JobState) -> int:
    """Add batches for the rows that have failed.

    Rows of a line that was refused for what it holds are sent one by one, so that only the one at
    fault fails again. Lines that made a whole batch fail are kept apart from the others.

    Args:
        directory: The job's directory, whose lock is held.
        state: Where the job stands; the batches are added to it.

    Returns:
        How many rows they hold.
    """
    task, job = state.manifest.task, state.manifest.id
    join = ResultJoin(directory, state)
    most = billable_count(task, None)
    planned: list[BatchPlan] = []
    rows = 0
    for blamed in (False, True):
        first = max(state.batches) + 1 + len(planned)
        writer = BatchWriter(directory, task, job, first, exact=False)
        try:
            for row, items, reason in join.failed_lines():
                if reason.failed_batch is not blamed:
                    continue
                rows += len(items)
                alone = blamed or _is_refused(reason)
                step = 1 if alone else len(items)
                for start in range(0, len(items), step):
                    part = items[start : start + step]
                    size = Size()
                    for item in part:
                        one = task.size(item, estimate_tokens)
                        size = size.plus(one._replace(most_tokens=task.most(item, most)))
                    writer.add(row + start, part, size)
            planned += writer.finish()
        finally:
            writer.close()
    if planned:
        state.extend(planned)
    return rows


def _is_refused(reason: FailureReason) -> bool:
    """Whether a line would be refused again."""
    status = reason.status or 0
    return status >= 400 and status not in RETRYABLE
