"""Intervals between polls of a batch job, and the flows that wait for a job and cancel it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import ge, gt

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

STEPS = 64
"""Number of polls after which the delays stop growing, to avoid overflows."""
LAST_POLL = 5.0
"""Seconds that the last poll may take beyond the timeout of the wait."""
CANCELLED: tuple[BatchStatus, ...] = ("cancelling", "cancelled")


@frozen(kw_only=True)
class Polling:
    """Delays between polls, which grow up to a maximum.

    Attributes:
        initial_delay: Seconds before the second poll.
        factor: Factor by which each delay is longer than the one before.
        max_delay: Longest delay, in seconds.
        jitter: Largest share by which a delay is randomly shortened, so that many waiting programs
            do not poll at the same moment.
        failure_timeout: Seconds for which polls may fail without a success before the wait fails.

    Example:
        >>> from voyageai.batches import Polling
        >>> polling = Polling(initial_delay=1, factor=2, max_delay=5)
        >>> [polling.delay(polls, 0.0) for polls in range(4)]
        [1.0, 2.0, 4.0, 5.0]
    """

    initial_delay: float = field(default=1.0, validator=gt(0))
    factor: float = field(default=1.5, validator=ge(1))
    max_delay: float = field(default=60.0, validator=gt(0))
    jitter: float = field(default=0.2, validator=ge(0))
    failure_timeout: float = field(default=3600.0, validator=ge(0))

    @classmethod
    def of(cls, poll: float | Polling | None) -> Polling:
        """Convert the argument `poll`: a `Polling`, seconds between polls, or None for the default.

        Raises:
            ArgumentError: `poll` is none of these.
        """
        if poll is None:
            return cls()
        if isinstance(poll, Polling):
            return poll
        if type(poll) not in (int, float) or not poll > 0:
            raise ArgumentError(
                f"poll must be a number of seconds greater than 0, or a Polling, not {poll!r}",
                "poll",
            )
        return cls(initial_delay=poll, factor=1.0, max_delay=poll)

    def delay(self, polls: int, random: float) -> float:
        """Return the seconds to wait after a poll.

        Args:
            polls: Number of polls before it.
            random: A random number, at least 0 and below 1.
        """
        grown = min(self.max_delay, self.initial_delay * self.factor ** min(polls, STEPS))
        return grown * (1 - min(self.jitter, 1.0) * random)


def wait(
    batch: str | Batch,
    timeout: float | None,
    polling: Polling,
    options: CallOptions,
    environment: Environment,
) -> Flow[Call[Any], Batch]:
    """Return the flow of `Batches.wait`, which notifies of changes of status or counts.

    Raises:
        ArgumentError: `timeout` is below 0, or `batch` is no id.
    """
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
        poll_options: CallOptions = {**options}
        if end is not None:
            poll_options["deadline"] = max(end - clock(), LAST_POLL)
        failure: VoyageError | None = None
        try:
            found: Batch = yield Request(calls.retrieve(batch_id), poll_options)
        except VoyageError as raised:
            failing_since = clock() if failing_since is None else failing_since
            if not is_transient(raised) or clock() - failing_since > polling.failure_timeout:
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
        delay = polling.delay(polls, environment.random())
        polls += 1
        if failure is not None:
            delay = max(delay, failure.retry_after or 0.0)
        if end is not None:
            left = end - clock()
            if left <= 0:
                raise _overdue(batch_id, last, clock() - start, failure) from failure
            delay = min(delay, left)
        yield Sleep(delay)


def cancel(batch_id: str, options: CallOptions) -> Flow[Call[Any], Batch]:
    """Return the flow of `Batches.cancel`."""
    try:
        cancelled: Batch = yield Request(calls.cancel(batch_id), options)
    except InvalidRequestError as refusal:
        if refusal.attempts < 2:
            raise
        # An earlier attempt may have succeeded, its response being lost.
        found: Batch = yield Request(calls.retrieve(batch_id), options)
        if found.status not in CANCELLED:
            raise
        return found
    return cancelled


def _state(batch: Batch) -> object:
    return batch.status, batch.request_counts


def _overdue(
    batch_id: str, last: Batch | None, seconds: float, failure: VoyageError | None
) -> DeadlineError:
    outcome = f"no poll of {batch_id} succeeded" if last is None else f"{last!r} is not done"
    failed = f"; the last poll failed: {failure}" if failure is not None else ""
    return DeadlineError(f"{outcome} after {seconds:.3g} s{failed}. The job itself goes on.")
