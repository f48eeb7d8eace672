"""Sending of a job's requests: those that may be repeated until they succeed, the others once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import IO, TYPE_CHECKING, Any, TypeVar

from ...calls import Call
from ...error import MalformedResponseError, NotFoundError, RateLimitError, VoyageError
from ...files import calls as file_calls
from ...flow import Flow, Notify, Request, Sleep
from ...retry import GiveUp, ServerHint, is_transient
from .. import calls
from .batch_files import BatchReader
from .lines import batch_metadata, is_batch_of, upload_name
from .progress import Progress, ProgressCallback, transfer_progress
from .state import CREATING, UPLOADING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ...files import FileObject, Page
    from ..objects import Batch
    from .directory import JobDirectory
    from .options import JobTimings
    from .state import BatchState, JobState

__all__ = ["NO_TIME_LIMIT", "BatchSubmitter", "JobFlow", "Message", "PollingRetry", "Transfer"]

T = TypeVar("T")
Transfer = Callable[[Any, ProgressCallback], Any]
"""An upload or a download: a function of `client.files` and of a function that shows progress."""
Message = Call[Any] | Transfer
"""A call or a transfer that a job sends."""
JobFlow = Flow[Message, T]
REFUSALS = (400, 404, 410)
"""HTTP statuses of a batch that is refused because its input file is gone."""
NO_TIME_LIMIT: Any = {"timeout": None, "deadline": None}
"""Options for transfers of large files, to which the client's timeouts do not apply."""


class PollingRetry:
    """Sends requests that may be repeated, and retries them after transient errors.

    Args:
        timings: Waiting times.
        random: Returns random numbers, at least 0 and below 1.
    """

    def __init__(self, timings: JobTimings, random: Callable[[], float]) -> None:
        self._timings, self._random = timings, random

    def send(self, message: Message) -> JobFlow[Any]:
        """Send a message until it succeeds, and return its answer.

        Raises:
            VoyageError: The failure is not transient, or the retries are used up.
        """
        tries = 0
        while True:
            try:
                return (yield Request(message))
            except VoyageError as failure:
                yield from self.wait(failure, tries)
                tries += 1

    def find(
        self,
        page: Callable[[str | None], Call[Page[T]]],
        matches: Callable[[T], bool],
        since: datetime | None = None,
    ) -> JobFlow[T | None]:
        """Search a list at the server; return None if no element matches.

        Args:
            page: Function that returns the call for the page after an id.
            matches: Predicate of the element.
            since: Earliest creation time of the element, by the server's clock. The search of a
                list that goes back in time ends there.
        """
        after: str | None = None
        while True:
            found: Page[T] = yield from self.send(page(after))
            for item in found.data:
                if matches(item):
                    return item
            if not found.has_more or _is_past(found.data, since):
                return None
            after = found.last_id

    def wait(self, failure: VoyageError, tries: int) -> JobFlow[None]:
        """Wait before the next try, or raise the failure if there is to be none.

        Args:
            failure: The failure of the last try.
            tries: Number of failures before it.
        """
        if not (is_transient(failure) or isinstance(failure, MalformedResponseError)):
            raise failure
        decision = self._timings.retries.decide(
            tries, None, ServerHint(seconds=failure.retry_after), random=self._random(), left=None
        )
        if isinstance(decision, GiveUp):
            raise failure
        message = f"trying again in {decision.seconds:,.1f} s: {failure}"
        yield Notify(Progress(stage="retrying", message=message))
        yield Sleep(decision.seconds)


