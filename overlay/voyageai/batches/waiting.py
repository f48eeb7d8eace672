"""Waiting for the end of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..error import ArgumentError, DeadlineError, InvalidRequestError, VoyageError
from ..files.calls import check_id
from ..flow import Environment, Flow, Notify, Request, Sleep
from ..retry import is_transient
from . import calls
from .objects import Batch

if TYPE_CHECKING:
    from voyageai_rest.models import BatchStatus

    from ..calls import Call
    from ..options import CallOptions
    from .polling import Polling

LAST = 5.0
"""Seconds that the last poll may take beyond the time for the wait."""
ON_ITS_WAY: tuple[BatchStatus, ...] = ("cancelling", "cancelled")


def waiting(
    batch: str | Batch,
    timeout: float | None,
    polling: Polling,
    options: CallOptions,
    environment: Environment,
) -> Flow[Call[Any], Batch]:
    """See `Batches.wait`."""
    if timeout is not None and not timeout >= 0:
        raise ArgumentError(f"timeout must be 0 seconds or more, not {timeout!r}", "timeout")
    batch_id = check_id("batch", batch.id if isinstance(batch, Batch) else batch)
    clock = environment.clock
    start = clock()
    end = None if timeout is None else start + timeout
    last: Batch | None = None
    failing_since: float | None = None
    polls = 0
    while True:
        asked: CallOptions = {**options}
        if end is not None:
            asked["deadline"] = max(end - clock(), LAST)
        failure: VoyageError | None = None
        try:
            found: Batch = yield Request(calls.retrieve(batch_id), asked)
        except VoyageError as raised:
            failing_since = clock() if failing_since is None else failing_since
            if not is_transient(raised) or clock() - failing_since > polling.patience:
                raise
            failure = raised
        else:
            failing_since = None
            changed = last is None or _state(found) != _state(last)
            last = found
            if changed:
                yield Notify(found)
            if found.is_done:
                return found
        pause = polling.pause(polls, environment.random())
        polls += 1
        if failure is not None:
            pause = max(pause, failure.retry_after or 0.0)
        if end is not None:
            left = end - clock()
            if left <= 0:
                raise _overdue(batch_id, last, clock() - start, failure) from failure
            pause = min(pause, left)
        yield Sleep(pause)


def cancelling(batch_id: str, options: CallOptions) -> Flow[Call[Any], Batch]:
    """See `Batches.cancel`."""
    try:
        cancelled: Batch = yield Request(calls.cancel(batch_id), options)
    except InvalidRequestError as refusal:
        if refusal.attempts < 2:
            raise
        # Of the tries before, the answer may be lost: that is no reason to refuse.
        found: Batch = yield Request(calls.retrieve(batch_id), options)
        if found.status not in ON_ITS_WAY:
            raise
        return found
    return cancelled


def _state(batch: Batch) -> object:
    return batch.status, batch.request_counts


def _overdue(
    batch_id: str, last: Batch | None, seconds: float, failure: VoyageError | None
) -> DeadlineError:
    stands = f"{batch_id} did not answer" if last is None else f"{last!r} is not done"
    failed = f"; the last poll failed: {failure}" if failure is not None else ""
    return DeadlineError(f"{stands} after {seconds:.3g} s{failed}. It goes on all the same.")
