"""Writing lines into the files of batches."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

from voyageai_rest.models.batch_input_line import BatchInputLine

from .bounds import batch_load
from .disk import dumps, sync_folder
from .names import LineName, digest_of
from .state import Planned

if TYPE_CHECKING:
    from .folder import Folder
    from .packing import Size
    from .task import Task

__all__ = ["BatchWriter"]


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
            self._file = self._folder.input(self._number).open("wb")
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
