"""The directory of a job: what is where.

job.json             what the job is: method, arguments, number of rows, digest, batches
journal.jsonl        what has happened, line by line
batches/0001.jsonl   the lines of the first batch, as they are uploaded
batches/0001.output.jsonl, batches/0001.error.jsonl
its answers, as they were downloaded
failures.jsonl       the rows without a result, with the reason for each
vectors-ROWSxCOLUMNS-TYPE.bin
the vectors in the order of the rows, once they were asked for
lock                 held by the process that is at work on the job
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from ..error import ArgumentError
from .errors import JobDirectoryError
from .lock import locked

if TYPE_CHECKING:
    import os
    from contextlib import AbstractContextManager

__all__ = ["Folder"]


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
        self.job = self.path / "job.json"
        self.journal = self.path / "journal.jsonl"
        self.failures = self.path / "failures.jsonl"
        self._batches = self.path / "batches"
        self._lock = self.path / "lock"

    def prepare(self) -> None:
        """Make what has to be there before the lock.

        Raises:
            ArgumentError: The directory holds something else.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ArgumentError(f"directory={str(self.path)!r} is not a directory", "directory")
        ours = {self._batches.name, self._lock.name, f"{self.job.name}.part"}
        if self.path.is_dir() and not self.job.exists():
            if self.journal.is_file() and self.journal.read_bytes().count(b"\n") <= 1:
                ours.add(self.journal.name)  # a crash may come between it and the job
            others = sorted({entry.name for entry in self.path.iterdir()} - ours)
            if others:
                raise ArgumentError(
                    f"directory={str(self.path)!r} is no job directory: it holds {others[0]!r}; "
                    "name a new or an empty one",
                    "directory",
                )
        self._batches.mkdir(parents=True, exist_ok=True)

    def check(self) -> None:
        """Refuse a directory without a job.

        Raises:
            JobDirectoryError: There is none.
        """
        if not self.job.is_file():
            raise JobDirectoryError(f"{self.path} holds no job: there is no {self.job.name}")

    def lock(self) -> AbstractContextManager[None]:
        """Hold the lock for as long as a block lasts.

        Raises:
            JobInUseError: Somebody else holds it.
        """
        return locked(self._lock)

    def keep(self) -> None:
        """Remove it no more."""
        if self._finalizer is not None:
            self._finalizer.detach()
        self.temporary = False

    def input(self, number: int) -> Path:
        """The lines of a batch."""
        return self._batches / f"{number:04d}.jsonl"

    def output(self, number: int) -> Path:
        """The answers to a batch."""
        return self._batches / f"{number:04d}.output.jsonl"

    def error(self, number: int) -> Path:
        """The lines of a batch that failed."""
        return self._batches / f"{number:04d}.error.jsonl"
