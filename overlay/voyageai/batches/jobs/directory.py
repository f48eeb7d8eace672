"""The directory of a job, its lock, and the journal in it.

job.json             the job: method, arguments, number and digest of its rows, its batches
journal.jsonl        the job's events, one per line
batches/0001.jsonl   the lines of the first batch, as they are uploaded
batches/0001.output.jsonl, batches/0001.error.jsonl
its answers, as they were downloaded
failures.jsonl       the rows without a result, with the reason for each
vectors-ROWSxCOLUMNS-TYPE.bin
the vectors in the order of the rows, once `to_numpy` was called
telemetry.json       the spans of its runs, where they are recorded
lock                 held by the process that works on the job; says how long the journal is

Only its user can read any of it. Links in it are not followed: what is not a regular file is
refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import weakref
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ...disk import (
    NotRegularError,
    check_folder,
    check_regular,
    close_to_others,
    lock,
    make_folder,
    open_regular,
    sync_folder,
)
from ...error import ArgumentError, VoyageError
from .lines import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from datetime import datetime

__all__ = [
    "Event",
    "FileDigest",
    "JobDirectory",
    "JobDirectoryError",
    "JobInUseError",
    "Journal",
    "changed",
    "damaged",
]

BLOCK = 1024 * 1024
"""Bytes that are read at once to compute a digest."""
LENGTH = re.compile(rb"^journal (\d{1,18})$", re.MULTILINE)
LOCK_BYTES = 4096
"""Bytes of the lock file that are read."""
SHOWN = 80
"""Bytes of a damaged line that are shown."""
LONGEST = 67_108_864
"""Bytes of a line of the journal that are read. Chosen: more than any has."""
SUM = b', "sum": "'
DIGITS = 16
"""Hexadecimal digits of a checksum that are written."""

Event = dict[str, Any]
"""A line of the journal, decoded."""


class JobDirectoryError(VoyageError):
    """A job directory can't be used: it holds something else, or a file in it was damaged."""


class JobInUseError(JobDirectoryError):
    """Another process, or another thread of this one, is working on the job."""


class FileDigest(NamedTuple):
    """The size and the digest of a file, to notice changes by.

    Attributes:
        size: Its bytes.
        digest: Their SHA-256.
    """

    size: int
    digest: str

    @classmethod
    def of(cls, content: bytes) -> FileDigest:
        """Return the size and the digest of these bytes."""
        return cls(len(content), hashlib.sha256(content).hexdigest())


