"""The input files of batches: rows are written into lines, and read back."""

from __future__ import annotations

import hashlib
import json
import os
from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.models.batch_input_line import BatchInputLine

from ...disk import sync_folder
from ...error import ArgumentError
from ...ratelimit.tokens import estimate_tokens
from .directory import FileDigest, damaged
from .estimate import batch_bin, billable_count, line_bin, truncated_count
from .journal import Journal
from .lines import LineName, dumps, line_digest, loads, new_job_id
from .state import PLANNED, BatchPlan, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...flow import BatchLimits, Environment
    from .directory import JobDirectory, JobDirectoryError
    from .lines import Size
    from .tasks import Count, Task

__all__ = ["BatchReader", "BatchWriter", "JobWriter", "Line"]


class BatchWriter:
    """Writes lines into files, one per batch, each filled up to the limits of a batch.

    Args:
        directory: The job's directory.
        task: The method and its arguments.
        job: Id of the job.
        first: Number of the first batch.
        limits: The limits of batches.
        exact: True if tokens are counted, False if estimated.
    """

    def __init__(
        self,
        directory: JobDirectory,
        task: Task[Any, Any],
        job: str,
        first: int,
        limits: BatchLimits,
        *,
        exact: bool,
    ) -> None:
        self._directory = directory
        self._task = task
        self._job = job
        self._number = first
        self._bin = batch_bin(limits, exact=exact)
        self._requests = 0
        self._file: IO[bytes] | None = None
        self._plans: list[BatchPlan] = []

    def add(self, first: int, items: list[Any], size: Size) -> None:
        """Write a line.

        Args:
            first: Number of the line's first row.
            items: The rows of the line.
            size: Size of the rows, except for bytes.
        """
        body = self._task.body(items)
        content = dumps(body.to_dict())
        name = LineName(self._job, first, first + len(items) - 1, line_digest(content))
        line = dumps(BatchInputLine(custom_id=str(name), body=body).to_dict())
        size = size._replace(bytes=len(line))
        if not self._bin.fits(size):
            self._end_file()
        if self._file is None:
            self._file = self._directory.open(self._directory.input_file(self._number), "wb")
        self._file.write(line)
        self._bin.add(size)
        self._requests += 1

    def finish(self) -> tuple[BatchPlan, ...]:
        """Return the batches, whose files are flushed to disk."""
        self._end_file()
        sync_folder(self._directory.input_file(self._number).parent)
        return tuple(self._plans)

    def close(self) -> None:
        """Close the current file."""
        if self._file is not None:
            self._file.close()

    def _end_file(self) -> None:
        if self._file is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        size = self._bin.clear()
        plan = BatchPlan(
            number=self._number,
            requests=self._requests,
            rows=size.rows,
            tokens=size.tokens,
            most_tokens=size.most_tokens,
            bytes=size.bytes,
        )
        self._plans.append(plan)
        self._number, self._requests, self._file = self._number + 1, 0, None


class Line(NamedTuple):
    """A line of a batch: its name and its rows."""

    name: LineName
    items: list[Any]


