"""The directory of a job, and its lock.

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
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from ...disk import (
    NotRegularError,
    check_folder,
    close_folder,
    make_folder,
    open_regular,
    sync_folder,
)
from ...error import ArgumentError, VoyageError
from ...files.writing import lock

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = [
    "FileDigest",
    "JobDirectory",
    "JobDirectoryError",
    "JobInUseError",
    "changed",
    "damaged",
]

BLOCK = 1024 * 1024
"""Bytes that are read at once to compute a digest."""
LENGTH = re.compile(rb"^journal (\d{1,18})$", re.MULTILINE)
LOCK_BYTES = 4096
"""Bytes of the lock file that are read."""


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
            close_folder(self.path)  # the umask may have closed it to its user too
        self.manifest = self.path / "job.json"
        self.journal = self.path / "journal.jsonl"
        self.failures = self.path / "failures.jsonl"
        self.lock_file = self.path / "lock"
        self._batches = self.path / "batches"
        self._locked: IO[bytes] | None = None
        """The lock file, open for writing while the lock is held."""
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
        self._check_folder(self._batches)
        make_folder(self._batches)

    def check(self) -> None:
        """Refuse a directory without a job.

        Raises:
            JobDirectoryError: There is none.
        """
        if not os.path.lexists(self.manifest):
            raise JobDirectoryError(f"{self.path} holds no job: there is no {self.manifest.name}")

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the job's lock inside a `with`. The system releases it if the process is killed.

        Raises:
            JobInUseError: It is held elsewhere; names the process.
        """
        close_folder(self.path)
        with self.open(self.lock_file, "a+b") as held:
            if not lock(held):
                raise JobInUseError(
                    f"{self.path} is in use by {self._owner()}; wait for it, or end it"
                )
            with self.open(self.lock_file, "r+b") as file:
                self._journal_length = _length(file.read(LOCK_BYTES))
                self._locked = file
                try:
                    self.note_journal_length(self._journal_length)
                    yield
                finally:
                    self._locked = None

    def journal_length(self) -> int:
        """Return the bytes that the journal has at least; 0 if that is not known.

        A journal that was cut short is noticed by that: what is missing there would be uploaded,
        created and billed once more.
        """
        if self._locked is not None:
            return self._journal_length
        if not os.path.lexists(self.lock_file):
            return 0
        with self.open(self.lock_file) as file:
            return _length(file.read(LOCK_BYTES))

    def note_journal_length(self, length: int) -> None:
        """Write down how long the journal is, while the lock is held."""
        if self._locked is not None:
            self._locked.seek(0)
            content = f"process {os.getpid()}\njournal {length}\n".encode()
            self._locked.truncate(self._locked.write(content))
            self._journal_length = length

    def open(self, path: Path, mode: str = "rb") -> IO[bytes]:
        """Open one of its files by `open_regular`.

        Raises:
            JobDirectoryError: It is missing, or is not a regular file.
            OSError: It can't be opened.
        """
        if path.parent != self.path:
            self._check_folder(path.parent)
        try:
            return open_regular(path, mode)
        except NotRegularError as failure:
            raise JobDirectoryError(str(failure)) from failure
        except FileNotFoundError as failure:
            raise changed(path) from failure

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

    @staticmethod
    def _check_folder(path: Path) -> None:
        try:
            check_folder(path)
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
