"""The files of batches: writing their lines, and reading them back."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.models.batch_input_line import BatchInputLine

from ...disk import sync_folder
from .bounds import batch_bin
from .directory import damaged
from .lines import LineName, dumps, line_digest, loads
from .state import BatchPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .directory import JobDirectory, JobDirectoryError
    from .lines import Size
    from .state import Manifest
    from .tasks import Task

__all__ = ["BatchReader", "BatchWriter", "Line"]


class BatchWriter:
    """Writes lines into files, one per batch, each filled up to the limits of a batch.

    Args:
        directory: The job's directory.
        task: The method and its arguments.
        job: The job's id.
        first: Number of the first batch.
        exact: Whether tokens are counted, not estimated.
    """

    def __init__(
        self, directory: JobDirectory, task: Task[Any, Any], job: str, first: int, *, exact: bool
    ) -> None:
        self._directory = directory
        self._task = task
        self._job = job
        self._number = first
        self._bin = batch_bin(exact=exact)
        self._requests = 0
        self._file: IO[bytes] | None = None
        self._plans: list[BatchPlan] = []

    def add(self, first: int, items: list[Any], size: Size) -> None:
        """Write a line.

        Args:
            first: Number of its first row.
            items: Its rows.
            size: Their size, but for its bytes.
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
        """Return the batches; all of them are on the disk."""
        self._end_file()
        sync_folder(self._directory.input_file(self._number).parent)
        return tuple(self._plans)

    def close(self) -> None:
        """Close the file that is being written."""
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
    """Reads lines that a `BatchWriter` has written, and notices where they were changed.

    Args:
        directory: The job's directory.
        manifest: The job.
    """

    def __init__(self, directory: JobDirectory, manifest: Manifest) -> None:
        self._directory = directory
        self._manifest = manifest
        self._task = manifest.task

    def names(self, batch: BatchPlan) -> Iterator[tuple[LineName, bytes]]:
        """Yield the lines of a batch's file as bytes, each with its name.

        Raises:
            JobDirectoryError: A name is not of this job, or lines are missing.
        """
        place, rows, before = 0, 0, -1
        with self._directory.open(self._directory.input_file(batch.number)) as file:
            for place, raw in enumerate(file, 1):
                name = LineName.find(raw)
                if name is None or name.job != self._manifest.id:
                    raise self._damaged(batch.number, place, "its name is none of this job")
                if not before < name.first <= name.last < self._manifest.rows:
                    raise self._damaged(batch.number, place, "its rows are not those that follow")
                rows, before = rows + name.last - name.first + 1, name.last
                yield name, raw
        if (place, rows) != (batch.requests, batch.rows):
            raise self._damaged(batch.number, place + 1, "lines are missing")

    def items(self, number: int, place: int, raw: bytes) -> list[Any]:
        """Parse a line, and return its rows.

        Args:
            number: Number of its batch.
            place: Its own number in the batch's file, from 1.
            raw: The line.

        Raises:
            JobDirectoryError: It is not as it was written.
        """
        try:
            line = BatchInputLine.from_dict(loads(raw))
            items = self._task.items(line.body.to_dict())
            content = dumps(self._task.body(items).to_dict())
        except ValueError as failure:  # a ShapeError is one
            raise self._damaged(number, place, failure) from failure
        name = LineName.parse(line.custom_id)
        if name is None or name.digest != line_digest(content):
            raise self._damaged(number, place, "its content is not the one that its name is of")
        return items

    def lines(self, batch: BatchPlan) -> Iterator[Line]:
        """Yield the lines of a batch, parsed.

        Raises:
            JobDirectoryError: One of them is not as it was written.
        """
        for place, (name, raw) in enumerate(self.names(batch), 1):
            yield Line(name, self.items(batch.number, place, raw))

    def _damaged(self, number: int, place: int, reason: object) -> JobDirectoryError:
        return damaged(self._directory.input_file(number), reason, place)
