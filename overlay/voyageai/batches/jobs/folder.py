"""The directory of a job: what is where.

job.json             what the job is: method, arguments, number of rows, digest, batches
journal.jsonl        what has happened, line by line
batches/0001.jsonl   the lines of the first batch, as they are uploaded
batches/0001.output.jsonl, batches/0001.error.jsonl
its answers, as they were downloaded
failures.jsonl       the rows without a result, with the reason for each
vectors-ROWSxCOLUMNS-TYPE.bin
the vectors in the order of the rows, once they were asked for
lock                 held by the process that is at work on the job; says how long the journal is

All of it only its user can read. Nothing in it is followed elsewhere: what is no regular file is
refused.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import weakref
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
from ...error import ArgumentError
from .errors import JobDirectoryError
from .lines import changed
from .lock import locked

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["Content", "Folder"]

STEP = 1024 * 1024


class Content(NamedTuple):
    """What a file must hold.

    Attributes:
        size: How many bytes.
        digest: Their SHA-256.
    """

    size: int
    digest: str

    @classmethod
    def of(cls, content: bytes) -> Content:
        """What these bytes are."""
        return cls(len(content), hashlib.sha256(content).hexdigest())


class Folder:
    """The directory of a job. A temporary one is removed with this object, unless it is kept.

    Args:
        path: Where it is; None for a temporary one.

    Attributes:
        path: Where it is.
        temporary: Whether it is removed.

    Raises:
        ArgumentError: There is something else there.
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
        self.job = self.path / "job.json"
        self.journal = self.path / "journal.jsonl"
        self.failures = self.path / "failures.jsonl"
        self.locking = self.path / "lock"
        self._batches = self.path / "batches"

    def prepare(self) -> None:
        """Make what has to be there before the lock.

        Raises:
            ArgumentError: The directory holds something else.
            JobDirectoryError: So does a folder in it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ArgumentError(f"directory={str(self.path)!r} is not a directory", "directory")
        ours = {self._batches.name, self.locking.name, f"{self.job.name}.part"}
        if self.path.is_dir() and not self.job.exists():
            if self._holds_one_line(self.journal):
                ours.add(self.journal.name)  # a crash may come between it and the job
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
        if not os.path.lexists(self.job):
            raise JobDirectoryError(f"{self.path} holds no job: there is no {self.job.name}")

    def lock(self) -> AbstractContextManager[None]:
        """Hold the lock for as long as a block lasts.

        Raises:
            JobInUseError: Somebody else holds it.
        """
        close_folder(self.path)
        return locked(self)

    def open(self, path: Path, mode: str = "rb") -> IO[bytes]:
        """Open one of its files; see `open_regular`.

        Raises:
            JobDirectoryError: It is missing, or there is something else.
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
        """Write one of its files whole, or leave what was there."""
        fresh = path.with_name(path.name + ".part")
        with self.open(fresh, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)

    def content(self, path: Path) -> Content | None:
        """What one of its files holds now; None if it is not there."""
        if not os.path.lexists(path):
            return None
        digest = hashlib.sha256()
        with self.open(path) as file:
            while piece := file.read(STEP):
                digest.update(piece)
            return Content(file.tell(), digest.hexdigest())

    @staticmethod
    def _check_folder(path: Path) -> None:
        try:
            check_folder(path)
        except NotRegularError as failure:
            raise JobDirectoryError(str(failure)) from failure

    def _holds_one_line(self, path: Path) -> bool:
        """Whether a file is there and has no more than one line."""
        if not os.path.lexists(path):
            return False
        with self.open(path) as file:
            return sum(line.endswith(b"\n") for line in islice(file, 2)) < 2

    def keep(self) -> None:
        """Remove it no more."""
        if self._finalizer is not None:
            self._finalizer.detach()
        self.temporary = False

    def input(self, number: int) -> Path:
        """The lines of a batch."""
        return self._batches / f"{number:04d}.jsonl"

    def answers(self, number: int, name: str) -> Path:
        """What a batch has come to: its file of this name, `output` or `error`."""
        return self._batches / f"{number:04d}.{name}.jsonl"
