"""The state of a job: its manifest, and the states of its batches from the journal's events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import asdict, define, field, frozen
from voyageai_rest.models.batch_error import BatchError

from .directory import FileDigest, JobDirectoryError, changed, damaged
from .estimate import Estimate, rounds
from .journal import Event, Journal
from .lines import loads
from .tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ...flow import BatchLimits
    from .directory import JobDirectory
    from .tasks import Task

__all__ = [
    "ANSWERS",
    "CREATING",
    "PLANNED",
    "UPLOADING",
    "BatchPlan",
    "BatchState",
    "JobState",
    "Manifest",
]

VERSION = 2
OBJECTS = ("method", "params", "batches")
"""Fields of `job.json` that are converted to objects."""
PLANNED = "planned"
"""The first event of a job; a journal without it was lost."""
UPLOADING, CREATING = "uploading", "creating"
"""Events that are recorded before an action that must not be repeated."""
ANSWERS = ("output", "error")
"""Names of the output files of a batch."""
MAX_COUNT = 10**15
"""Highest count that is accepted from a file. Chosen: more than any job can have."""
MAX_MANIFEST_BYTES = 67_108_864
"""Most bytes of a manifest. Chosen: more than any has."""
NO_EVENT: tuple[int, Event] = (1, {})
"""Placeholder for the first event of an empty journal."""
DAMAGE = (ValueError, TypeError, LookupError, AttributeError)
"""Exceptions that the content of a changed file raises."""


@frozen(kw_only=True)
class BatchPlan:
    """A batch as written to its input file.

    Attributes:
        number: Number of the batch within the job, from 1.
        requests: Number of lines.
        rows: Number of rows in all lines.
        tokens: Tokens, estimated or counted.
        most_tokens: Most tokens that can be billed.
        bytes: Size of the file in bytes.
    """

    number: int
    requests: int
    rows: int
    tokens: int
    most_tokens: int
    bytes: int

    def __attrs_post_init__(self) -> None:
        """Check the fields, which may come from a changed file.

        Raises:
            ValueError: A field is not a count, or there are more rows than bytes.
        """
        for name, value in asdict(self).items():
            if type(value) is not int or not 0 <= value <= MAX_COUNT:
                raise ValueError(f"{name} is {value!r:.40}, and must be a whole number")
        if not 0 < self.requests <= self.rows <= self.bytes:
            raise ValueError(
                f"a batch can't have {self.rows} rows in {self.requests} requests and "
                f"{self.bytes} bytes"
            )


@frozen(kw_only=True)
class Manifest:
    """The manifest of a job: its plan, which never changes.

    Attributes:
        id: Id of the job.
        task: The method and the arguments that all rows share.
        rows: Number of rows.
        digest: Digest of all rows.
        exact: True if tokens are counted, False if estimated.
        batches: The initial batches.
    """

    id: str
    task: Task[Any, Any]
    rows: int
    digest: str
    exact: bool
    batches: tuple[BatchPlan, ...]

    def to_json(self) -> bytes:
        """Return the content of `job.json`."""
        data = {
            "version": VERSION,
            "id": self.id,
            "method": self.task.method,
            "params": self.task.params.to_dict(),
            "rows": self.rows,
            "digest": self.digest,
            "exact": self.exact,
            "batches": [asdict(batch) for batch in self.batches],
        }
        return json.dumps(data, ensure_ascii=False, indent=2).encode() + b"\n"

    @classmethod
    def read(cls, directory: JobDirectory) -> Manifest:
        """Read the manifest of a job directory.

        Raises:
            JobDirectoryError: The manifest is missing, damaged, or of another version.
        """
        manifest, _ = cls.read_with_first(directory, Journal(directory).read())
        return manifest

    @classmethod
    def read_with_first(
        cls, directory: JobDirectory, events: Iterator[tuple[int, Event]]
    ) -> tuple[Manifest, Event]:
        """Read the manifest of a job directory, and consume the first event of its journal.

        The event holds the digest of the manifest, except for events of older releases.

        Raises:
            JobDirectoryError: The manifest is missing, damaged, or of another version.
        """
        directory.check()
        path = directory.manifest
        with directory.open(path) as file:
            content = file.read(MAX_MANIFEST_BYTES)
        try:
            data = loads(content)
            version = data.pop("version")
            if version != VERSION:
                raise JobDirectoryError(
                    f"{path} is of version {version!r:.40}, and this release reads {VERSION}"
                )
            method, params, plans = (data.pop(name, None) for name in OBJECTS)
            if method not in [*TASKS]:  # a list: `method` may be unhashable
                raise ValueError(f"its method is {method!r:.40}, which this release does not have")
            batches = tuple(BatchPlan(**plan) for plan in plans)
            manifest = cls(**data, task=TASKS[method](params), batches=batches)
            manifest._check()
        except DAMAGE as failure:
            raise damaged(path, failure) from failure
        _, first = next(events, NO_EVENT)
        digest = FileDigest.of(content).digest
        if first.get("manifest", digest) != digest:
            raise damaged(path, f"its digest is not the one in {directory.journal}")
        return manifest, first

    def _check(self) -> None:
        """Check the fields, which may come from a changed file.

        Raises:
            ValueError: A field has a wrong type or value; or another exception of `DAMAGE`.
        """
        for name, text in (("id", self.id), ("digest", self.digest)):
            if type(text) is not str:
                raise ValueError(f"{name} is {text!r:.40}, and must be a text")
        if type(self.rows) is not int or not 0 <= self.rows <= MAX_COUNT:
            raise ValueError(f"rows is {self.rows!r:.40}, and must be a whole number")
        if type(self.exact) is not bool:
            raise ValueError(f"exact is {self.exact!r:.40}, and must be true or false")
        rows = sum(batch.rows for batch in self.batches)
        if rows != self.rows:
            raise ValueError(f"its batches have {rows!r} {self.task.noun}, not {self.rows!r}")
        if [batch.number for batch in self.batches] != [*range(1, len(self.batches) + 1)]:
            raise ValueError("its batches are not numbered from 1")

    def estimate(self, limits: BatchLimits) -> Estimate:
        """Return the size and the cost of the job under the limits of batches."""
        return Estimate(
            model=self.task.params.model,
            rows=self.rows,
            noun=self.task.noun,
            requests=sum(batch.requests for batch in self.batches),
            batches=len(self.batches),
            bytes=sum(batch.bytes for batch in self.batches),
            tokens=sum(batch.tokens for batch in self.batches),
            most_tokens=sum(batch.most_tokens for batch in self.batches),
            exact=self.exact,
            rounds=rounds(limits, [batch.tokens for batch in self.batches], exact=self.exact),
        )


@define
class BatchState:
    """The state of a batch.

    Attributes:
        plan: The plan of the batch.
        begun: Actions that were begun and must not be repeated.
        file_id: Id of the uploaded input file.
        uploaded_at: Time of the upload, by the server's clock.
        batch_id: Id of the batch at the server.
        status: Final status at the server; None until the batch has ended.
        files: Ids of the output and error files at the server, by name.
        errors: Errors of a batch that the server refused.
        fetched: Digests of the downloaded files, by name; None if unknown, in journals of older
            releases.
        gone: Names of the files that the server no longer has.
        missing: Ids of the files that are still to be downloaded, by name.
        is_running: True while the batch counts towards the organization's limits in flight.
        is_over: True once nothing is left to do for the batch.
    """

    plan: BatchPlan
    begun: set[str] = field(factory=set[str])
    file_id: str | None = None
    uploaded_at: datetime | None = None
    batch_id: str | None = None
    status: str | None = None
    files: dict[str, str] = field(factory=dict[str, str])
    errors: list[dict[str, Any]] = field(factory=list[dict[str, Any]])
    fetched: dict[str, FileDigest | None] = field(factory=dict[str, FileDigest | None])
    gone: set[str] = field(factory=set[str])
    missing: dict[str, str] = field(init=False, factory=dict[str, str])
    is_running: bool = field(init=False, default=False)
    is_over: bool = field(init=False, default=False)

    @property
    def may_exist(self) -> bool:
        """True if the server may have created the batch although no response says so."""
        return self.batch_id is None and CREATING in self.begun

    def apply(self, event: Mapping[str, Any]) -> None:
        """Update the state with an event.

        Raises:
            ValueError: The event is malformed; or another exception of `DAMAGE`.
        """
        match event:
            case {"event": "uploading" | "creating" as intent}:
                self.begun.add(intent)
            case {"event": "uploaded", "file_id": str(file_id), "created_at": str(created_at)}:
                self.file_id = file_id
                uploaded_at = datetime.fromisoformat(created_at)
                self.uploaded_at = uploaded_at.replace(tzinfo=uploaded_at.tzinfo or UTC)
            case {"event": "file_gone"}:
                self.file_id = None
                self.begun.clear()
            case {"event": "created", "batch_id": str(batch_id)}:
                self.batch_id = batch_id
            case {"event": "ended", "status": str(status), "files": files, "errors": errors}:
                self.status = status
                self.files = {_file_name(name): _id(file_id) for name, file_id in files.items()}
                self.errors = [BatchError.from_dict(error).to_dict() for error in errors]
            case {"event": "downloaded", "file": name, "size": int(size), "digest": str(digest)}:
                self.fetched[_file_name(name)] = FileDigest(size, digest)
            case {"event": "downloaded", "file": name} if "digest" not in event:
                self.fetched[_file_name(name)] = None
            case {"event": "gone", "file": name}:
                self.gone.add(_file_name(name))
            case _:
                raise ValueError(f"it holds {event['event']!r:.40}, which this release can't read")
        self._derive()

    def forget(self, name: str) -> None:
        """Mark a file as not downloaded, because it was changed or removed."""
        del self.fetched[name]
        self._derive()

    def _derive(self) -> None:
        """Set the derived fields."""
        settled = self.fetched.keys() | self.gone
        self.missing = {
            name: file_id for name, file_id in self.files.items() if name not in settled
        }
        self.is_running = self.batch_id is not None and self.status is None
        self.is_over = self.status is not None and not self.missing


def _file_name(name: object) -> str:
    if name not in ANSWERS:
        raise ValueError(f"{name!r:.40} is no file of a batch")
    return str(name)


def _id(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is no id of a file")
    return value


class JobState:
    """The state of a job, kept in its directory.

    Args:
        directory: The job's directory.
        now: Function that returns the current time.

    Attributes:
        manifest: The manifest of the job.
        batches: The states of the batches, by number.

    Raises:
        JobDirectoryError: The directory holds no job, or a file in it is missing or damaged.
    """

    def __init__(self, directory: JobDirectory, now: Callable[[], datetime]) -> None:
        self._journal, self._now = Journal(directory), now
        events = self._journal.read()
        self.manifest, first = Manifest.read_with_first(directory, events)
        if first.get("job") != self.manifest.id:
            raise JobDirectoryError(
                f"{directory.journal} is missing or incomplete, and is the only record of what was "
                "sent and paid for; restore it, or begin another job"
            )
        self.batches: dict[int, BatchState] = {}
        self._add(self.manifest.batches)
        for number, event in events:
            try:
                self._apply(event)
            except DAMAGE as failure:
                reason = f"{failure!r:.200}" if isinstance(failure, LookupError) else failure
                raise damaged(directory.journal, reason, number) from failure
        for batch in self.batches.values():
            _check_files(directory, batch)

    def note(self, event: str, batch: BatchState, **facts: Any) -> None:
        """Record an event of a batch in the journal, and apply it."""
        batch.apply(self._journal.add(self._now(), event, batch=batch.plan.number, **facts))

    def extend(self, batches: Iterable[BatchPlan]) -> None:
        """Record further batches, for failed rows."""
        plans = [asdict(batch) for batch in batches]
        self._apply(self._journal.add(self._now(), "retry", batches=plans))

    def replace(self, batch: BatchState, parts: Iterable[BatchPlan]) -> None:
        """Record that the lines of an unsent batch are now in other batches."""
        plans = [asdict(part) for part in parts]
        number = batch.plan.number
        self._apply(self._journal.add(self._now(), "split", batch=number, batches=plans))

    @property
    def is_over(self) -> bool:
        """True once nothing is left to do."""
        return all(batch.is_over for batch in self.batches.values())

    def _apply(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "split":
            del self.batches[event["batch"]]
        if "batches" in event:
            self._add(BatchPlan(**batch) for batch in event["batches"])
        else:
            self.batches[event["batch"]].apply(event)

    def _add(self, plans: Iterable[BatchPlan]) -> None:
        for plan in plans:
            if plan.number in self.batches:
                raise ValueError(f"there is a batch {plan.number} already")
            self.batches[plan.number] = BatchState(plan)


def _check_files(directory: JobDirectory, batch: BatchState) -> None:
    """Compare a batch's files with the journal; forget those that have to be downloaded again.

    Raises:
        JobDirectoryError: The input file is missing or has another size.
    """
    number = batch.plan.number
    if directory.size(number) != batch.plan.bytes:
        raise changed(directory.input_file(number))
    for name, known in list(batch.fetched.items()):
        found = directory.digest(directory.answer_file(number, name))
        if found is None or known not in (None, found):
            batch.forget(name)