class BatchReader:
    """Reads lines that a `BatchWriter` has written, and detects changes of them.

    Args:
        directory: The job's directory.
        manifest: The manifest of the job.
    """

    def __init__(self, directory: JobDirectory, manifest: Manifest) -> None:
        self._directory = directory
        self._manifest = manifest
        self._task = manifest.task

    def open(self, batch: BatchPlan) -> IO[bytes]:
        """Open the file of a batch.

        Raises:
            JobDirectoryError: The file is missing, or is not a regular file.
        """
        return self._directory.open(self._directory.input_file(batch.number))

    def names(self, batch: BatchPlan, file: IO[bytes]) -> Iterator[tuple[LineName, bytes]]:
        """Yield the name and the bytes of each line of a batch's file.

        Args:
            batch: The batch.
            file: The file, at its beginning.

        Raises:
            JobDirectoryError: A name belongs to another job, or lines are missing.
        """
        place, rows, before = 0, 0, -1
        for place, raw in enumerate(file, 1):
            name = LineName.find(raw)
            if name is None or name.job != self._manifest.id:
                raise self._damaged(batch.number, place, "its custom_id is not of this job")
            if not before < name.first <= name.last < self._manifest.rows:
                raise self._damaged(batch.number, place, "its rows are out of order")
            rows, before = rows + name.last - name.first + 1, name.last
            yield name, raw
        if (place, rows) != (batch.requests, batch.rows):
            raise self._damaged(batch.number, place + 1, "lines are missing")

    def items(self, number: int, place: int, raw: bytes) -> list[Any]:
        """Parse a line and return its rows.

        Args:
            number: Number of the batch.
            place: Number of the line in the batch's file, from 1.
            raw: The line.

        Raises:
            JobDirectoryError: The line was changed since it was written.
        """
        try:
            line = BatchInputLine.from_dict(loads(raw))
            items = self._task.items(line.body)
            content = dumps(line.body.to_dict())
        except ValueError as failure:  # a ShapeError is one
            raise self._damaged(number, place, failure) from failure
        name = LineName.parse(line.custom_id)
        if name is None or name.digest != line_digest(content):
            raise self._damaged(number, place, "its content does not match its custom_id")
        return items

    def lines(self, batch: BatchPlan, file: IO[bytes]) -> Iterator[Line]:
        """Yield the parsed lines of a batch.

        Args:
            batch: The batch.
            file: The file of the batch, at its beginning.

        Raises:
            JobDirectoryError: A line was changed since it was written.
        """
        for place, (name, raw) in enumerate(self.names(batch, file), 1):
            yield Line(name, self.items(batch.number, place, raw))

    def _damaged(self, number: int, place: int, reason: object) -> JobDirectoryError:
        return damaged(self._directory.input_file(number), reason, place)


