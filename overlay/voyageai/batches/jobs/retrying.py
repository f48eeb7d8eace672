"""The rows of a job that have failed, as further batches of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ratelimit.tokens import estimate_tokens
from ...retry import RETRYABLE
from .bounds import most_tokens
from .joining import Join
from .packing import Size
from .writing import BatchWriter

if TYPE_CHECKING:
    from .failures import Reason
    from .folder import Folder
    from .state import JobState, Planned

__all__ = ["add_failed"]


def add_failed(folder: Folder, state: JobState) -> int:
    """Add batches for the rows that have failed.

    Rows of a line that was refused for what it holds are sent one by one, so that only the one at
    fault fails again. Lines that made a whole batch fail are kept apart from the others.

    Args:
        folder: The job's directory, whose lock is held.
        state: Where the job stands; the batches are added to it.

    Returns:
        How many rows they hold.
    """
    task, job = state.manifest.task, state.manifest.id
    join = Join(folder, state)
    most = most_tokens(task, None)
    planned: list[Planned] = []
    rows = 0
    for blamed in (False, True):
        first = max(state.batches) + 1 + len(planned)
        writer = BatchWriter(folder, task, job, first, exact=False)
        try:
            for row, items, reason in join.lines():
                if reason.blamed is not blamed:
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


def _is_refused(reason: Reason) -> bool:
    """Whether a line would be refused again."""
    status = reason.status or 0
    return status >= 400 and status not in RETRYABLE
