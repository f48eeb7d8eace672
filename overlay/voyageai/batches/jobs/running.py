"""The flow that runs a job, from its current state to its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import asdict
from voyageai_rest.errors import printable

from ...error import NotFoundError, RateLimitError, VoyageError
from ...files import AsyncFiles, Files
from ...flow import Notify, Sleep, run, run_async
from ...ratelimit.tokens import estimate_tokens
from ...retry import RETRYABLE
from .. import calls
from .batch_files import BatchWriter
from .ceiling import CostCeiling
from .estimate import billable_count, fits_in_flight, share_in_flight
from .lines import Bin
from .progress import Progress, ProgressCallback, transfer_progress
from .sending import NO_TIME_LIMIT, BatchSubmitter, JobFlow, Message, PollingRetry

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...flow import AsyncSender, BatchLimits, Environment, Request, Sender
    from ...telemetry.jobs import JobSpan
    from ..objects import Batch
    from ..polling import Polling
    from .directory import JobDirectory
    from .options import JobTimings
    from .result_join import FailedLine, ResultJoin
    from .state import BatchPlan, BatchState, JobState
    from .tasks import Count

__all__ = ["JobRun", "add_failed", "carry_out", "carry_out_async"]

T = TypeVar("T")
ENDED = (400, 409)
"""HTTP statuses of the cancellation of a batch that has already ended."""


class JobRun:
    """Runs a job, from its current state to its end.

    Args:
        directory: The job's directory, whose lock is held.
        state: The job's state.
        polling: Intervals at which batches are polled.
        timings: Other waiting times.
        environment: Clocks, randomness and the limits of batches.
        span: The span of the run.
        max_cost: US dollars that the job may cost in total; None for no limit.
        get_count: Returns a function that counts tokens with the model's tokenizer, or None if that
            is not at hand.
        spent: US dollars of `max_cost` that were spent before the job.
    """

    def __init__(
        self,
        directory: JobDirectory,
        state: JobState,
        polling: Polling,
        timings: JobTimings,
        environment: Environment,
        *,
        span: JobSpan,
        max_cost: float | None = None,
        get_count: Callable[[], Count | None] = lambda: None,
        spent: float = 0.0,
    ) -> None:
        self._directory, self._state = directory, state
        self._polling, self._timings = polling, timings
        self._now, self._random = environment.now, environment.random
        self._limits = environment.batch_limits
        self._retry = PollingRetry(timings, self._random)
        self._submitter = BatchSubmitter(directory, state, timings, self._now, self._retry)
        self._span = span
        self._max_cost, self._get_count, self._spent = max_cost, get_count, spent
        self._ceiling: CostCeiling | None = None
        self._create_after = self._now()
        """The time before which no batch is created."""
        self._next_polls: dict[int, tuple[datetime, int]] = {}
        """Time of the next poll and number of polls, by the number of the batch."""
        self._seen: dict[int, tuple[str, int]] = {}
        """Status and number of finished requests at the last poll, by the number of the batch."""

    def steps(self) -> JobFlow[None]:
        """Run the job, or what is left of it.

        Raises:
            MaxCostError: The rest could cost more than `max_cost`.
            VoyageError: The job can't continue; its progress is in the journal.
        """
        if self._max_cost is not None:
            yield from self._recover_created()
            self._ceiling = CostCeiling(
                *(self._directory, self._state, self._limits),
                *(self._max_cost, self._get_count, self._spent),
            )
        while not self._state.is_over:
            for batch in self._state.batches.values():
                if batch.batch_id is None and self._may_create(batch):
                    self._record(batch)
                    yield from self._submit(batch)
                elif batch.batch_id is not None and not batch.is_over:
                    self._record(batch)  # created in an earlier run
                if batch.is_running and self._is_due(batch):
                    yield from self._poll(batch)
                for name, file_id in batch.missing.items():
                    yield from self._download(batch, name, file_id)
                if batch.is_over:
                    self._record(batch)
                if self._ceiling is not None and self._ceiling.settle(batch):
                    yield Notify(Progress(stage="running", message=str(self._ceiling)))
            if self._state.is_over:
                return
            if self._ceiling is not None:
                message = self._ceiling.make_room()
                if message is not None:
                    yield Notify(Progress(stage="waiting", message=message))
            yield Sleep(self._until_next())

    def cancel(self) -> JobFlow[None]:
        """Ask the server to cancel the batches in flight."""
        for batch in self._state.batches.values():
            batch_id = None if batch.status else (yield from self._submitter.find(batch))
            if batch_id is not None:
                try:
                    yield from self._retry.send(calls.cancel(batch_id))
                except VoyageError as failure:
                    if failure.http_status not in ENDED:
                        raise

    def _recover_created(self) -> JobFlow[None]:
        """Find the batches that were created although the response was lost, as they are billed."""
        for batch in self._state.batches.values():
            if batch.may_exist:
                batch_id = yield from self._submitter.find(batch)
                if batch_id is not None:
                    self._state.note("created", batch, batch_id=batch_id)

    def _may_create(self, batch: BatchState) -> bool:
        """Return whether a batch may be in flight, and reserve its cost under the ceiling."""
        if self._now() < self._create_after:
            return False
        running = self._running_tokens()
        if running and not fits_in_flight(
            self._limits, [*running, batch.plan.tokens], exact=self._exact
        ):
            return False
        return self._ceiling is None or self._ceiling.reserve(batch)

    def _running_tokens(self) -> list[int]:
        """Return the tokens of each batch in flight."""
        return [each.plan.tokens for each in self._state.batches.values() if each.is_running]

    @property
    def _exact(self) -> bool:
        return self._state.manifest.exact

    def _record(self, batch: BatchState) -> None:
        """Begin or end the span of a batch, by its state."""
        if not self._span.is_on:
            return
        plan, id = batch.plan, batch.batch_id
        if batch.is_over:
            is_failed = bool(batch.errors)
            self._span.end(plan.number, is_failed=is_failed, id=id, status=batch.status)
        else:
            self._span.begin(plan.number, id=id, requests=plan.requests, rows=plan.rows)

    def _submit(self, batch: BatchState) -> JobFlow[None]:
        """Create a batch, or postpone it if the organization has too much in flight."""
        number = batch.plan.number
        try:
            yield from self._submitter.submit(batch)
        except RateLimitError as failure:
            seconds = failure.retry_after or self._timings.limit_delay
            self._create_after = self._now() + timedelta(seconds=seconds)
            self._span.add(refusals=1)
            until = f"{seconds / 60:,.3g} minutes, until {self._create_after.astimezone():%H:%M}"
            message = f"batch {number} is refused for now; trying again in {until}: {failure}"
            yield Notify(Progress(stage="waiting", message=message, batch=number))
        else:
            self._poll_later(number)
            if self._span.is_on:
                running = self._running_tokens()
                self._span.share(share_in_flight(self._limits, running, exact=self._exact))
            yield self._progress(batch, f"batch {number} is {printable(str(batch.batch_id))}")

    def _poll(self, batch: BatchState) -> JobFlow[None]:
        """Retrieve a batch, and record its end in the journal."""
        number, batch_id = batch.plan.number, str(batch.batch_id)
        try:
            found: Batch = yield from self._retry.send(calls.retrieve(batch_id))
        except NotFoundError as failure:
            failure.add_note(
                f"{printable(batch_id)} is batch {number} of the job in {self._directory.path}. "
                "Was the job started with the key of another organization or project, or on "
                "another host?"
            )
            raise
        done = found.request_counts.completed + found.request_counts.failed
        if self._seen.get(number) != (found.status, done):
            self._seen[number] = found.status, done
            yield self._progress(batch, f"batch {number} is {printable(found.status)}", done)
        if not found.is_done:
            self._poll_later(number)
            return
        files = {"output": found.output_file_id, "error": found.error_file_id}
        self._state.note(
            "ended",
            batch,
            status=found.status,
            files={name: file_id for name, file_id in files.items() if file_id},
            errors=[asdict(error) for error in found.errors],
        )

    def _download(self, batch: BatchState, name: str, file_id: str) -> JobFlow[None]:
        """Download one of a batch's files."""
        number = batch.plan.number
        path = self._directory.answer_file(number, name)

        def download(files: Any, show: ProgressCallback) -> Any:
            message = f"downloading the {name} file of batch {number}"
            progress = transfer_progress(show, "downloading", message, number)
            content = files.content(file_id, **NO_TIME_LIMIT)
            return content.write_to(path, resume=True, progress=progress)

        try:
            yield from self._retry.send(download)
        except NotFoundError:
            self._state.note("gone", batch, file=name)
            message = f"the {name} file of batch {number} is gone"
            yield Notify(Progress(stage="failed", message=message, batch=number))
        else:
            found = self._directory.digest(path)
            facts = {} if found is None else found._asdict()  # it may have been removed since
            self._state.note("downloaded", batch, file=name, **facts)

    def _is_due(self, batch: BatchState) -> bool:
        """Return whether it is time to poll a batch."""
        poll = self._next_polls.get(batch.plan.number)
        return poll is None or self._now() >= poll[0]

    def _poll_later(self, number: int) -> None:
        _, polls = self._next_polls.get(number, (None, 0))
        seconds = self._polling.delay(polls, self._random())
        self._next_polls[number] = self._now() + timedelta(seconds=seconds), polls + 1

    def _until_next(self) -> float:
        """Return the seconds until the next poll or creation."""
        batches = self._state.batches.values()
        due = [self._next_polls[each.plan.number][0] for each in batches if each.is_running]
        if any(each.batch_id is None for each in batches) and (
            self._create_after > self._now() or not due
        ):
            due.append(self._create_after)
        return max((min(due) - self._now()).total_seconds(), 0.0)

    @staticmethod
    def _progress(batch: BatchState, message: str, done: int = 0) -> Notify:
        return Notify(
            Progress(
                stage="running",
                message=message,
                batch=batch.plan.number,
                done=done,
                total=batch.plan.requests,
                unit="requests",
            )
        )


