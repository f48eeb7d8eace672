"""Batch jobs and how far they are."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from .ids import new_id
from .pages import NotInList, Page, page_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from voyageai_rest.models.batch_status import BatchStatus

    from .database import Database

__all__ = ["FLYING", "IN_FLIGHT", "Job", "JobStore", "Place"]

IN_FLIGHT: tuple[BatchStatus, ...] = ("validating", "in_progress", "finalizing", "cancelling")
"""Statuses of jobs that are not at their end."""
FLYING = f"status IN {IN_FLIGHT}"
AS_JSON = ("request_params", "metadata", "errors")
"""Columns that hold JSON."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A batch job as it was when it was looked up. Times are instants."""

    number: int
    id: str
    owner: str
    platform: str | None
    endpoint: str
    model: str
    input_file_id: str
    input_file: int
    """Number of the file with its lines."""
    completion_window: str
    request_params: dict[str, Any]
    metadata: dict[str, Any] | None
    status: BatchStatus
    errors: list[dict[str, Any]] | None
    validated: bool
    """Whether all its lines have been checked."""
    tokens: int
    """Of all its lines, once they have been checked."""
    total: int
    completed: int
    failed: int
    output_file: int | None
    """Number of the file that its answers are written to."""
    error_file: int | None
    output_file_id: str | None
    error_file_id: str | None
    created_at: int
    expected_completion_at: int
    in_progress_at: int | None
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None


class Place(NamedTuple):
    """Where in its input file a job goes on."""

    line: int
    start: int


class JobStore:
    """Batch jobs. As for files, those of other owners are not there; None stands for all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, **columns: Any) -> Job:
        """Add a job, by what its columns begin with."""
        id = new_id("batch")
        columns = _encoded({"id": id, "status": IN_FLIGHT[0], **columns})
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        self._database.write(
            f"INSERT INTO jobs ({names}) VALUES ({marks})",  # noqa: S608  # names of columns
            list(columns.values()),
        )
        job = self.find(id, None)
        assert job is not None  # it was just added  # noqa: S101
        return job

    def find(self, id: str, owner: str | None) -> Job | None:
        """A job by its id."""
        if not id.isascii():  # nor would SQLite take every string
            return None
        row = self._database.row(
            "SELECT * FROM jobs WHERE id = ? AND (owner = ? OR ? IS NULL)", (id, owner, owner)
        )
        return None if row is None else _job(row)

    def page(self, owner: str | None, *, limit: int, after: str | None = None) -> Page[Job]:
        """Jobs, the newest first.

        Raises:
            NotInList: There is no job `after`.
        """
        last = None if after is None else self.find(after, owner)
        if after is not None and last is None:
            raise NotInList(after)
        number = None if last is None else last.number
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE (owner = ? OR ? IS NULL) AND (? IS NULL OR number < ?) "
            "ORDER BY number DESC LIMIT ?",
            (owner, owner, number, number, limit + 1),
        )
        return page_of([_job(row) for row in rows], limit)

    def all(self) -> list[Job]:
        """All jobs of all owners, the newest first."""
        return [_job(row) for row in self._database.rows("SELECT * FROM jobs ORDER BY number DESC")]

    def in_flight(self, owner: str | None = None) -> list[Job]:
        """The jobs that are not at their end, the oldest first."""
        sql = f"SELECT * FROM jobs WHERE {FLYING} AND (owner = ? OR ? IS NULL) ORDER BY number"  # noqa: S608  # a constant
        return [_job(row) for row in self._database.rows(sql, (owner, owner))]

    def load(self, owner: str) -> tuple[int, int]:
        """How many jobs an owner has in flight, and their tokens as far as they are counted."""
        sql = f"SELECT count(*), total(tokens) FROM jobs WHERE owner = ? AND {FLYING}"  # noqa: S608  # a constant
        jobs, tokens = self._database.rows(sql, (owner,))[0]
        return int(jobs), int(tokens)

    def move(
        self,
        number: int,
        before: Sequence[BatchStatus],
        to: BatchStatus,
        now: int,
        **columns: Any,
    ) -> bool:
        """Move a job to a status and note the time. False if it was in none of those `before`."""
        with self._database.transaction():
            row = self._database.row("SELECT status FROM jobs WHERE number = ?", (number,))
            if row is None or row["status"] not in before:
                return False
            self.change(number, status=to, **{f"{to}_at": now}, **columns)
            return True

    def change(self, number: int, **columns: Any) -> None:
        """Change columns of a job."""
        names = ", ".join(f"{name} = ?" for name in columns)
        self._database.write(
            f"UPDATE jobs SET {names} WHERE number = ?",  # noqa: S608  # names of columns
            [*_encoded(columns).values(), number],
        )

    def place(self, number: int) -> Place:
        """The first line of a job that is not answered."""
        row = self._database.row(
            "SELECT next_line, next_start FROM answered WHERE job = ? "
            "ORDER BY first_line DESC LIMIT 1",
            (number,),
        )
        return Place(1, 0) if row is None else Place(*row)

    def note_answered(self, number: int, begin: Place, end: Place) -> None:
        """Note that the lines from one place up to another are answered, which happens once."""
        self._database.write(
            "INSERT INTO answered (job, first_line, next_line, next_start) VALUES (?, ?, ?, ?)",
            (number, begin.line, *end),
        )

    def answered(self, number: int) -> list[tuple[int, int]]:
        """The groups of lines that are answered: the first line, and the one after the last."""
        rows = self._database.rows(
            "SELECT first_line, next_line FROM answered WHERE job = ? ORDER BY first_line",
            (number,),
        )
        return [(row["first_line"], row["next_line"]) for row in rows]


def _encoded(columns: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value) if name in AS_JSON and value is not None else value
        for name, value in columns.items()
    }


def _job(row: sqlite3.Row) -> Job:
    columns: dict[str, Any] = {field.name: row[field.name] for field in fields(Job)}
    for name in AS_JSON:
        if columns[name] is not None:
            columns[name] = json.loads(columns[name])
    columns["validated"] = bool(columns["validated"])
    return Job(**columns)
