"""Carrying a job out: what to do next, from where it stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import asdict
from voyageai_rest.errors import printable

from ...error import NotFoundError, RateLimitError, VoyageError
from ...flow import Notify, Sleep
from .. import calls
from .asking import LARGE, Asking, Steps
from .bounds import fits_in_flight
from .ceiling import Ceiling
from .progress import Progress, Told
from .submitting import Submitting

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..objects import Batch
    from ..polling import Polling
    from .folder import Folder
    from .pace import Pace
    from .state import BatchState, JobState
    from .task import Count

__all__ = ["Run"]


class Run:
    """Carries a job out from where it stands to its end.

    Args:
        folder: Its directory, whose lock is held.
        state: Where it stands.
        polling: How often to look at batches.
        pace: How long to wait for what.
        now: Tells the time.
        random: Returns random numbers from 0 up to 1.
        max_cost: US dollars that the job may cost in all; None for any sum.
        counting: Gives what counts tokens by the model's tokenizer, if that is at hand.
    """

    def __init__(
        self,
        folder: Folder,
        state: JobState,
        polling: Polling,
        pace: Pace,
        now: Callable[[], datetime],
        random: Callable[[], float],
        max_cost: float | None = None,
        counting: Callable[[], Count | None] = lambda: None,
    ) -> None:
        self._folder, self._state = folder, state
        self._polling, self._pace = polling, pace
        self._now, self._random = now, random
        self._asking = Asking(pace, random)
        self._submitting = Submitting(folder, state, pace, now, self._asking)
        self._max_cost, self._counting = max_cost, counting
        self._ceiling: Ceiling | None = None
        self._hold = now()
        """Until when no batch is created."""
        self._looks: dict[int, tuple[datetime, int]] = {}
        """When each batch is looked at next, and how often it was put off."""
        self._seen: dict[int, tuple[str, int]] = {}
        """What was last seen of each."""

    def steps(self) -> Steps[None]:
        """Do all that is left to do.

        Raises:
            MaxCostError: What is left could cost more than the job may.
            VoyageError: It can't go on; what has been done is written down.
        """
        if self._max_cost is not None:
            yield from self._find_those_in_doubt()
            self._ceiling = Ceiling(self._folder, self._state, self._max_cost, self._counting)
        while not self._state.is_over:
            for batch in self._state.batches.values():
                if batch.batch_id is None and self._may_create(batch) and self._is_paid_for(batch):
                    yield from self._submit(batch)
                if batch.is_running and self._is_due(batch):
                    yield from self._look(batch)
                for name, file_id in batch.missing.items():
                    yield from self._fetch(batch, name, file_id)
                if self._ceiling is not None and self._ceiling.settle(batch):
                    yield Notify(Progress(stage="running", message=str(self._ceiling)))
            if self._ceiling is not None and not self._state.is_over:
                told = self._ceiling.make_room()
                if told is not None:
                    yield Notify(Progress(stage="waiting", message=told))
            if not self._state.is_over:
                yield Sleep(self._until_next())

    def cancel(self) -> Steps[None]:
        """Ask the server to cancel what is in flight."""
        for batch in self._state.batches.values():
            batch_id = None if batch.status else (yield from self._submitting.find(batch))
            if batch_id is not None:
                try:
                    yield from self._asking.ask(calls.cancel(batch_id))
                except VoyageError as failure:
                    if failure.http_status not in (400, 409):  # it came to its end meanwhile
                        raise

    def _find_those_in_doubt(self) -> Steps[None]:
        """Ask the server for batches that it may have: those that it has may be billed."""
        for batch in self._state.batches.values():
            if batch.is_in_doubt:
                batch_id = yield from self._submitting.find(batch)
                if batch_id is not None:
                    self._state.note("created", batch, batch_id=batch_id)

    def _is_paid_for(self, batch: BatchState) -> bool:
        return self._ceiling is None or self._ceiling.reserve(batch)

    def _may_create(self, batch: BatchState) -> bool:
        if self._now() < self._hold:
            return False
        running = [other for other in self._state.batches.values() if other.is_running]
        tokens = [each.planned.tokens for each in (*running, batch)]
        return not running or fits_in_flight(tokens, exact=self._state.manifest.exact)

    def _submit(self, batch: BatchState) -> Steps[None]:
        """Create a batch, or put that off."""
        number = batch.planned.number
        try:
            yield from self._submitting.submit(batch)
        except RateLimitError as failure:
            seconds = failure.retry_after or self._pace.full
            self._hold = self._now() + timedelta(seconds=seconds)
            until = f"{seconds / 60:,.3g} minutes, until {self._hold.astimezone():%H:%M}"
            message = f"batch {number} is refused for now; trying again in {until}: {failure}"
            yield Notify(Progress(stage="waiting", message=message, batch=number))
        else:
            self._look_later(number)
            yield self._running(batch, f"batch {number} is {printable(str(batch.batch_id))}")

    def _look(self, batch: BatchState) -> Steps[None]:
        """See how a batch stands."""
        number, batch_id = batch.planned.number, batch.batch_id
        try:
            seen: Batch = yield from self._asking.ask(calls.retrieve(str(batch_id)))
        except NotFoundError as failure:
            failure.add_note(
                f"{printable(str(batch_id))} is batch {number} of the job in {self._folder.path}. "
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

    def _fetch(self, batch: BatchState, name: str, file_id: str) -> Steps[None]:
        """Download one of a batch's files."""
        number = batch.planned.number
        path = self._folder.answers(number, name)

        def download(files: Any, tell: Told) -> Any:
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

            content = files.content(file_id, **LARGE)
            return content.write_to(path, resume=True, progress=received)

        try:
            yield from self._asking.ask(download)
        except NotFoundError:
            self._state.note("gone", batch, file=name)
            message = f"the {name} file of batch {number} is gone"
            yield Notify(Progress(stage="failed", message=message, batch=number))
        else:
            content = self._folder.content(path)
            facts = {} if content is None else content._asdict()  # somebody was quick to remove it
            self._state.note("downloaded", batch, file=name, **facts)

    def _is_due(self, batch: BatchState) -> bool:
        look = self._looks.get(batch.planned.number)
        return look is None or self._now() >= look[0]

    def _until_next(self) -> float:
        """Seconds until there is something to do."""
        batches = self._state.batches.values()
        due = [self._looks[b.planned.number][0] for b in batches if b.is_running]
        if any(b.batch_id is None for b in batches) and (self._hold > self._now() or not due):
            due.append(self._hold)
        return max((min(due) - self._now()).total_seconds(), 0.0)

    def _look_later(self, number: int) -> None:
        _, looks = self._looks.get(number, (None, 0))
        seconds = self._polling.pause(looks, self._random())
        self._looks[number] = self._now() + timedelta(seconds=seconds), looks + 1

    @staticmethod
    def _running(batch: BatchState, message: str, done: int = 0) -> Notify:
        return Notify(
            Progress(
                stage="running",
                message=message,
                batch=batch.planned.number,
                done=done,
                total=batch.planned.requests,
                unit="requests",
            )
        )