class JobDirectory:
    """The directory of a job. A temporary one is removed with this object, unless it is kept.

    Args:
        path: Its path; None for a temporary one.

    Attributes:
        path: Its path.
        temporary: Whether it is removed with this object.
        manifest, journal, failures, lock_file: Paths of its files.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.temporary = path is None
        self.path = Path(tempfile.mkdtemp(prefix="voyageai-") if path is None else path).absolute()
        self._finalizer = (
            weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
            if self.temporary
            else None
        )
        if self.temporary:
            close_to_others(self.path)  # the umask may have closed it to its user too
        self.manifest = self.path / "job.json"
        self.journal = self.path / "journal.jsonl"
        self.failures = self.path / "failures.jsonl"
        self.lock_file = self.path / "lock"
        self._batches = self.path / "batches"
        self._lock: IO[bytes] | None = None
        """The lock file, while the lock is held."""
        self._held: ExitStack | None = None
        """All files that are open while the lock is held."""
        self._journal_length = 0
        """Bytes of the journal, as the lock file says while the lock is held."""

    def prepare(self) -> None:
        """Create the directory and its folders, which must exist before it can be locked.

        Raises:
            ArgumentError: The directory holds something else.
            JobDirectoryError: A folder in it is something else.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ArgumentError(f"directory={str(self.path)!r} is not a directory", "directory")
        ours = {self._batches.name, self.lock_file.name, f"{self.manifest.name}.part"}
        if self.path.is_dir() and not self.manifest.exists():
            if self._holds_one_line(self.journal):
                ours.add(self.journal.name)  # a crash may come between it and the manifest
            others = sorted({entry.name for entry in self.path.iterdir()} - ours)
            if others:
                raise ArgumentError(
                    f"directory={str(self.path)!r} is no job directory: it holds {others[0]!r}; "
                    "name a new or an empty one",
                    "directory",
                )
        make_folder(self.path)
        self._check_batches()
        make_folder(self._batches)

    def check(self) -> None:
        """Refuse a directory without a job, or whose batches are elsewhere.

        Raises:
            JobDirectoryError: There is no job, or a link or a file in the place of its folder.
        """
        if not os.path.lexists(self.manifest):
            raise JobDirectoryError(f"{self.path} holds no job: there is no {self.manifest.name}")
        self._check_batches()

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the job's lock inside a `with`. The system releases it if the process is killed.

        Raises:
            JobInUseError: It is held elsewhere; names the process.
        """
        close_to_others(self.path)
        with ExitStack() as held:
            file = held.enter_context(self.open(self.lock_file, "r+b", create=True))
            if not lock(file):
                raise JobInUseError(
                    f"{self.path} is in use by {self._owner()}; wait for it, or end it"
                )
            file.seek(0)
            self._lock, self._held = file, held
            try:
                self.note_journal_length(_length(file.read(LOCK_BYTES)))
                yield
            finally:
                self._lock = self._held = None

    def hold_open(self, path: Path, mode: str) -> IO[bytes]:
        """Open one of its files by `open`, until the lock is released, which must be held."""
        assert self._held is not None  # noqa: S101  # it is held
        return self._held.enter_context(self.open(path, mode))

    def journal_length(self) -> int:
        """Return the bytes that the journal has at least; 0 if that is not known.

        A journal that was cut short is noticed by that: what is missing there would be uploaded,
        created and billed once more.
        """
        if self._lock is not None:
            return self._journal_length
        if not os.path.lexists(self.lock_file):
            return 0
        with self.open(self.lock_file) as file:
            return _length(file.read(LOCK_BYTES))

    def note_journal_length(self, length: int) -> None:
        """Write down how long the journal is, while the lock is held."""
        assert self._lock is not None  # noqa: S101  # it is held
        self._lock.seek(0)
        content = f"process {os.getpid()}\njournal {length}\n".encode()
        self._lock.truncate(self._lock.write(content))
        self._journal_length = length

    def open(self, path: Path, mode: str = "rb", *, create: bool = False) -> IO[bytes]:
        """Open one of its files by `open_regular`.

        Raises:
            JobDirectoryError: It is missing, or is not a regular file.
            OSError: It can't be opened.
        """
        try:
            return open_regular(path, mode, create=create)
        except NotRegularError as failure:
            raise JobDirectoryError(str(failure)) from failure
        except FileNotFoundError as failure:
            raise changed(path) from failure

    def size(self, number: int) -> int | None:
        """Return the bytes of the file with a batch's lines; None if it is not there.

        Raises:
            JobDirectoryError: It is not a regular file.
        """
        try:
            found = check_regular(self.input_file(number))
        except NotRegularError as failure:
            raise JobDirectoryError(str(failure)) from failure
        return None if found is None else found.st_size

    def write(self, path: Path, content: bytes) -> None:
        """Write one of its files whole; if that fails, the file stays as it was."""
        fresh = path.with_name(path.name + ".part")
        with self.open(fresh, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)

    def digest(self, path: Path) -> FileDigest | None:
        """Return the size and the digest of one of its files; None if it is not there."""
        if not os.path.lexists(path):
            return None
        digest = hashlib.sha256()
        with self.open(path) as file:
            while block := file.read(BLOCK):
                digest.update(block)
            return FileDigest(file.tell(), digest.hexdigest())

    def keep(self) -> None:
        """Keep the directory, also a temporary one."""
        if self._finalizer is not None:
            self._finalizer.detach()
        self.temporary = False

    def input_file(self, number: int) -> Path:
        """Return the path of a batch's lines."""
        return self._batches / f"{number:04d}.jsonl"

    def answer_file(self, number: int, name: str) -> Path:
        """Return the path of a batch's downloaded answers; `name` is `output` or `error`."""
        return self._batches / f"{number:04d}.{name}.jsonl"

    def _check_batches(self) -> None:
        """Refuse a link in the place of the folder. Later, each file alone is looked at.

        A run has closed the directory to others before, so that they can't put a link there later.
        """
        try:
            check_folder(self._batches)
        except NotRegularError as failure:
            raise JobDirectoryError(str(failure)) from failure

    def _holds_one_line(self, path: Path) -> bool:
        """Return whether a file is there and has at most one line."""
        if not os.path.lexists(path):
            return False
        with self.open(path) as file:
            return sum(line.endswith(b"\n") for line in islice(file, 2)) < 2

    def _owner(self) -> str:
        """Return what the lock file says of the process that holds the lock."""
        try:
            with self.open(self.lock_file) as file:
                owner = file.readline(LOCK_BYTES).decode(errors="replace").strip()
        except (OSError, JobDirectoryError):  # some systems lock it for reading too
            owner = ""
        return owner or "another process"


