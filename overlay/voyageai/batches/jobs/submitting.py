"""Uploading a batch's file and creating the batch, each once."""

from __future__ import annotations

from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, TypeVar

from ...error import NotFoundError, RateLimitError, VoyageError
from .asking import LARGE, Asking
from .batch_files import BatchReader
from .lines import batch_metadata, is_batch_of, upload_name
from .progress import Progress, ProgressCallback
from .state import CREATING, UPLOADING
from .steps import Action, Ask, Pause, Plan, Tell

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .directory import JobDirectory
    from .options import JobTimings
    from .state import BatchState, JobState

__all__ = ["Submitting"]

T = TypeVar("T")


class Submitting:
    """Brings batches to the server.

    That something is about to be done that must not be done twice is written down first. Where
    that was written, in this run or in one that ended early, the server is asked whether it was
    done.

    Args:
        directory: The job's directory.
        state: Where the job stands.
        timings: Waiting times.
        now: Tells the time.
        asking: Asks the server.
    """

    def __init__(
        self,
        directory: JobDirectory,
        state: JobState,
        timings: JobTimings,
        now: Callable[[], datetime],
        asking: Asking,
    ) -> None:
        self._directory, self._state = directory, state
        self._reader = BatchReader(directory, state.manifest)
        self._timings, self._now, self._asking = timings, now, asking
        self._settled = self._left_off()
        self._lost: set[int] = set()
        """Batches whose uploaded file was gone, which happens once."""

    def submit(self, batch: BatchState) -> Plan[None]:
        """Upload a batch's file if it is not there, and create the batch.

        Raises:
            RateLimitError: There is no room for it now.
            VoyageError: It can't be created.
        """
        number = batch.plan.number
        while batch.batch_id is None:
            if batch.file_id is None:
                for _ in self._reader.lines(batch.plan):
                    pass  # what was changed is not sent
                with self._directory.open(self._directory.input_file(number)) as lines:
                    file = yield from self._once(
                        batch, UPLOADING, self._find_file(batch), self._uploading(batch, lines)
                    )
                created_at = file.created_at.isoformat()
                self._state.note("uploaded", batch, file_id=file.id, created_at=created_at)
            yield Tell(Progress(stage="creating", message=f"creating batch {number}", batch=number))
            try:
                made = yield from self._once(
                    batch, CREATING, self._find_batch(batch), self._creating(batch)
                )
            except VoyageError as failure:
                if number in self._lost or not (yield from self._is_lost(batch, failure)):
                    raise
                self._lost.add(number)
                message = f"the file of batch {number} is gone, and uploaded again"
                yield Tell(Progress(stage="retrying", message=message, batch=number))
                self._state.note("file_gone", batch)
            else:
                self._state.note("created", batch, batch_id=made.id)

    def find(self, batch: BatchState) -> Plan[str | None]:
        """The id of a batch at the server, also if the answer that told it was lost."""
        if batch.batch_id is not None:
            return batch.batch_id
        made = yield from self._done(batch, CREATING, self._find_batch(batch))
        return None if made is None else str(made.id)

    def _done(
        self, batch: BatchState, intent: str, find: Callable[[], Plan[T | None]]
    ) -> Plan[T | None]:
        """What was done already, though nobody heard of it."""
        if intent not in batch.begun:
            return None
        left = (self._settled - self._now()).total_seconds()
        if left > 0:
            yield Pause(min(left, self._timings.settle_wait))  # clocks are set back at times
        return (yield from find())

    def _once(
        self, batch: BatchState, intent: str, find: Callable[[], Plan[T | None]], action: Action
    ) -> Plan[T]:
        """Do what must not be done twice, even if the answer to it is lost."""
        tries = 0
        while True:
            found = yield from self._done(batch, intent, find)
            if found is not None:
                return found
            self._state.note(intent, batch)
            try:
                result: T = yield Ask(action)
            except VoyageError as failure:
                self._settled = self._left_off()
                if intent == CREATING and isinstance(failure, RateLimitError):
                    raise
                yield from self._asking.wait(failure, tries)
                tries += 1
            else:
                return result

    def _left_off(self) -> datetime:
        """When all that was sent until now has taken effect, by this process or one before it."""
        return self._now() + timedelta(seconds=self._timings.settle_wait)

    def _uploading(self, batch: BatchState, lines: IO[bytes]) -> Action:
        number, name = batch.plan.number, self._name(batch)

        def upload(vo: Any, tell: ProgressCallback) -> Any:
            def sent(done: int, total: int) -> None:
                tell(
                    Progress(
                        stage="uploading",
                        message=f"uploading batch {number}",
                        batch=number,
                        done=done,
                        total=total,
                        unit="bytes",
                    )
                )

            lines.seek(0)  # it may be sent once more
            return vo.files.upload(lines, filename=name, check=False, progress=sent, **LARGE)

        return upload

    def _creating(self, batch: BatchState) -> Action:
        job, file_id = self._state.manifest, batch.file_id
        metadata = batch_metadata(job.id, batch.plan.number)
        return lambda vo, _: vo.batches.create(
            job.task.path, file_id, dict(job.params), metadata=metadata
        )

    def _find_file(self, batch: BatchState) -> Callable[[], Plan[Any]]:
        name, size = self._name(batch), batch.plan.bytes
        return lambda: self._asking.find(
            lambda vo, after: vo.files.list(purpose="batch", after=after).page(),
            lambda file: file.filename == name and file.bytes == size,
        )

    def _find_batch(self, batch: BatchState) -> Callable[[], Plan[Any]]:
        job, number, file_id = self._state.manifest.id, batch.plan.number, batch.file_id
        return lambda: self._asking.find(
            lambda vo, after: vo.batches.list(after=after).page(),
            lambda made: made.input_file_id == file_id or is_batch_of(made.metadata, job, number),
            batch.uploaded_at,
        )

    def _name(self, batch: BatchState) -> str:
        return upload_name(self._state.manifest.id, batch.plan.number)

    def _is_lost(self, batch: BatchState, failure: VoyageError) -> Plan[bool]:
        """Whether a batch was refused because its file is gone, as files are after some time."""
        if failure.http_status not in (400, 404, 410):
            return False
        file_id = batch.file_id
        try:
            yield from self._asking.ask(lambda vo, _: vo.files.retrieve(file_id))
        except NotFoundError:
            return True
        return False
