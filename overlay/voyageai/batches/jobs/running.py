"""Carrying a job out: what to do next, from where it stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import asdict
from voyageai_rest.errors import printable

from ...error import NotFoundError, RateLimitError, VoyageError
from .asking import LARGE, Asking
from .bounds import fits_in_flight
from .ceiling import CostCeiling
from .progress import Progress, ProgressCallback
from .steps import Action, Pause, Plan, Tell
from .submitting import Submitting

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..objects import Batch
    from ..polling import Polling
    from .directory import JobDirectory
    from .options import JobTimings
    from .state import BatchState, JobState
    from .task import Count

__all__ = ["Run"]


class Run:
    """Carries a job out from where it stands to its end.

    Args:
        directory: Its directory, whose lock is held.
        state: Where it stands.
        polling: How often to look at batches.
        timings: Waiting times.
        now: Tells the time.
        dice: Random numbers from 0 up to 1.
        max_cost: US dollars that the job may cost in all; None for any sum.
        get_count: Gives what counts tokens by the model's tokenizer, if that is at hand.
    """

    def __init__(
        self,
        directory: JobDirectory,
        state: JobState,
        polling: Polling,
        timings: JobTimings,
        now: Callable[[], datetime],
        dice: Callable[[], float],
        max_cost: float | None = None,
        get_count: Callable[[], Count | None] = lambda: None,
    ) -> None:
        self._directory, self._state = directory, state
        self._polling, self._timings = polling, timings
        self._now, self._dice = now, dice
        self._asking = Asking(timings, dice)
        self._submitting = Submitting(directory, state, timings, now, self._asking)
        self._max_cost, self._get_count = max_cost, get_count
        self._ceiling: CostCeiling | None = None
        self._hold = now()
        """Until when no batch is created."""
        self._looks: dict[int, tuple[datetime, int]] = {}
        """When each batch is looked at next, and how often it was put off."""
        self._seen: dict[int, tuple[str, int]] = {}
        """What was last seen of each."""

    def steps(self) -> Plan[None]:
        """All that is left to do.

        Raises:
            MaxCostError: What is left could cost more than the job may.
            VoyageError: It can't go on; what has been done is written down.
        """
        if self._max_cost is not None:
            yield from self._find_those_in_doubt()
            self._ceiling = CostCeiling(
                self._directory, self._state, self._max_cost, self._get_count
            )
        while not self._state.is_over:
            for batch in self._state.batches.values():
                if batch.batch_id is None and self._may_create(batch) and self._is_paid_for(batch):
                    yield from self._submit(batch)
                if batch.is_running and self._is_due(batch):
                    yield from self._look(batch)
                for name, file_id in batch.missing.items():
                    yield from self._fetch(batch, name, file_id)
                if self._ceiling is not None and self._ceiling.settle(batch):
                    yield Tell(Progress(stage="running", message=str(self._ceiling)))
            if self._ceiling is not None and not self._state.is_over:
                told = self._ceiling.make_room()
                if told is not None:
                    yield Tell(Progress(stage="waiting", message=told))
            if not self._state.is_over:
                yield Pause(self._until_next())

    def cancel(self) -> Plan[None]:
        """Ask the server to cancel what is in flight."""
        for batch in self._state.batches.values():
            batch_id = None if batch.status else (yield from self._submitting.find(batch))
            if batch_id is not None:
                try:
                    yield from self._asking.ask(_cancelling(batch_id))
                except VoyageError as failure:
                    if failure.http_status not in (400, 409):  # it came to its end meanwhile
                        raise

    def _find_those_in_doubt(self) -> Plan[None]:
        """Ask the server for batches that it may have: those that it has may be billed."""
        for batch in self._state.batches.values():
            if batch.may_exist:
                batch_id = yield from self._submitting.find(batch)
                if batch_id is not None:
                    self._state.note("created", batch, batch_id=batch_id)

    def _is_paid_for(self, batch: BatchState) -> bool:
        return self._ceiling is None or self._ceiling.reserve(batch)

    def _may_create(self, batch: BatchState) -> bool:
        if self._now() < self._hold:
            return False
        running = [other for other in self._state.batches.values() if other.is_running]
        tokens = [each.plan.tokens for each in (*running, batch)]
        return not running or fits_in_flight(tokens, exact=self._state.manifest.exact)

    def _submit(self, batch: BatchState) -> Plan[None]:
        """Create a batch, or put that off."""
        number = batch.plan.number
        try:
            yield from self._submitting.submit(batch)
        except RateLimitError as failure:
            seconds = failure.retry_after or self._timings.limit_wait
            self._hold = self._now() + timedelta(seconds=seconds)
            until = f"{seconds / 60:,.3g} minutes, until {self._hold.astimezone():%H:%M}"
            message = f"batch {number} is refused for now; trying again in {until}: {failure}"
            yield Tell(Progress(stage="waiting", message=message, batch=number))
        else:
            self._look_later(number)
            yield self._running(batch, f"batch {number} is {printable(str(batch.batch_id))}")

    def _look(self, batch: BatchState) -> Plan[None]:
        """See how a batch stands."""
        number, batch_id = batch.plan.number, batch.batch_id
        try:
            seen: Batch = yield from self._asking.ask(lambda vo, _: vo.batches.retrieve(batch_id))
        except NotFoundError as failure:
            failure.add_note(
                f"{printable(str(batch_id))} is batch {number} of the job in {self._directory.path}. "
                "Was the job begun with the key of another organization or project, or at another "
                "host?"
            )
            raise
        done = seen.request_counts.completed + seen.request_counts.failed
        if self._seen.get(number) != (seen.status, done):
            self._seen[number] = seen.status, done
            yield self._running(batch, f"batch {number} is {printable(seen.status)}", done)
        if not seen.is_done:
            self._look_later(number)
            return
        files = {"output": seen.output_file_id, "error": seen.error_file_id}
        self._state.note(
            "ended",
            batch,
            status=seen.status,
            files={name: id for name, id in files.items() if id},
            errors=[asdict(error) for error in seen.errors],
        )

    def _fetch(self, batch: BatchState, name: str, file_id: str) -> Plan[None]:
        """Download one of a batch's files."""
        number = batch.plan.number
        path = self._directory.answer_file(number, name)

        def download(vo: Any, tell: ProgressCallback) -> Any:
            def received(done: int, total: int) -> None:
                tell(
                    Progress(
                        stage="downloading",
                        message=f"downloading the {name} file of batch {number}",
                        batch=number,
                        done=done,
                        total=total,
                        unit="bytes",
                    )
                )

            content = vo.files.content(file_id, **LARGE)
            return content.write_to(path, resume=True, progress=received)

        try:
            yield from self._asking.ask(download)
        except NotFoundError:
            self._state.note("gone", batch, file=name)
            message = f"the {name} file of batch {number} is gone"
            yield Tell(Progress(stage="failed", message=message, batch=number))
        else:
            content = self._directory.digest(path)
            facts = {} if content is None else content._asdict()  # somebody was quick to remove it
            self._state.note("downloaded", batch, file=name, **facts)

    def _is_due(self, batch: BatchState) -> bool:
        look = self._looks.get(batch.plan.number)
        return look is None or self._now() >= look[0]

    def _until_next(self) -> float:
        """Seconds until there is something to do."""
        batches = self._state.batches.values()
        due = [self._looks[b.plan.number][0] for b in batches if b.is_running]
        if any(b.batch_id is None for b in batches) and (self._hold > self._now() or not due):
            due.append(self._hold)
        return max((min(due) - self._now()).total_seconds(), 0.0)

    def _look_later(self, number: int) -> None:
        _, looks = self._looks.get(number, (None, 0))
        seconds = self._polling.pause(looks, self._dice())
        self._looks[number] = self._now() + timedelta(seconds=seconds), looks + 1

    @staticmethod
    def _running(batch: BatchState, message: str, done: int = 0) -> Tell:
        return Tell(
            Progress(
                stage="running",
                message=message,
                batch=batch.plan.number,
                done=done,
                total=batch.plan.requests,
                unit="requests",
            )
        )


def _cancelling(batch_id: str) -> Action:
    return lambda vo, _: vo.batches.cancel(batch_id)
