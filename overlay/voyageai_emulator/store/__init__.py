"""What an emulator keeps: files and batch jobs, in one SQLite database.

Times are instants (see `instants`): whole microseconds, so that sums of them are exact.
"""

from __future__ import annotations

from .database import Database, StateError
from .files import FileStore, Line, StoredFile
from .jobs import IN_FLIGHT, Job, JobStore
from .pages import NotInList, Page

__all__ = [
    "IN_FLIGHT",
    "Database",
    "FileStore",
    "Job",
    "JobStore",
    "Line",
    "NotInList",
    "Page",
    "StateError",
    "Store",
    "StoredFile",
]


class Store:
    """Files and jobs. Safe to share between threads.

    Args:
        state: File of the database, which one emulator at a time can use. Without one the
            database is a temporary file that ends with the emulator.

    Raises:
        StateError: The file cannot be used.

    Attributes:
        transaction: Opens a block of which all is kept or nothing.
        files: The files.
        jobs: The batch jobs.
    """

    def __init__(self, state: str | None = None) -> None:
        self._database = Database(state)
        self.transaction = self._database.transaction
        self.files = FileStore(self._database)
        self.jobs = JobStore(self._database)
        self.files.drop_unfinished()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()