class BatchSubmitter:
    """Uploads the files of batches and creates the batches, each exactly once.

    Each upload and each creation is recorded in the journal before it is sent. If the journal has
    such an intent without an outcome, from this run or an interrupted one, the response was lost,
    and the file or the batch is looked up at the server.

    Args:
        directory: The job's directory.
        state: The job's state.
        timings: Waiting times.
        now: Function that returns the current time.
        retry: The sender of requests that may be repeated.
    """

    def __init__(
        self,
        directory: JobDirectory,
        state: JobState,
        timings: JobTimings,
        now: Callable[[], datetime],
        retry: PollingRetry,
    ) -> None:
        self._state = state
        self._reader = BatchReader(directory, state.manifest)
        self._timings, self._now, self._retry = timings, now, retry
        self._settled_at = self._settle_time()
        """Time by which requests without a response, even of earlier runs, have taken effect."""
        self._reuploaded: set[int] = set()
        """Batches whose uploaded file was gone and sent again, which is done once."""

    def submit(self, batch: BatchState) -> JobFlow[None]:
        """Upload a batch's file, unless it is uploaded already, and create the batch.

        Raises:
            RateLimitError: The organization has too much in flight.
            VoyageError: The batch can't be created.
        """
        number = batch.plan.number
        while batch.batch_id is None:
            if batch.file_id is None:
                yield from self._upload(batch)
            yield Notify(
                Progress(stage="creating", message=f"creating batch {number}", batch=number)
            )
            job = self._state.manifest
            metadata = batch_metadata(job.id, number)
            params = job.task.params
            call = calls.create(job.task.path, str(batch.file_id), params, None, metadata)
            try:
                created = yield from self._do_once(batch, CREATING, self._find_batch, call)
            except VoyageError as failure:
                if number in self._reuploaded or not (yield from self._is_gone(batch, failure)):
                    raise
                self._reuploaded.add(number)
                message = f"the file of batch {number} is gone; uploading it again"
                yield Notify(Progress(stage="retrying", message=message, batch=number))
                self._state.note("file_gone", batch)
            else:
                self._state.note("created", batch, batch_id=created.id)

    def find(self, batch: BatchState) -> JobFlow[str | None]:
        """Return the id of a batch at the server; None if it was not created."""
        if batch.batch_id is not None:
            return batch.batch_id
        found = yield from self._find_outcome(batch, CREATING, self._find_batch)
        return None if found is None else str(found.id)

    def _upload(self, batch: BatchState) -> JobFlow[None]:
        number = batch.plan.number
        with self._reader.open(batch.plan) as lines:
            for _ in self._reader.lines(batch.plan, lines):
                pass  # raises an error if a line was changed
            upload = self._uploading(number, lines)
            file = yield from self._do_once(batch, UPLOADING, self._find_file, upload)
        created_at = file.created_at.isoformat()
        self._state.note("uploaded", batch, file_id=file.id, created_at=created_at)

    def _uploading(self, number: int, lines: IO[bytes]) -> Transfer:
        name = upload_name(self._state.manifest.id, number)

        def upload(files: Any, show: ProgressCallback) -> Any:
            lines.seek(0)  # it may be the second try
            progress = transfer_progress(show, "uploading", f"uploading batch {number}", number)
            return files.upload(
                lines, filename=name, check=False, progress=progress, **NO_TIME_LIMIT
            )

        return upload

    def _do_once(
        self,
        batch: BatchState,
        action: str,
        find: Callable[[BatchState], JobFlow[T | None]],
        message: Message,
    ) -> JobFlow[T]:
        """Carry out an action that must not be repeated, even if its response is lost.

        Args:
            batch: The batch.
            action: `UPLOADING` or `CREATING`, for the journal.
            find: Flow that finds the outcome at the server.
            message: The request of the action.

        Returns:
            The outcome, from the response or from the server's lists.
        """
        tries = 0
        while True:
            found = yield from self._find_outcome(batch, action, find)
            if found is not None:
                return found
            self._state.note(action, batch)
            try:
                result: T = yield Request(message)
            except VoyageError as failure:
                self._settled_at = self._settle_time()
                if action == CREATING and isinstance(failure, RateLimitError):
                    raise
                yield from self._retry.wait(failure, tries)
                tries += 1
            else:
                return result

    def _find_outcome(
        self, batch: BatchState, action: str, find: Callable[[BatchState], JobFlow[T | None]]
    ) -> JobFlow[T | None]:
        """Find the outcome of an action that was begun, once it must have taken effect."""
        if action not in batch.begun:
            return None
        left = (self._settled_at - self._now()).total_seconds()
        if left > 0:
            yield Sleep(min(left, self._timings.settle_delay))  # the clock may be set back
        return (yield from find(batch))

    def _settle_time(self) -> datetime:
        return self._now() + timedelta(seconds=self._timings.settle_delay)

    def _find_file(self, batch: BatchState) -> JobFlow[FileObject | None]:
        name, size = upload_name(self._state.manifest.id, batch.plan.number), batch.plan.bytes
        return self._retry.find(
            partial(file_calls.list_page, "batch", None, None),
            lambda file: file.filename == name and file.bytes == size,
        )

    def _find_batch(self, batch: BatchState) -> JobFlow[Batch | None]:
        job, number, file_id = self._state.manifest.id, batch.plan.number, batch.file_id
        return self._retry.find(
            partial(calls.list_page, None),
            lambda item: item.input_file_id == file_id or is_batch_of(item.metadata, job, number),
            batch.uploaded_at,
        )

    def _is_gone(self, batch: BatchState, failure: VoyageError) -> JobFlow[bool]:
        """Return whether a batch was refused because its file is gone, as files expire."""
        if failure.http_status not in REFUSALS:
            return False
        try:
            yield from self._retry.send(file_calls.retrieve(str(batch.file_id)))
        except NotFoundError:
            return True
        return False


def _is_past(data: Sequence[Any], since: datetime | None) -> bool:
    """Return whether all further pages are older; the API does not document the order of lists."""
    if since is None or not data:
        return False
    first, last = data[0].created_at, data[-1].created_at
    return bool(last < first and last < since)