def carry_out(sender: Sender, flow: JobFlow[T], show: ProgressCallback = lambda _: None) -> T:
    """Carry out a flow of a job, and report its progress."""
    files = Files(sender)

    def send(step: Request[Message]) -> object:
        if callable(step.message):
            return step.message(files, show)
        return sender.send(step.message, step.options)

    return run(flow, send, sender.sleep, show)


async def carry_out_async(
    sender: AsyncSender, flow: JobFlow[T], show: ProgressCallback = lambda _: None
) -> T:
    """Carry out a flow of a job without blocking, and report its progress."""
    files = AsyncFiles(sender)

    async def send(step: Request[Message]) -> object:
        if callable(step.message):
            return await step.message(files, show)
        return await sender.send(step.message, step.options)

    return await run_async(flow, send, sender.sleep, show, in_threads=True)


def add_failed(
    directory: JobDirectory,
    state: JobState,
    join: ResultJoin,
    limits: BatchLimits,
    wanted: Callable[[FailedLine], bool] = lambda _: True,
) -> int:
    """Add batches for failed rows.

    Rows of a line that was refused for its content are sent one by one, so that only the row at
    fault fails again. Lines that made a whole batch fail are put into batches of their own.

    Args:
        directory: The job's directory, whose lock is held.
        state: The job's state, to which the batches are added.
        join: The join of the rows with their results.
        limits: The limits of batches.
        wanted: Predicate that selects the lines whose rows are added; all by default.

    Returns:
        The number of rows in these batches.
    """
    task, job = state.manifest.task, state.manifest.id
    billable = billable_count(task, None)
    plans: list[BatchPlan] = []
    rows = 0
    for failed_batch in (False, True):
        first = max(state.batches) + 1 + len(plans)
        writer = BatchWriter(directory, task, job, first, limits, exact=False)
        try:
            for line in join.failed_lines():
                if line.reason.failed_batch is not failed_batch or not wanted(line):
                    continue
                rows += len(line.items)
                status = line.reason.status or 0
                is_refused = (
                    status >= 400 and status not in RETRYABLE
                )  # a retry as a whole would fail again
                step = 1 if failed_batch or is_refused else len(line.items)
                for start in range(0, len(line.items), step):
                    items = line.items[start : start + step]
                    whole = Bin()
                    for item in items:
                        whole.add(task.size(item, estimate_tokens, billable))
                    writer.add(line.first + start, items, whole.size)
            plans += writer.finish()
        finally:
            writer.close()
    if plans:
        state.extend(plans)
    return rows
