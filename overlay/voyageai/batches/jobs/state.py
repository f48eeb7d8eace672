"""Where a job stands: what its directory says."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import Attribute, asdict, define, field, frozen
from voyageai_rest.models.batch_error import BatchError

from .bounds import fits_in_flight
from .errors import JobDirectoryError
from .estimate import Estimate
from .folder import Content
from .journal import Journal
from .lines import changed, damaged, loads
from .tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .folder import Folder
    from .task import Task

__all__ = [
    "ANSWERS",
    "CREATING",
    "PLANNED",
    "UPLOADING",
    "BatchState",
    "JobState",
    "Manifest",
    "Planned",
]

VERSION = 2
PLANNED = "planned"
"""The first event of a job, whose journal would not be missed otherwise."""
UPLOADING, CREATING = "uploading", "creating"
"""Events before what must not be done twice."""
ANSWERS = ("output", "error")
"""The files that a batch comes to."""
MOST = 10**15
"""The most of anything that a job can have. Chosen: beyond all reason."""
LONGEST = 67_108_864
"""Bytes of a manifest that are read. Chosen: more than any has."""
NOTHING: tuple[int, dict[str, Any]] = (1, {})
"""The first line of a journal that has none."""
DAMAGE = (ValueError, TypeError, LookupError, AttributeError)
"""What comes of reading what something else has changed."""


def _check_count(_: object, attribute: Attribute[int], value: object) -> None:
    if type(value) is not int or not 0 <= value <= MOST:
        raise ValueError(f"{attribute.name} is {value!r:.40}, and must be a whole number")


def _check_text(_: object, attribute: Attribute[str], value: object) -> None:
    if type(value) is not str:
        raise ValueError(f"{attribute.name} is {value!r:.40}, and must be a text")


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

    number: int = field(validator=_check_count)
    requests: int = field(validator=_check_count)
    rows: int = field(validator=_check_count)
    tokens: int = field(validator=_check_count)
    most_tokens: int = field(validator=_check_count)
    bytes: int = field(validator=_check_count)

    def __attrs_post_init__(self) -> None:
        """Refuse more rows than there is room for.

        Raises:
            ValueError: There are; says how many.
        """
        if not 0 < self.requests <= self.rows <= self.bytes:
            raise ValueError(
                f"a batch can't have {self.rows} rows in {self.requests} requests and "
                f"{self.bytes} bytes"
            )


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

    id: str = field(validator=_check_text)
    method: str = field(validator=_check_text)
    params: Mapping[str, Any]
    rows: int = field(validator=_check_count)
    digest: str = field(validator=_check_text)
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
        with folder.open(folder.job) as file:
            content = file.read(LONGEST)
        try:
            data = loads(content)
            version = data.pop("version")
            if version != VERSION:
                raise JobDirectoryError(
                    f"{folder.job} is of version {version!r:.40}, and this release reads {VERSION}"
                )
            batches = tuple(Planned(**batch) for batch in data.pop("batches"))
            manifest = cls(**data, batches=batches)
            manifest._check()
        except DAMAGE as failure:
            raise damaged(folder.job, failure) from failure
        _, first = next(Journal(folder, _never).read(), NOTHING)
        digest = Content.of(content).digest
        if first.get("manifest", digest) != digest:
            raise damaged(folder.job, f"it is not as {folder.journal} says that it was written")
        return manifest

    def _check(self) -> None:
        if self.method not in TASKS:
            raise ValueError(f"its method is {self.method!r:.40}, which this release does not have")
        if type(self.exact) is not bool:
            raise ValueError(f"exact is {self.exact!r:.40}, and must be true or false")
        rows, task = sum(batch.rows for batch in self.batches), self.task
        if rows != self.rows:
            raise ValueError(f"its batches have {rows!r} {task.noun}, not {self.rows!r}")
        if [batch.number for batch in self.batches] != [*range(1, len(self.batches) + 1)]:
            raise ValueError("its batches are not numbered from 1")

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
        fetched: Which of its files are here, and what they must hold; None if that is not known,
            as an older release wrote the journal.
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
    fetched: dict[str, Content | None] = field(factory=dict[str, Content | None])
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
        had = self.fetched.keys() | self.gone
        return {name: file_id for name, file_id in self.files.items() if name not in had}

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done for it."""
        return self.status is not None and not self.missing

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take in what happened.

        Raises:
            ValueError: The event is not what it must be; so are other exceptions in `DAMAGE`.
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
                self.files = {_answers(name): _id(file_id) for name, file_id in files.items()}
                self.errors = [BatchError.from_dict(error).to_dict() for error in errors]
            case {"event": "downloaded", "file": name, "size": int(size), "digest": str(digest)}:
                self.fetched[_answers(name)] = Content(size, digest)
            case {"event": "downloaded", "file": name} if "digest" not in event:
                self.fetched[_answers(name)] = None
            case {"event": "gone", "file": name}:
                self.gone.add(_answers(name))
            case _:
                raise ValueError(f"it holds {event['event']!r:.40}, which this release can't read")


def _answers(name: object) -> str:
    if name not in ANSWERS:
        raise ValueError(f"{name!r:.40} is no file of a batch")
    return str(name)


def _id(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is no id of a file")
    return value


def _never() -> datetime:
    raise NotImplementedError  # a journal that is only read needs no time


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
        self._journal = Journal(folder, now)
        events = self._journal.read()
        _, planned = next(events, NOTHING)
        if planned.get("job") != self.manifest.id:
            raise JobDirectoryError(
                f"{folder.journal} is missing or not whole, and only it tells what was sent and "
                "paid for: put it back, or begin another job"
            )
        for number, event in events:
            try:
                self._apply(event)
            except DAMAGE as failure:
                reason = f"{failure!r:.200}" if isinstance(failure, LookupError) else failure
                raise damaged(folder.journal, reason, number) from failure
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
            if batch.number in self.batches:
                raise ValueError(f"there is a batch {batch.number} already")
            self.batches[batch.number] = BatchState(batch)


def _look_at_files(folder: Folder, batch: BatchState) -> None:
    """See that a batch's files are as they were. Answers that are not can be downloaded again.

    Raises:
        JobDirectoryError: The file with its lines is not as long as it was.
    """
    number = batch.planned.number
    with folder.open(folder.input(number)) as file:
        size = file.seek(0, os.SEEK_END)
    if size != batch.planned.bytes:
        raise changed(folder.input(number))
    for name, known in list(batch.fetched.items()):
        content = folder.content(folder.answers(number, name))
        if content is None or known not in (None, content):
            del batch.fetched[name]
