"""Batch jobs in the database, and their progress."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from .database import CursorNotFoundError, Page, new_id, page_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from voyageai_rest.models.batch_status import BatchStatus

    from .database import Database

__all__ = ["IN_FLIGHT", "JOB_IN_FLIGHT", "Job", "JobStore", "Position"]

IN_FLIGHT: tuple[BatchStatus, ...] = ("validating", "in_progress", "finalizing", "cancelling")
"""Statuses of jobs in flight."""
JOB_IN_FLIGHT = f"status IN {IN_FLIGHT}"
"""SQL: the job has not ended."""
JSON_COLUMNS = ("request_params", "metadata", "errors")


@dataclass(frozen=True, kw_only=True)
class Job:
    """A snapshot of a batch job. Times are in microseconds since 1970."""

    number: int
    id: str
    owner: str
    platform: str | None
    endpoint: str
    model: str
    input_file_id: str
    input_file: int
    """Number of its input file."""
    completion_window: str
    request_params: dict[str, Any]
    metadata: dict[str, Any] | None
    status: BatchStatus
    errors: list[dict[str, Any]] | None
    validated: bool
    """True once all its lines have been checked."""
    tokens: int
    """Tokens of all its lines, once they have been checked."""
    total: int
    completed: int
    failed: int
    output_file: int | None
    """Number of the file with the results of its lines."""
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


class Position(NamedTuple):
    """A line of a job's input file."""

    line: int
    """1 for the first."""
    start: int
    """Offset of the line in the file."""


class JobStore:
    """The batch jobs of the database.

    Methods that take an owner find only that owner's jobs; None means all owners.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, **columns: Any) -> Job:
        """Add a job with these columns and return it."""
        id = new_id("batch")
        columns = _encoded({"id": id, "status": IN_FLIGHT[0], **columns})
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        self._database.write(
            f"INSERT INTO jobs ({names}) VALUES ({marks})",  # noqa: S608  # column names
            list(columns.values()),
        )
        job = self.find(id, None)
        assert job is not None  # it was just added  # noqa: S101
        return job

    def find(self, id: str, owner: str | None) -> Job | None:
        """Return a job by its id."""
        if not id.isascii():  # not an id; SQLite would refuse some of these
            return None
        row = self._database.row(
            "SELECT * FROM jobs WHERE id = ? AND (owner = ? OR ? IS NULL)", (id, owner, owner)
        )
        return None if row is None else _job(row)

    def page(self, owner: str | None, *, limit: int, after: str | None = None) -> Page[Job]:
        """Return a page of jobs, newest first.

        Raises:
            CursorNotFoundError: The job `after` does not exist.
        """
        last = None if after is None else self.find(after, owner)
        if after is not None and last is None:
            raise CursorNotFoundError(after)
        number = None if last is None else last.number
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE (owner = ? OR ? IS NULL) AND (? IS NULL OR number < ?) "
            "ORDER BY number DESC LIMIT ?",
            (owner, owner, number, number, limit + 1),
        )
        return page_of([_job(row) for row in rows], limit)

    def all(self) -> list[Job]:
        """Return all jobs of all owners, newest first."""
        return [_job(row) for row in self._database.rows("SELECT * FROM jobs ORDER BY number DESC")]

    def in_flight(self, owner: str | None = None) -> list[Job]:
        """Return the jobs in flight, oldest first."""
        sql = (
            f"SELECT * FROM jobs WHERE {JOB_IN_FLIGHT} AND (owner = ? OR ? IS NULL) ORDER BY number"  # noqa: S608  # a constant
        )
        return [_job(row) for row in self._database.rows(sql, (owner, owner))]

    def load(self, owner: str) -> tuple[int, int]:
        """Return the number of an owner's jobs in flight, and the tokens counted in them so far."""
        sql = f"SELECT count(*), total(tokens) FROM jobs WHERE owner = ? AND {JOB_IN_FLIGHT}"  # noqa: S608  # a constant
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
        """Move a job to a status, and set the time of that status.

        Returns:
            False, without a change, if the job's status is not one of `before`.
        """
        with self._database.transaction():
            row = self._database.row("SELECT status FROM jobs WHERE number = ?", (number,))
            if row is None or row["status"] not in before:
                return False
            self.change(number, status=to, **{f"{to}_at": now}, **columns)
            return True

    def change(self, number: int, **columns: Any) -> None:
        """Update columns of a job."""
        names = ", ".join(f"{name} = ?" for name in columns)
        self._database.write(
            f"UPDATE jobs SET {names} WHERE number = ?",  # noqa: S608  # column names
            [*_encoded(columns).values(), number],
        )

    def next_position(self, number: int) -> Position:
        """Return the position of the first unanswered line of a job."""
        row = self._database.row(
            "SELECT next_line, next_start FROM answered WHERE job = ? "
            "ORDER BY first_line DESC LIMIT 1",
            (number,),
        )
        return Position(1, 0) if row is None else Position(*row)

    def record_answered(self, number: int, begin: Position, end: Position) -> None:
        """Record that the lines from one position up to another are answered.

        Raises:
            sqlite3.IntegrityError: These lines were answered already.
        """
        self._database.write(
            "INSERT INTO answered (job, first_line, next_line, next_start) VALUES (?, ?, ?, ?)",
            (number, begin.line, *end),
        )

    def answered(self, number: int) -> list[tuple[int, int]]:
        """Return the first line, and the one after the last, of each group of answered lines."""
        rows = self._database.rows(
            "SELECT first_line, next_line FROM answered WHERE job = ? ORDER BY first_line",
            (number,),
        )
        return [(row["first_line"], row["next_line"]) for row in rows]


def _encoded(columns: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value) if name in JSON_COLUMNS and value is not None else value
        for name, value in columns.items()
    }


def _job(row: sqlite3.Row) -> Job:
    columns: dict[str, Any] = {field.name: row[field.name] for field in fields(Job)}
    for name in JSON_COLUMNS:
        if columns[name] is not None:
            columns[name] = json.loads(columns[name])
    columns["validated"] = bool(columns["validated"])
    return Job(**columns)
