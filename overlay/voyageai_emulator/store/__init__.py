"""The store of an emulator: files, batch jobs, keys and limits, in one SQLite database."""

from __future__ import annotations

from .accounts import AccountStore, StoredKey, StoredLimit
from .database import CursorNotFoundError, Database, Page, StateError, as_datetime, microseconds
from .files import PIECE_SIZE, FileStore, Line, StoredFile
from .jobs import IN_FLIGHT, Job, JobStore, Position

__all__ = [
    "IN_FLIGHT",
    "PIECE_SIZE",
    "AccountStore",
    "CursorNotFoundError",
    "Database",
    "FileStore",
    "Job",
    "JobStore",
    "Line",
    "Page",
    "Position",
    "StateError",
    "Store",
    "StoredFile",
    "StoredKey",
    "StoredLimit",
    "as_datetime",
    "microseconds",
]


class Store:
    """Files, jobs, keys and limits. Safe to share between threads.

    Args:
        state: File of the database, which one emulator at a time can use. By default a temporary
            file that is deleted when the emulator stops.

    Raises:
        StateError: The file cannot be used.

    Attributes:
        transaction: Context manager whose writes are committed together, or not at all.
        files: The files.
        jobs: The batch jobs.
        accounts: The keys and limits of the administration.
    """

    def __init__(self, state: str | None = None) -> None:
        self._database = Database(state)
        self.transaction = self._database.transaction
        self.files = FileStore(self._database)
        self.jobs = JobStore(self._database)
        self.accounts = AccountStore(self._database)
        self.files.drop_unfinished()

    def close(self) -> None:
        """Close the database."""
        self._database.close()
