"""Taking the rows of a job: writing it into its directory, or finding it there."""

from __future__ import annotations

import hashlib
import json
import os
from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ...error import ArgumentError
from ...ratelimit.tokens import estimate_tokens
from .bounds import line_load, most_tokens, read_tokens
from .folder import Content
from .journal import Journal
from .names import new_job_id
from .state import PLANNED, Manifest
from .writing import BatchWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from .folder import Folder
    from .task import Count, Task

__all__ = ["Opening"]


class Rows(ABC):
    """Takes the rows of a job one after another, and looks at each.

    Args:
        task: What the rows are.

    Attributes:
        rows: How many there were.
    """

    def __init__(self, task: Task[Any, Any]) -> None:
        self._task = task
        self._digest = hashlib.sha256()
        self.rows = 0

    def add(self, values: Iterable[Any]) -> None:
        """Take rows.

        Raises:
            ArgumentError: One of them can't be one; says which and why.
        """
        for value in values:
            item = self._task.item(value, self.rows)
            self._digest.update(self._encoded(item))
            self._take(item)
            self.rows += 1

    @abstractmethod
    def finish(self) -> Manifest:
        """The job that they are."""

    def close(self) -> None:  # noqa: B027  # not all have something to close
        """Leave off."""

    @abstractmethod
    def _take(self, item: Any) -> None:
        """Do with a row whatever is to be done."""

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


class Planner(Rows):
    """Writes the lines of a new job.

    Args:
        folder: The job's directory.
        task: What the rows are.
        rows_per_line: The most rows of a line; None for a few.
        count: Counts tokens; None to estimate them.
        now: Tells the time.
    """

    def __init__(
        self,
        folder: Folder,
        task: Task[Any, Any],
        rows_per_line: int | None,
        count: Count | None,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(task)
        self._folder, self._exact, self._now = folder, count is not None, now
        self._counted = read_tokens(task, count or estimate_tokens)
        self._most = most_tokens(task, count)
        self._id = new_job_id()
        self._writer = BatchWriter(folder, task, self._id, 1, exact=self._exact)
        self._load = line_load(task, rows_per_line, exact=self._exact)
        self._items: list[Any] = []

    def finish(self) -> Manifest:
        """Write down what the job is, from when on it is one.

        Raises:
            ArgumentError: It has no rows.
        """
        if not self.rows:
            argument = self._task.argument
            raise ArgumentError(f"{argument} is empty; it needs at least 1", argument)
        self._end_line()
        manifest = Manifest(
            id=self._id,
            method=self._task.method,
            params=self._task.params.to_dict(),
            rows=self.rows,
            digest=self._digest.hexdigest(),
            exact=self._exact,
            batches=self._writer.finish(),
        )
        content = json.dumps(manifest.to_dict(), ensure_ascii=False, indent=2).encode() + b"\n"
        journal = Journal(self._folder, self._now)
        journal.add(PLANNED, job=self._id, manifest=Content.of(content).digest)
        self._folder.write(self._folder.job, content)
        return manifest

    def close(self) -> None:
        """Leave off."""
        self._writer.close()

    def _take(self, item: Any) -> None:
        size = self._task.size(item, self._counted)
        size = size._replace(most_tokens=self._task.most(item, self._most))
        if not self._load.takes(size):
            self._end_line()
        self._load.add(size)
        self._items.append(item)

    def _end_line(self) -> None:
        self._writer.add(self.rows - len(self._items), self._items, self._load.clear())
        self._items = []


class Comparison(Rows):
    """Tells whether rows are those of a job that there is already.

    Args:
        folder: The job's directory.
        task: What the rows are.

    Raises:
        ArgumentError: The job is of another method, or has other arguments.
        JobDirectoryError: The directory was damaged.
    """

    def __init__(self, folder: Folder, task: Task[Any, Any]) -> None:
        super().__init__(task)
        self._folder, self._manifest = folder, Manifest.read(folder)
        old, new = self._manifest, task.params.to_dict()
        if old.method != task.method:
            raise self._other(f"a job of {old.method}, not of {task.method}", "directory")
        for name in {**old.params, **new}:
            was, is_now = old.params.get(name), new.get(name)
            if was != is_now:
                raise self._other(f"a job with {name}={was!r}, not {is_now!r}", name)

    def _take(self, item: Any) -> None:  # noqa: ARG002  # its digest says all
        if self.rows == self._manifest.rows:  # there may be many more, and all for nothing
            rows, noun = self._manifest.rows, self._task.noun
            raise self._other(f"a job of {rows:,} {noun}, not of more", self._task.argument)

    def finish(self) -> Manifest:
        """The job that they are.

        Raises:
            ArgumentError: They are not.
        """
        argument, rows = self._task.argument, self._manifest.rows
        if self.rows != rows:
            raise self._other(f"a job of {rows:,} {self._task.noun}, not {self.rows:,}", argument)
        if self._digest.hexdigest() != self._manifest.digest:
            raise self._other(f"a job of other {self._task.noun}", argument)
        return self._manifest

    def _other(self, what: str, argument: str) -> ArgumentError:
        return ArgumentError(
            f"directory={str(self._folder.path)!r} holds {what}; go on with that job as it was "
            "begun, or name another directory",
            argument,
        )


class Opening:
    """Begins a job in its directory, or takes it up again; holds its lock meanwhile.

    Args:
        folder: The job's directory.
        task: What the rows are.
        rows_per_line: The most rows of a line; None for a few.
        count: Counts tokens; None to estimate them.
        now: Tells the time.

    Raises:
        ArgumentError: The directory holds something else, or an argument is wrong.
        JobInUseError: Somebody else is at work on the job.
    """

    def __init__(
        self,
        folder: Folder,
        task: Task[Any, Any],
        rows_per_line: int | None,
        count: Count | None,
        now: Callable[[], datetime],
    ) -> None:
        task.check_model()
        folder.prepare()
        with ExitStack() as held:
            held.enter_context(folder.lock())
            self._rows = (
                Comparison(folder, task)
                if os.path.lexists(folder.job)
                else Planner(folder, task, rows_per_line, count, now)
            )
            held.callback(self._rows.close)
            self._held = held.pop_all()

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self._rows.rows

    def add(self, values: Iterable[Any]) -> None:
        """Take rows; see `Rows.add`."""
        self._rows.add(values)

    def finish(self) -> Manifest:
        """The job; see `Planner.finish` and `Comparison.finish`."""
        return self._rows.finish()

    def close(self) -> None:
        """Let go of the directory."""
        self._held.close()
