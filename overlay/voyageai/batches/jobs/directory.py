"""The directory of a job, and its lock.

job.json             the manifest: method, arguments, number and digest of the rows, the batches
journal.jsonl        the job's events, one per line
batches/0001.jsonl   the lines of the first batch, as uploaded
batches/0001.output.jsonl, batches/0001.error.jsonl
its answers, as they were downloaded
failures.jsonl       the rows without a result, with the reason for each
vectors-ROWSxCOLUMNS-TYPE.bin
the vectors in the order of the rows, once `to_numpy` was called
telemetry.json       the spans of its runs, where they are recorded
lock                 held by the process that works on the job; says how long the journal is

Only the current user can read any of it. Links in it are not followed: only regular files are
accepted.
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
from typing import IO, TYPE_CHECKING, NamedTuple

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
"""Bytes per read while computing a digest."""
LENGTH = re.compile(rb"^journal (\d{1,18})$", re.MULTILINE)
LOCK_BYTES = 4096
"""Bytes of the lock file that are read."""


class JobDirectoryError(VoyageError):
    """A job directory can't be used: it holds no job, or a file in it is missing or damaged."""


class JobInUseError(JobDirectoryError):
    """Another process, or another thread of this one, is working on the job."""


class FileDigest(NamedTuple):
    """The size and the digest of a file, by which changes are detected.

    Attributes:
        size: Size in bytes.
        digest: SHA-256 of the content, in hexadecimal.
    """

    size: int
    digest: str

    @classmethod
    def of(cls, content: bytes) -> FileDigest:
        """Return the size and the digest of a content."""
        return cls(len(content), hashlib.sha256(content).hexdigest())


