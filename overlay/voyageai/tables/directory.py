"""The directory of a table job: its parts, its unfinished slices, its lock.

part-000000.parquet   the table: one part per slice
_job/job.json         the description of the job
_job/rows.arrow       the rows of a batch job whose source can be read only once
_job/000012           an unfinished slice, described in `slices`
_job/batch            the batches of a batch job, until all slices are finished
_job/batch.json       the plan of the batches: first unit of each slice
_job/failures.jsonl   the rows without a result
_job/telemetry.json   the spans of its runs, where they are recorded
_job/lock             locked while a process works on the job
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

__all__ = ["JOB_FOLDER", "TableDirectory", "enter_lock", "locked"]

JOB_FOLDER = "_job"
"""Name of the folder beside the parts. Readers of datasets ignore names with an underscore."""


class TableDirectory:
    """The directory of a table job.

    Args:
        folder: Path of the directory.

    Attributes:
        folder: Path of the directory.
        own: The folder in it for everything but the parts.
        job, rows, batch, batch_plan, failures: Paths in that folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.own = folder, folder / JOB_FOLDER
        self.job = self.own / "job.json"
        self.rows = self.own / "rows.arrow"
        self.batch = self.own / "batch"
        self.batch_plan = self.own / "batch.json"
        self.failures = self.own / "failures.jsonl"

    def check_free(self) -> None:
        """Raise unless the directory is free for a new job: missing, empty, or left by an early
        crash.

        Raises:
            ArgumentError: The directory holds other files.
        """
        begun = {self.rows.name, f"{self.rows.name}.part", f"{self.job.name}.part", "lock"}
        free = not self.folder.exists() or (
            self.folder.is_dir()
            and {path.name for path in self.folder.iterdir()} <= {JOB_FOLDER}
            and (not self.own.exists() or {path.name for path in self.own.iterdir()} <= begun)
        )
        if not free:
            raise ArgumentError(
                f"into={str(self.folder)!r} holds other files and no table job; name a new or an "
                "empty directory",
                "into",
            )

    def enter_lock(self) -> IO[bytes]:
        """Open and lock the lock file, as `enter_lock` does."""
        return enter_lock(self.own)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the lock within a `with` block, as `locked` does."""
        return locked(self.own)

    def part(self, number: int) -> Path:
        """Return the path of a slice's part."""
        return self.folder / f"part-{number:06d}.parquet"

    def parts(self, job: str) -> dict[int, PartInfo]:
        """Read the metadata of the finished slices, by number.

        Args:
            job: Id of the job.

        Raises:
            ArgumentError: A part belongs to another job.
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
        """Return the folders of slices that are unfinished or were reopened."""
        return [path for path in sorted(self.own.glob("[0-9]*")) if path.is_dir()]

    def totals(self, job: str) -> Totals:
        """Return the progress of the job, summed over all slices."""
        totals = Totals()
        for part in self.parts(job).values():
            totals.add(part)
        for folder in self.unfinished():
            tokens, unknown = billed(folder)
            totals.tokens += tokens
            totals.unknown_tokens += unknown
        return totals

    def write_failures(self) -> None:
        """Concatenate the failures of all slices into one file."""
        fresh = self.failures.with_suffix(".part")
        with open_regular(fresh, "wb") as file:
            for path in sorted(self.own.glob("*.failures.jsonl")):
                with open_regular(path) as some:
                    shutil.copyfileobj(some, file)
        fresh.replace(self.failures)


def enter_lock(folder: Path) -> IO[bytes]:
    """Open and lock the lock file of a folder; closing it releases the lock.

    Raises:
        JobInUseError: Another process, or another job of this process, holds the lock.
    """
    make_folder(folder)
    file = open_regular(folder / "lock", "a+b")
    if not lock(file):
        file.close()
        raise JobInUseError(f"{folder} is in use by another process; wait for it, or end it")
    return file


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Hold the lock of a folder within a `with` block.

    Raises:
        JobInUseError: Another process, or another job of this process, holds the lock.
    """
    file = enter_lock(folder)
    try:
        yield
    finally:
        file.close()
