"""Writing the rows of a job into its directory, or comparing them with the job in it."""

from __future__ import annotations

import hashlib
import json
import os
from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ...error import ArgumentError
from ...ratelimit.tokens import estimate_tokens
from .batch_files import BatchWriter
from .bounds import billable_count, line_bin, truncated_count
from .directory import FileDigest
from .journal import Journal
from .lines import new_job_id
from .state import PLANNED, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from .directory import JobDirectory
    from .tasks import Count, Task

__all__ = ["JobWriter"]


class JobWriter(ABC):
    """Takes the rows of a job one after another, checks each, and returns the job.

    Attributes:
        rows: How many rows it has taken.
    """

    def __init__(self, directory: JobDirectory, task: Task[Any, Any]) -> None:
        self._directory, self._task = directory, task
        self._digest = hashlib.sha256()
        self._lock = ExitStack()
        self.rows = 0

    @staticmethod
    def open(
        directory: JobDirectory,
        task: Task[Any, Any],
        rows_per_line: int | None,
        count: Count | None,
        now: Callable[[], datetime],
    ) -> JobWriter:
        """Open a job directory, and hold its lock until the writer is closed.

        Args:
            directory: The job's directory.
            task: The method and its arguments.
            rows_per_line: The most rows of a line; None for the default.
            count: Counts tokens; None to estimate them.
            now: Returns the time.

        Returns:
            A writer of a new job, or one that compares the rows with the job that is there.

        Raises:
            ArgumentError: The directory holds something else, or another job.
            JobInUseError: The job is in use elsewhere.
        """
        directory.prepare()
        with ExitStack() as lock:
            lock.enter_context(directory.lock())
            writer = (
                ExistingJob(directory, task)
                if os.path.lexists(directory.manifest)
                else NewJob(directory, task, rows_per_line, count, now)
            )
            writer._lock = lock.pop_all()
        return writer

    def add(self, values: Iterable[Any]) -> None:
        """Take rows.

        Raises:
            ArgumentError: One of them is not a row of this method; names it.
        """
        for value in values:
            item = self._task.item(value, self.rows)
            self._digest.update(self._encoded(item))
            self._take(item)
            self.rows += 1

    @abstractmethod
    def end_line(self) -> None:
        """Let the next row begin another line."""

    @abstractmethod
    def finish(self) -> Manifest:
        """Return the job that consists of all rows taken."""

    def close(self) -> None:
        """Release the lock."""
        self._lock.close()

    @abstractmethod
    def _take(self, item: Any) -> None:
        """Take a row that was checked."""

    def _encoded(self, item: Any) -> bytes:
        try:
            return json.dumps(item, ensure_ascii=False).encode() + b"\n"
        except UnicodeEncodeError as failure:
            name = f"{self._task.argument}[{self.rows}]"
            raise ArgumentError(
                f"{name} holds half of a character ({failure.object[failure.start]!r}), which "
                "can't be sent; see where it was decoded, or drop it with "
                "text.encode('utf-8', 'ignore').decode()",
                name,
            ) from None


class NewJob(JobWriter):
    """Writes the lines of a new job."""

    def __init__(
        self,
        directory: JobDirectory,
        task: Task[Any, Any],
        rows_per_line: int | None,
        count: Count | None,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(directory, task)
        self._exact, self._now = count is not None, now
        self._count = truncated_count(task, count or estimate_tokens)
        self._billable = billable_count(task, count)
        self._id = new_job_id()
        self._writer = BatchWriter(directory, task, self._id, 1, exact=self._exact)
        self._bin = line_bin(task, rows_per_line, exact=self._exact)
        self._items: list[Any] = []

    def end_line(self) -> None:
        """Write the line, if it has rows."""
        if self._items:
            self._writer.add(self.rows - len(self._items), self._items, self._bin.clear())
            self._items = []

    def finish(self) -> Manifest:
        """Write the manifest, which makes the directory one of a job.

        Raises:
            ArgumentError: It has no rows.
        """
        if not self.rows:
            argument = self._task.argument
            raise ArgumentError(f"{argument} is empty; it needs at least 1", argument)
        self.end_line()
        manifest = Manifest(
            id=self._id,
            method=self._task.method,
            params=self._task.params.to_dict(),
            rows=self.rows,
            digest=self._digest.hexdigest(),
            exact=self._exact,
            batches=self._writer.finish(),
        )
        content = manifest.to_json()
        journal = Journal(self._directory, self._now)
        journal.add(PLANNED, job=self._id, manifest=FileDigest.of(content).digest)
        self._directory.write(self._directory.manifest, content)
        return manifest

    def close(self) -> None:
        """Close the file that is being written, and release the lock."""
        self._writer.close()
        super().close()

    def _take(self, item: Any) -> None:
        size = self._task.size(item, self._count)
        size = size._replace(most_tokens=self._task.most(item, self._billable))
        if not self._bin.fits(size):
            self.end_line()
        self._bin.add(size)
        self._items.append(item)


class ExistingJob(JobWriter):
    """Compares rows with those of the job in the directory, and writes nothing.

    Raises:
        ArgumentError: The job is of another method, or has other arguments.
        JobDirectoryError: The directory was damaged.
    """

    def __init__(self, directory: JobDirectory, task: Task[Any, Any]) -> None:
        super().__init__(directory, task)
        self._manifest = Manifest.read(directory)
        old, new = self._manifest, task.params.to_dict()
        if old.method != task.method:
            raise self._other(f"a job of {old.method}, not of {task.method}", "directory")
        for name in {**old.params, **new}:
            before, after = old.params.get(name), new.get(name)
            if before != after:
                raise self._other(f"a job with {name}={before!r}, not {after!r}", name)

    def _take(self, item: Any) -> None:  # noqa: ARG002  # the digest of all rows is compared
        if self.rows == self._manifest.rows:  # there may be many more, all in vain
            rows, noun = self._manifest.rows, self._task.noun
            raise self._other(f"a job of {rows:,} {noun}, not of more", self._task.argument)

    def end_line(self) -> None:
        """Do nothing: the lines are there."""

    def finish(self) -> Manifest:
        """Return the job in the directory.

        Raises:
            ArgumentError: The rows are not those of that job.
        """
        argument, rows = self._task.argument, self._manifest.rows
        if self.rows != rows:
            raise self._other(f"a job of {rows:,} {self._task.noun}, not {self.rows:,}", argument)
        if self._digest.hexdigest() != self._manifest.digest:
            raise self._other(f"a job of other {self._task.noun}", argument)
        return self._manifest

    def _other(self, what: str, argument: str) -> ArgumentError:
        return ArgumentError(
            f"directory={str(self._directory.path)!r} holds {what}; go on with that job as it was "
            "begun, or name another directory",
            argument,
        )
