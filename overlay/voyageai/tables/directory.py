"""The directory of a table job: its parts, the slices that are not finished, its lock.

part-000000.parquet   the table: a part for each slice
_job/job.json         what the job is
_job/rows.arrow       the rows of a batch job whose source can be read only once
_job/000012           a slice that is not finished; `slices` says what is in it
_job/batch            the batches of a batch job, until all slices are finished
_job/batch.json       which rows are in them
_job/failures.jsonl   the rows without a result
_job/telemetry.json   the spans of its runs, where they are recorded
_job/lock             held while a process works on the job
"""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from ..batches.jobs.directory import JobInUseError
from ..disk import lock, make_folder, open_regular
from ..error import ArgumentError
from .schedule import Totals
from .slices import PartInfo, billed, read_info

__all__ = ["OWN", "TableDirectory", "enter_lock", "locked"]

OWN = "_job"
"""Name of the folder with what is not the table: readers of datasets pass over such names."""


class TableDirectory:
    """The directory of a table job.

    Args:
        folder: Its path.

    Attributes:
        folder: Its path.
        own: The folder in it with what is not the table.
        job, rows, batch, batch_plan, failures: Paths of what is in that folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.own = folder, folder / OWN
        self.job = self.own / "job.json"
        self.rows = self.own / "rows.arrow"
        self.batch = self.own / "batch"
        self.batch_plan = self.own / "batch.json"
        self.failures = self.own / "failures.jsonl"

    def check_free(self) -> None:
        """Refuse a directory that holds something else than the beginnings of a job.

        Raises:
            ArgumentError: It does.
        """
        begun = {self.rows.name, f"{self.rows.name}.part", f"{self.job.name}.part", "lock"}
        free = not self.folder.exists() or (
            self.folder.is_dir()
            and {path.name for path in self.folder.iterdir()} <= {OWN}
            and (not self.own.exists() or {path.name for path in self.own.iterdir()} <= begun)
        )
        if not free:
            raise ArgumentError(
                f"into={str(self.folder)!r} holds something that is no table job; name a new "
                "directory",
                "into",
            )

    def enter_lock(self) -> IO[bytes]:
        """Open and lock the lock file, as `enter_lock` does."""
        return enter_lock(self.own)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the lock inside a `with`, as `locked` does."""
        return locked(self.own)

    def part(self, number: int) -> Path:
        """Return the path of a slice's part."""
        return self.folder / f"part-{number:06d}.parquet"

    def parts(self, job: str) -> dict[int, PartInfo]:
        """Read the slices that are finished, by number.

        Args:
            job: The job's id.

        Raises:
            ArgumentError: There is a part of another job.
        """
        found: dict[int, PartInfo] = {}
        begun = {path.name for path in self.unfinished()}
        for path in sorted(self.folder.glob("part-*.parquet")):
            part = read_info(path)
            if part.job != job:
                raise ArgumentError(f"{path} is a part of another job; move it away", "into")
            if f"{part.slice:06d}" not in begun:
                found[part.slice] = part
        return found

    def unfinished(self) -> list[Path]:
        """Return the folders of slices that were begun, or taken up again."""
        return [path for path in sorted(self.own.glob("[0-9]*")) if path.is_dir()]

    def totals(self, job: str) -> Totals:
        """Return how far the job is, by all of its slices."""
        totals = Totals()
        for part in self.parts(job).values():
            totals.add(part)
        for folder in self.unfinished():
            tokens, unknown = billed(folder)
            totals.tokens += tokens
            totals.unknown_tokens += unknown
        return totals

    def write_failures(self) -> None:
        """Gather the failures of all slices in one file."""
        fresh = self.failures.with_suffix(".part")
        with open_regular(fresh, "wb") as file:
            for path in sorted(self.own.glob("*.failures.jsonl")):
                with open_regular(path) as some:
                    shutil.copyfileobj(some, file)
        fresh.replace(self.failures)


def enter_lock(folder: Path) -> IO[bytes]:
    """Open and lock the lock file of a folder; to close it frees the lock.

    Raises:
        JobInUseError: Another process, or another job of this one, holds it.
    """
    make_folder(folder)
    file = open_regular(folder / "lock", "a+b")
    if not lock(file):
        file.close()
        raise JobInUseError(f"{folder} is in use by another process; wait for it, or end it")
    return file


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Hold the lock of a folder inside a `with`.

    Raises:
        JobInUseError: Another process holds it.
    """
    file = enter_lock(folder)
    try:
        yield
    finally:
        file.close()