class JobDirectory:
    """The directory of a job. A temporary one is removed with this object, unless `keep` is called.

    Args:
        path: Path of the directory; None for a temporary one.

    Attributes:
        path: Path of the directory.
        temporary: True if it is removed with this object.
        manifest, journal, failures, lock_file: Paths of files in it.
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
            close_to_others(self.path)  # the umask may have taken rights of its user, too
        self.manifest = self.path / "job.json"
        self.journal = self.path / "journal.jsonl"
        self.failures = self.path / "failures.jsonl"
        self.lock_file = self.path / "lock"
        self._batches = self.path / "batches"
        self._lock: IO[bytes] | None = None
        """The lock file while the lock is held."""
        self._held: ExitStack | None = None
        """The files that are kept open while the lock is held."""
        self._journal_length = 0
        """Bytes of the journal according to the lock file, while the lock is held."""

    def prepare(self) -> None:
        """Create the directory and its folders, which must exist before it can be locked.

        Raises:
            ArgumentError: The path is no directory, or one with other content.
            JobDirectoryError: The path of the batches' folder is a link or a file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ArgumentError(f"directory={str(self.path)!r} is not a directory", "directory")
        ours = {self._batches.name, self.lock_file.name, f"{self.manifest.name}.part"}
        if self.path.is_dir() and not self.manifest.exists():
            if self._holds_one_line(self.journal):
                ours.add(self.journal.name)  # after a crash before the manifest was written
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
        """Raise unless the directory holds a job.

        Raises:
            JobDirectoryError: There is no manifest, or the batches' folder is a link or a file.
        """
        if not os.path.lexists(self.manifest):
            raise JobDirectoryError(f"{self.path} holds no job: there is no {self.manifest.name}")
        self._check_batches()

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the job's lock within a `with` block; the system releases it if the process dies.

        Raises:
            JobInUseError: Another process or thread holds the lock; the message names it.
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
        """Open a file until the lock, which must be held, is released."""
        assert self._held is not None  # noqa: S101  # held by the caller
        return self._held.enter_context(self.open(path, mode))

    def journal_length(self) -> int:
        """Return the number of bytes that the journal must have; 0 if unknown.

        It reveals a truncated journal, whose missing batches would be uploaded, created and billed
        again.
        """
        if self._lock is not None:
            return self._journal_length
        if not os.path.lexists(self.lock_file):
            return 0
        with self.open(self.lock_file) as file:
            return _length(file.read(LOCK_BYTES))

    def note_journal_length(self, length: int) -> None:
        """Record the length of the journal in the lock file, while the lock is held."""
        assert self._lock is not None  # noqa: S101  # held by the caller
        self._lock.seek(0)
        content = f"process {os.getpid()}\njournal {length}\n".encode()
        self._lock.truncate(self._lock.write(content))
        self._journal_length = length

    def open(self, path: Path, mode: str = "rb", *, create: bool = False) -> IO[bytes]:
        """Open a file of the job with `open_regular`.

        Raises:
            JobDirectoryError: The file is missing, or is not a regular file.
            OSError: The file can't be opened.
        """
        try:
            return open_regular(path, mode, create=create)
        except NotRegularError as failure:
            raise JobDirectoryError(str(failure)) from failure
        except FileNotFoundError as failure:
            raise changed(path) from failure

    def size(self, number: int) -> int | None:
        """Return the size of a batch's input file in bytes; None if it does not exist.

        Raises:
            JobDirectoryError: The path is not a regular file.
        """
        try:
            status = check_regular(self.input_file(number))
        except NotRegularError as failure:
            raise JobDirectoryError(str(failure)) from failure
        return None if status is None else status.st_size

    def write(self, path: Path, content: bytes) -> None:
        """Write a file of the job atomically: if that fails, the file stays as it was."""
        fresh = path.with_name(path.name + ".part")
        with self.open(fresh, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)

    def digest(self, path: Path) -> FileDigest | None:
        """Return the size and the digest of a file of the job; None if it does not exist."""
        if not os.path.lexists(path):
            return None
        digest = hashlib.sha256()
        with self.open(path) as file:
            while block := file.read(BLOCK):
                digest.update(block)
            return FileDigest(file.tell(), digest.hexdigest())

    def keep(self) -> None:
        """Keep the directory even if it is temporary."""
        if self._finalizer is not None:
            self._finalizer.detach()
        self.temporary = False

    def input_file(self, number: int) -> Path:
        """Return the path of a batch's input file."""
        return self._batches / f"{number:04d}.jsonl"

    def answer_file(self, number: int, name: str) -> Path:
        """Return the path of a batch's downloaded file; `name` is `output` or `error`."""
        return self._batches / f"{number:04d}.{name}.jsonl"

    def _check_batches(self) -> None:
        """Raise if the batches' folder is a link. Later, only each file itself is checked.

        By then the directory is closed to other users, so that they can't replace the folder.
        """
        try:
            check_folder(self._batches)
        except NotRegularError as failure:
            raise JobDirectoryError(str(failure)) from failure

    def _holds_one_line(self, path: Path) -> bool:
        """Return whether a file exists and has at most one line."""
        if not os.path.lexists(path):
            return False
        with self.open(path) as file:
            return sum(line.endswith(b"\n") for line in islice(file, 2)) < 2

    def _owner(self) -> str:
        """Return the lock file's description of the process that holds the lock."""
        try:
            with self.open(self.lock_file) as file:
                owner = file.readline(LOCK_BYTES).decode(errors="replace").strip()
        except (OSError, JobDirectoryError):  # Windows does not let others read a locked file
            owner = ""
        return owner or "another process"


def damaged(path: Path, reason: object, line: int | None = None) -> JobDirectoryError:
    """Return the error for a file of a job, or a line of it, that was changed."""
    place = path if line is None else f"line {line} of {path}"
    return JobDirectoryError(
        f"{place} was damaged: {reason}; restore the file, or begin another job"
    )


def changed(path: Path) -> JobDirectoryError:
    """Return the error for a file of a job that is missing or was changed as a whole."""
    return JobDirectoryError(
        f"{path} was changed or removed by something else; restore it, or begin another job"
    )


def _length(content: bytes) -> int:
    """Return the length of the journal in the content of a lock file; 0 if there is none."""
    match = LENGTH.search(content)
    return 0 if match is None else int(match[1])
