"""Writing lines into the files of batches, and reading them."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.models.batch_input_line import BatchInputLine

from ...disk import sync_folder
from .bounds import batch_load
from .lines import damaged, dumps, loads
from .names import LineName, digest_of
from .state import Planned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .errors import JobDirectoryError
    from .folder import Folder
    from .packing import Size
    from .state import Manifest
    from .task import Task

__all__ = ["BatchReader", "BatchWriter", "Line"]


class BatchWriter:
    """Writes lines, one file per batch, as full as may be.

    Args:
        folder: The job's directory.
        task: What the rows are.
        job: The job's id.
        first: Number of the first batch.
        exact: Whether tokens are counted, not estimated.
    """

    def __init__(
        self, folder: Folder, task: Task[Any, Any], job: str, first: int, *, exact: bool
    ) -> None:
        self._folder = folder
        self._task = task
        self._job = job
        self._number = first
        self._load = batch_load(exact=exact)
        self._requests = 0
        self._file: IO[bytes] | None = None
        self._done: list[Planned] = []

    def add(self, first: int, items: list[Any], size: Size) -> None:
        """Write a line.

        Args:
            first: Number of its first row.
            items: Its rows.
            size: How much they are, but for their bytes.
        """
        body = self._task.body(items)
        content = dumps(body.to_dict())
        name = LineName(self._job, first, first + len(items) - 1, digest_of(content))
        line = dumps(BatchInputLine(custom_id=str(name), body=body).to_dict())
        size = size._replace(bytes=len(line))
        if not self._load.takes(size):
            self._end()
        if self._file is None:
            self._file = self._folder.open(self._folder.input(self._number), "wb")
        self._file.write(line)
        self._load.add(size)
        self._requests += 1

    def finish(self) -> tuple[Planned, ...]:
        """The batches, all of them on the disk."""
        self._end()
        sync_folder(self._folder.input(self._number).parent)
        return tuple(self._done)

    def close(self) -> None:
        """Leave off."""
        if self._file is not None:
            self._file.close()

    def _end(self) -> None:
        if self._file is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        size = self._load.clear()
        planned = Planned(
            number=self._number,
            requests=self._requests,
            rows=size.rows,
            tokens=size.tokens,
            most_tokens=size.most_tokens,
            bytes=size.bytes,
        )
        self._done.append(planned)
        self._number, self._requests, self._file = self._number + 1, 0, None


class Line(NamedTuple):
    """A line of a batch.

    Attributes:
        name: Its name.
        items: Its rows.
    """

    name: LineName
    items: list[Any]


class BatchReader:
    """Reads lines that a `BatchWriter` has written, and sees that they are as they were.

    Args:
        folder: The job's directory.
        manifest: What the job is.
    """

    def __init__(self, folder: Folder, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest
        self._task = manifest.task

    def names(self, batch: Planned) -> Iterator[tuple[LineName, bytes]]:
        """The lines of a batch as they stand in its file, each with its name.

        Raises:
            JobDirectoryError: A name is none of this job, or lines are missing.
        """
        place, rows, before = 0, 0, -1
        with self._folder.open(self._folder.input(batch.number)) as file:
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
        """The rows of a line.

        Args:
            number: Number of its batch.
            place: Its own in the batch's file, from 1.
            raw: As it stands there.

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
        if name is None or name.digest != digest_of(content):
            raise self._damaged(number, place, "its content is not the one that its name is of")
        return items

    def lines(self, batch: Planned) -> Iterator[Line]:
        """The lines of a batch.

        Raises:
            JobDirectoryError: One of them is not as it was written.
        """
        for place, (name, raw) in enumerate(self.names(batch), 1):
            yield Line(name, self.items(batch.number, place, raw))

    def _damaged(self, number: int, place: int, reason: object) -> JobDirectoryError:
        return damaged(self._folder.input(number), reason, place)
