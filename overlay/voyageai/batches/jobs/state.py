"""The state of a job: its manifest, and the state of each batch by the events of its journal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import asdict, define, field, frozen
from voyageai_rest.models.batch_error import BatchError

from .directory import Event, FileDigest, JobDirectoryError, Journal, changed, damaged
from .estimate import Estimate, rounds
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
"""Fields of `job.json` that become objects."""
PLANNED = "planned"
"""The first event of a job. A journal without it was lost."""
UPLOADING, CREATING = "uploading", "creating"
"""Events before an action that must not be done twice."""
ANSWERS = ("output", "error")
"""The names of the files that a batch ends with."""
MOST = 10**15
"""The highest count that is believed. Chosen: beyond all reason."""
LONGEST = 67_108_864
"""Bytes of a manifest that are read. Chosen: more than any has."""
NO_EVENT: tuple[int, Event] = (1, {})
"""Stands for the first event of a journal that has none."""
DAMAGE = (ValueError, TypeError, LookupError, AttributeError)
"""Exceptions that files raise when something else has changed them."""


@frozen(kw_only=True)
class BatchPlan:
    """A batch as it was written to its file.

    Attributes:
        number: Its number within the job, from 1.
        requests: Lines of its file.
        rows: Rows of all lines.
        tokens: Tokens, estimated or counted.
        most_tokens: Tokens that it can be billed for, at most.
        bytes: Bytes of its file.
    """

    number: int
    requests: int
    rows: int
    tokens: int
    most_tokens: int
    bytes: int

    def __attrs_post_init__(self) -> None:
        """Refuse what no batch can be; it may come from a file that was changed.

        Raises:
            ValueError: A field is not a count, or there are more rows than bytes.
        """
        for name, value in asdict(self).items():
            if type(value) is not int or not 0 <= value <= MOST:
                raise ValueError(f"{name} is {value!r:.40}, and must be a whole number")
        if not 0 < self.requests <= self.rows <= self.bytes:
            raise ValueError(
                f"a batch can't have {self.rows} rows in {self.requests} requests and "
                f"{self.bytes} bytes"
            )


@frozen(kw_only=True)
class Manifest:
    """A job as it was planned. It never changes.

    Attributes:
        id: Its id.
        task: The method and the arguments that all rows share.
        rows: Number of rows.
        digest: Digest of all rows.
        exact: Whether tokens are counted, not estimated.
        batches: The batches that it is split into at first.
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
        """Read the job of a directory.

        Raises:
            JobDirectoryError: There is none, or it was damaged, or is of another release.
        """
        manifest, _ = cls.read_with_first(directory, Journal(directory).read())
        return manifest

    @classmethod
    def read_with_first(
        cls, directory: JobDirectory, events: Iterator[tuple[int, Event]]
    ) -> tuple[Manifest, Event]:
        """Read the job of a directory, and take the first event of its journal.

        The event holds the digest of the manifest; one of an older release has none.

        Raises:
            JobDirectoryError: There is none, or it was damaged, or is of another release.
        """
        directory.check()
        path = directory.manifest
        with directory.open(path) as file:
            content = file.read(LONGEST)
        try:
            data = loads(content)
            version = data.pop("version")
            if version != VERSION:
                raise JobDirectoryError(
                    f"{path} is of version {version!r:.40}, and this release reads {VERSION}"
                )
            method, params, plans = (data.pop(name, None) for name in OBJECTS)
            if method not in [*TASKS]:  # it may be a list, say
                raise ValueError(f"its method is {method!r:.40}, which this release does not have")
            batches = tuple(BatchPlan(**plan) for plan in plans)
            manifest = cls(**data, task=TASKS[method](params), batches=batches)
            manifest._check()
        except DAMAGE as failure:
            raise damaged(path, failure) from failure
        _, first = next(events, NO_EVENT)
        digest = FileDigest.of(content).digest
        if first.get("manifest", digest) != digest:
            raise damaged(path, f"it is not as {directory.journal} says that it was written")
        return manifest, first

    def _check(self) -> None:
        """Refuse what no job can be.

        Raises:
            ValueError: A field is not what it must be; any exception of `DAMAGE` says so.
        """
        for name, text in (("id", self.id), ("digest", self.digest)):
            if type(text) is not str:
                raise ValueError(f"{name} is {text!r:.40}, and must be a text")
        if type(self.rows) is not int or not 0 <= self.rows <= MOST:
            raise ValueError(f"rows is {self.rows!r:.40}, and must be a whole number")
        if type(self.exact) is not bool:
            raise ValueError(f"exact is {self.exact!r:.40}, and must be true or false")
        rows = sum(batch.rows for batch in self.batches)
        if rows != self.rows:
            raise ValueError(f"its batches have {rows!r} {self.task.noun}, not {self.rows!r}")
        if [batch.number for batch in self.batches] != [*range(1, len(self.batches) + 1)]:
            raise ValueError("its batches are not numbered from 1")

    def estimate(self, limits: BatchLimits) -> Estimate:
        """Return the size and cost of the job, of which so much may be in flight."""
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
        plan: What it holds.
        begun: Actions that were begun and must not be done twice.
        file_id: Id of the uploaded file.
        uploaded_at: When it was stored, by the server's clock.
        batch_id: Its id at the server.
        status: Its last status there; None until it has ended.
        files: Ids of its output and error file at the server, by name.
        errors: Errors of a batch that the server refused.
        fetched: Its files that were downloaded, with their digests; None for a digest that is not
            known, as an older release wrote the journal.
        gone: Its files that the server has no more.
        missing: Its files that have yet to be downloaded: ids by name.
        is_running: True while it counts towards what an organization may have in flight.
        is_over: True once nothing is left to do for it.
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
        """True if the server may have created it, though no answer says so."""
        return self.batch_id is None and CREATING in self.begun

    def apply(self, event: Mapping[str, Any]) -> None:
        """Update the state by an event.

        Raises:
            ValueError: The event is malformed; any exception of `DAMAGE` says so.
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
                self.files = {_answer(name): _id(file_id) for name, file_id in files.items()}
                self.errors = [BatchError.from_dict(error).to_dict() for error in errors]
            case {"event": "downloaded", "file": name, "size": int(size), "digest": str(digest)}:
                self.fetched[_answer(name)] = FileDigest(size, digest)
            case {"event": "downloaded", "file": name} if "digest" not in event:
                self.fetched[_answer(name)] = None
            case {"event": "gone", "file": name}:
                self.gone.add(_answer(name))
            case _:
                raise ValueError(f"it holds {event['event']!r:.40}, which this release can't read")
        self._conclude()

    def forget(self, name: str) -> None:
        """Take a file for one that was not downloaded, as it is not what it was."""
        del self.fetched[name]
        self._conclude()

    def _conclude(self) -> None:
        """Set what follows from the other fields."""
        had = self.fetched.keys() | self.gone
        self.missing = {name: file_id for name, file_id in self.files.items() if name not in had}
        self.is_running = self.batch_id is not None and self.status is None
        self.is_over = self.status is not None and not self.missing


def _answer(name: object) -> str:
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
        directory: Its directory.
        now: Returns the time.

    Attributes:
        manifest: The job as it was planned.
        batches: Its batches, by number.

    Raises:
        JobDirectoryError: There is no job, or its files were damaged.
    """

    def __init__(self, directory: JobDirectory, now: Callable[[], datetime]) -> None:
        self._journal, self._now = Journal(directory), now
        events = self._journal.read()
        self.manifest, first = Manifest.read_with_first(directory, events)
        if first.get("job") != self.manifest.id:
            raise JobDirectoryError(
                f"{directory.journal} is missing or not whole, and only it tells what was sent and "
                "paid for: put it back, or begin another job"
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
        """Write down an event of a batch."""
        batch.apply(self._journal.add(self._now(), event, batch=batch.plan.number, **facts))

    def extend(self, batches: Iterable[BatchPlan]) -> None:
        """Write down further batches, for rows that have failed."""
        plans = [asdict(batch) for batch in batches]
        self._apply(self._journal.add(self._now(), "retry", batches=plans))

    def replace(self, batch: BatchState, parts: Iterable[BatchPlan]) -> None:
        """Write down that the lines of a batch that was not sent are now in other batches."""
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
    """Compare a batch's files with the journal; forget answers that have to be downloaded again.

    Raises:
        JobDirectoryError: The file with its lines is not as long as it was.
    """
    number = batch.plan.number
    if directory.size(number) != batch.plan.bytes:
        raise changed(directory.input_file(number))
    for name, known in list(batch.fetched.items()):
        found = directory.digest(directory.answer_file(number, name))
        if found is None or known not in (None, found):
            batch.forget(name)