class JobWriter(ABC):
    """Takes the rows of a job one after another, checks each, and returns the job's manifest.

    Attributes:
        rows: Number of rows that were added.
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
        environment: Environment,
    ) -> JobWriter:
        """Open a job directory, whose lock is held until the writer is closed.

        Args:
            directory: The job's directory.
            task: The method and its arguments.
            rows_per_line: Most rows of a line; None for the default.
            count: Function that counts tokens; None to estimate them.
            environment: The clock, and the limits of batches.

        Returns:
            A writer of a new job, or one that compares the rows with an existing job.

        Raises:
            ArgumentError: The directory is no job directory, or holds another job.
            JobInUseError: Another process or thread is working on the job.
        """
        directory.prepare()
        with ExitStack() as lock:
            lock.enter_context(directory.lock())
            writer = (
                ExistingJob(directory, task)
                if os.path.lexists(directory.manifest)
                else NewJob(directory, task, rows_per_line, count, environment)
            )
            writer._lock = lock.pop_all()
        return writer

    def add(self, values: Iterable[Any]) -> None:
        """Check and add rows.

        Raises:
            ArgumentError: A value is not a row of this method; the message names it.
        """
        for value in values:
            item = self._task.item(value, self.rows)
            self._digest.update(self._encoded(item))
            self._add(item)
            self.rows += 1

    @abstractmethod
    def end_line(self) -> None:
        """End the current line, so that the next row begins another one."""

    @abstractmethod
    def finish(self) -> Manifest:
        """Return the manifest of the job of all added rows."""

    def close(self) -> None:
        """Release the lock."""
        self._lock.close()

    @abstractmethod
    def _add(self, item: Any) -> None:
        """Add a checked row."""

    def _encoded(self, item: Any) -> bytes:
        try:
            return json.dumps(item, ensure_ascii=False).encode() + b"\n"
        except UnicodeEncodeError as failure:
            name = f"{self._task.argument}[{self.rows}]"
            raise ArgumentError(
                f"{name} contains a lone surrogate ({failure.object[failure.start]!r}), which "
                "can't be encoded as UTF-8; drop it with text.encode('utf-8', 'ignore').decode()",
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
        environment: Environment,
    ) -> None:
        super().__init__(directory, task)
        self._exact, self._now = count is not None, environment.now
        self._count = truncated_count(task, count or estimate_tokens)
        self._billable = billable_count(task, count)
        self._id = new_job_id()
        limits = environment.batch_limits
        self._writer = BatchWriter(directory, task, self._id, 1, limits, exact=self._exact)
        self._bin = line_bin(task, rows_per_line, exact=self._exact)
        self._items: list[Any] = []

    def end_line(self) -> None:
        """Write the current line, if it has rows."""
        if self._items:
            self._writer.add(self.rows - len(self._items), self._items, self._bin.clear())
            self._items = []

    def finish(self) -> Manifest:
        """Write the manifest, which turns the directory into a job directory.

        Raises:
            ArgumentError: There are no rows.
        """
        if not self.rows:
            argument = self._task.argument
            raise ArgumentError(f"{argument} is empty; it needs at least 1", argument)
        self.end_line()
        manifest = Manifest(
            id=self._id,
            task=self._task,
            rows=self.rows,
            digest=self._digest.hexdigest(),
            exact=self._exact,
            batches=self._writer.finish(),
        )
        content = manifest.to_json()
        digest = FileDigest.of(content).digest
        Journal(self._directory).add(self._now(), PLANNED, job=self._id, manifest=digest)
        self._directory.write(self._directory.manifest, content)
        return manifest

    def close(self) -> None:
        """Close the current file, and release the lock."""
        self._writer.close()
        super().close()

    def _add(self, item: Any) -> None:
        size = self._task.size(item, self._count, self._billable)
        if not self._bin.fits(size):
            self.end_line()
        self._bin.add(size)
        self._items.append(item)


class ExistingJob(JobWriter):
    """Compares rows with those of an existing job, and writes nothing.

    Raises:
        ArgumentError: The existing job is of another method, or has other arguments.
        JobDirectoryError: A file of the directory was damaged.
    """

    def __init__(self, directory: JobDirectory, task: Task[Any, Any]) -> None:
        super().__init__(directory, task)
        self._manifest = Manifest.read(directory)
        existing = self._manifest.task
        if existing.method != task.method:
            raise self._mismatch(f"a job of {existing.method}, not of {task.method}", "directory")
        old, new = existing.params.to_dict(), task.params.to_dict()
        for name in {**old, **new}:
            before, after = old.get(name), new.get(name)
            if before != after:
                raise self._mismatch(f"a job with {name}={before!r}, not {after!r}", name)

    def _add(self, item: Any) -> None:  # noqa: ARG002  # only the digest of all rows is compared
        if self.rows == self._manifest.rows:  # don't read on: there may be many more
            rows, noun = self._manifest.rows, self._task.noun
            raise self._mismatch(f"a job of {rows:,} {noun}, not of more", self._task.argument)

    def end_line(self) -> None:
        """Do nothing: the lines exist already."""

    def finish(self) -> Manifest:
        """Return the manifest of the existing job.

        Raises:
            ArgumentError: The rows are not those of the existing job.
        """
        argument, rows = self._task.argument, self._manifest.rows
        if self.rows != rows:
            raise self._mismatch(
                f"a job of {rows:,} {self._task.noun}, not {self.rows:,}", argument
            )
        if self._digest.hexdigest() != self._manifest.digest:
            raise self._mismatch(f"a job of other {self._task.noun}", argument)
        return self._manifest

    def _mismatch(self, content: str, argument: str) -> ArgumentError:
        return ArgumentError(
            f"directory={str(self._directory.path)!r} holds {content}; continue that job with the "
            "same arguments, or name another directory",
            argument,
        )