class Journal:
    """The journal of a job: its events, one line of JSON each, appended and never changed.

    Each line ends with a checksum of itself and all lines before it, so that a change of any of
    them is noticed. An older release wrote none: such lines are taken as they are.

    An action that must not be done twice is written down before it is done, and its outcome after.
    Each line is on the disk before `add` returns.

    Args:
        directory: The job's directory.
    """

    def __init__(self, directory: JobDirectory) -> None:
        self._directory, self._path = directory, directory.journal
        self._length = 0
        """Bytes of its complete lines."""
        self._digest = hashlib.sha256()
        """Digest of these bytes."""
        self._file: IO[bytes] | None = None
        """The file, once it was written to."""

    def read(self) -> Iterator[tuple[int, Event]]:
        """Read all events. A last line that a crash has cut off is left out: it says nothing yet.

        Returns:
            Each event with the number of its line.

        Raises:
            JobDirectoryError: The journal was changed by something else.
        """
        if not os.path.lexists(self._path):
            return
        least = self._directory.journal_length()
        with self._directory.open(self._path) as file:
            number = 0
            while (line := file.readline(LONGEST)).endswith(b"\n"):
                number += 1
                if line != b"\n":
                    yield number, self._event(line, number)
                self._length += len(line)
                self._digest.update(line)
        if len(line) == LONGEST:
            raise damaged(self._path, f"it is longer than {LONGEST:,} bytes", number + 1)
        if self._length < least:
            raise damaged(
                self._path,
                f"it was cut off after {self._length:,} of {least:,} bytes, and only it tells what "
                "was sent and paid for",
                number + 1,
            )

    def add(self, at: datetime, event: str, **facts: Any) -> Event:
        """Append an event to those that were read, and return it as it was written.

        The job's lock is held.

        Args:
            at: The time.
            event: Its name.
            facts: What it says.
        """
        entry: Event = {"at": at.isoformat(), "event": event, **facts}
        body = dumps(entry).removesuffix(b"}\n")
        line = body + SUM + self._sum(body) + b'"}\n'
        if self._file is not None and not os.fstat(self._file.fileno()).st_nlink:
            self._file.close()  # it was removed, or replaced by a copy, which would lack the line
            self._file = None
        if self._file is None:
            self._file = self._directory.hold_open(self._path, "ab")
        self._file.truncate(self._length)
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._length += len(line)
        self._digest.update(line)
        self._directory.note_journal_length(self._length)
        return entry

    def _event(self, line: bytes, number: int) -> Event:
        body, has_sum, end = line.rpartition(SUM)
        try:
            event = dict(loads(line))
        except (ValueError, TypeError):
            raise damaged(self._path, repr(line[:SHOWN]), number) from None
        if has_sum and end != self._sum(body) + b'"}\n':
            raise damaged(self._path, "it is not as it was written", number)
        return event

    def _sum(self, body: bytes) -> bytes:
        """Return the checksum of all lines so far and this one."""
        digest = self._digest.copy()
        digest.update(body)
        return digest.hexdigest()[:DIGITS].encode()


def damaged(path: Path, reason: object, line: int | None = None) -> JobDirectoryError:
    """Return an error about a file of a job, or a line of it, that something else has changed."""
    place = path if line is None else f"line {line} of {path}"
    return JobDirectoryError(
        f"{place} was damaged: {reason}; put the file back as it was, or begin another job"
    )


def changed(path: Path) -> JobDirectoryError:
    """Return an error about a file of a job that is missing, or as a whole not what it was."""
    return JobDirectoryError(
        f"{path} was changed or removed by something else: put it back, or begin another job"
    )


def _length(content: bytes) -> int:
    """Return the journal's length that a lock file names; 0 if it names none."""
    match = LENGTH.search(content)
    return 0 if match is None else int(match[1])
