"""Where a job stands: what its directory says."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import asdict, define, field, frozen

from .bounds import fits_in_flight
from .errors import JobDirectoryError
from .estimate import Estimate
from .journal import Journal
from .tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .folder import Folder
    from .task import Task

__all__ = ["CREATING", "PLANNED", "UPLOADING", "BatchState", "JobState", "Manifest", "Planned"]

VERSION = 2
PLANNED = "planned"
"""The first event of a job, whose journal would not be missed otherwise."""
UPLOADING, CREATING = "uploading", "creating"
"""Events before what must not be done twice."""


@frozen(kw_only=True)
class Planned:
    """A batch before it is made.

    Attributes:
        number: Its number within the job, from 1.
        requests: Lines of its file.
        rows: Rows of all lines.
        tokens: Tokens, as far as they are known.
        most_tokens: Tokens that it can be billed for, at most.
        bytes: Bytes of its file.
    """

    number: int
    requests: int
    rows: int
    tokens: int
    most_tokens: int
    bytes: int


@frozen(kw_only=True)
class Manifest:
    """What a job is. It never changes.

    Attributes:
        id: Its id.
        method: Name of the method.
        params: The arguments that all rows share, as batches take them.
        rows: How many rows there are.
        digest: Digest of all rows.
        exact: Whether tokens are counted, not estimated.
        batches: The batches that it is split into at first.
    """

    id: str
    method: str
    params: Mapping[str, Any]
    rows: int
    digest: str
    exact: bool
    batches: tuple[Planned, ...]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the directory."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def read(cls, folder: Folder) -> Manifest:
        """That of a directory.

        Raises:
            JobDirectoryError: There is none, or it is of another release.
        """
        folder.check()
        try:
            data = json.loads(folder.job.read_bytes())
            version = data.pop("version")
            if version != VERSION:
                raise JobDirectoryError(
                    f"{folder.job} is of version {version}, and this release reads {VERSION}"
                )
            batches = tuple(Planned(**batch) for batch in data.pop("batches"))
            manifest = cls(**data, batches=batches)
            manifest._check()
        except (ValueError, TypeError, KeyError, AttributeError) as failure:
            raise JobDirectoryError(f"{folder.job} was damaged: {failure}") from failure
        return manifest

    def _check(self) -> None:
        rows, task = sum(batch.rows for batch in self.batches), self.task
        if rows != self.rows:
            raise ValueError(f"its batches have {rows!r} {task.noun}, not {self.rows!r}")

    @property
    def task(self) -> Task[Any, Any]:
        """What its rows are."""
        return TASKS[self.method](self.params)

    @property
    def estimate(self) -> Estimate:
        """What it will cost."""
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
            rounds=self._rounds(),
        )

    def _rounds(self) -> int:
        rounds, tokens = 1, list[int]()
        for batch in self.batches:
            if tokens and not fits_in_flight([*tokens, batch.tokens], exact=self.exact):
                rounds, tokens = rounds + 1, []
            tokens.append(batch.tokens)
        return rounds


@define
class BatchState:
    """Where a batch stands.

    Attributes:
        planned: What it holds.
        begun: What was begun that must not be done twice.
        file_id: Id of the uploaded file.
        uploaded_at: When it was stored, by the server's clock.
        batch_id: Its id at the server.
        status: Its last status there; None before it is at its end.
        files: Ids of its output and error file at the server, by name.
        errors: Errors of a batch that the server refused.
        fetched: Which of its files are here.
        gone: Which of its files are nowhere any more.
    """

    planned: Planned
    begun: set[str] = field(factory=set[str])
    file_id: str | None = None
    uploaded_at: datetime | None = None
    batch_id: str | None = None
    status: str | None = None
    files: dict[str, str] = field(factory=dict[str, str])
    errors: list[dict[str, Any]] = field(factory=list[dict[str, Any]])
    fetched: set[str] = field(factory=set[str])
    gone: set[str] = field(factory=set[str])

    @property
    def is_in_doubt(self) -> bool:
        """Whether the server may have it, though no answer says so."""
        return self.batch_id is None and CREATING in self.begun

    @property
    def is_running(self) -> bool:
        """Whether it counts towards what an organization may have in flight."""
        return self.batch_id is not None and self.status is None

    @property
    def missing(self) -> dict[str, str]:
        """The files that are yet to be downloaded."""
        had = self.fetched | self.gone
        return {name: file_id for name, file_id in self.files.items() if name not in had}

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done for it."""
        return self.status is not None and not self.missing

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take in what happened."""
        match event["event"]:
            case "uploading" | "creating" as intent:
                self.begun.add(intent)
            case "uploaded":
                self.file_id = event["file_id"]
                self.uploaded_at = datetime.fromisoformat(event["created_at"])
            case "file_gone":
                self.file_id = None
                self.begun.clear()
            case "created":
                self.batch_id = event["batch_id"]
            case "ended":
                self.status, self.files = event["status"], event["files"]
                self.errors = event["errors"]
            case "downloaded":
                self.fetched.add(event["file"])
            case "gone":
                self.gone.add(event["file"])
            case other:
                raise JobDirectoryError(f"the journal holds {other!r}, which this release can't")


class JobState:
    """Where a job stands, kept in its directory.

    Args:
        folder: Its directory.
        now: Tells the time.

    Attributes:
        manifest: What it is.
        batches: Its batches, by number.

    Raises:
        JobDirectoryError: There is no job, or its files were damaged.
    """

    def __init__(self, folder: Folder, now: Callable[[], datetime]) -> None:
        self.manifest = Manifest.read(folder)
        self.batches: dict[int, BatchState] = {}
        self._plan(self.manifest.batches)
        self._journal = Journal(folder.journal, now)
        events = self._journal.read()
        if not events or events[0].get("job") != self.manifest.id:
            raise JobDirectoryError(
                f"{folder.journal} is missing or not whole, and only it tells what was sent and "
                "paid for: put it back, or begin another job"
            )
        for event in events[1:]:
            try:
                self._apply(event)
            except (ValueError, TypeError, KeyError, AttributeError) as failure:
                raise JobDirectoryError(
                    f"{folder.journal} was damaged, where it holds {event}: {failure!r}"
                ) from failure
        for batch in self.batches.values():
            _look_at_files(folder, batch)

    def note(self, event: str, batch: BatchState, **facts: Any) -> None:
        """Write down what happens to a batch."""
        self._apply(self._journal.add(event, batch=batch.planned.number, **facts))

    def extend(self, batches: Iterable[Planned]) -> None:
        """Write down that there are more batches, for rows that have failed."""
        self._apply(self._journal.add("retry", batches=[asdict(batch) for batch in batches]))

    def replace(self, batch: BatchState, parts: Iterable[Planned]) -> None:
        """Write down that the lines of a batch that was not sent are now in others."""
        planned = [asdict(part) for part in parts]
        self._apply(self._journal.add("split", batch=batch.planned.number, batches=planned))

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done."""
        return all(batch.is_over for batch in self.batches.values())

    def _apply(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "split":
            del self.batches[event["batch"]]
        if "batches" in event:
            self._plan(Planned(**batch) for batch in event["batches"])
        else:
            self.batches[event["batch"]].apply(event)

    def _plan(self, batches: Iterable[Planned]) -> None:
        for batch in batches:
            self.batches[batch.number] = BatchState(batch)


def _look_at_files(folder: Folder, batch: BatchState) -> None:
    """See that a batch's files are there still. Answers that are not can be downloaded again.

    Raises:
        JobDirectoryError: The file with its lines is not as it was.
    """
    number = batch.planned.number
    path = folder.input(number)
    if not path.is_file() or path.stat().st_size != batch.planned.bytes:
        raise JobDirectoryError(
            f"{path} was changed or removed by something else: put it back, or begin another job"
        )
    answers = {"output": folder.output(number), "error": folder.error(number)}
    batch.fetched = {name for name in batch.fetched if answers[name].is_file()}
