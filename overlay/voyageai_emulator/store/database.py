"""The SQLite database of an emulator: its tables, ids, times and pages.

Times are integers, microseconds since 1970, so that sums of them are exact.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import secrets
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from voyageai.disk import NotRegularError, check_regular, close_to_others, private_opener

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = [
    "VERSION",
    "CursorNotFoundError",
    "Database",
    "Page",
    "StateError",
    "as_datetime",
    "microseconds",
    "new_id",
    "page_of",
]

APPLICATION = 0x766F7961
"""SQLite's ``application_id`` of an emulator's database."""
VERSION = 2
"""Version of the tables. A state file of another version is refused, so change it with them."""
TABLES = """
CREATE TABLE files (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  filename TEXT NOT NULL,
  purpose TEXT NOT NULL,
  bytes INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER,  -- null until the file is published
  expires_at INTEGER
);
CREATE INDEX files_by_owner ON files (owner, created_at, number);
CREATE TABLE pieces (
  file INTEGER NOT NULL REFERENCES files (number) ON DELETE CASCADE,
  start INTEGER NOT NULL,
  content BLOB NOT NULL,
  UNIQUE (file, start)
);
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  platform TEXT,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  input_file_id TEXT NOT NULL,
  input_file INTEGER NOT NULL,
  completion_window TEXT NOT NULL,
  request_params TEXT NOT NULL,
  metadata TEXT,
  status TEXT NOT NULL,
  errors TEXT,
  validated INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  output_file INTEGER,
  error_file INTEGER,
  output_file_id TEXT,
  error_file_id TEXT,
  created_at INTEGER NOT NULL,
  expected_completion_at INTEGER NOT NULL,
  in_progress_at INTEGER,
  finalizing_at INTEGER,
  completed_at INTEGER,
  failed_at INTEGER,
  cancelling_at INTEGER,
  cancelled_at INTEGER
);
CREATE INDEX jobs_by_owner ON jobs (owner, number);
CREATE INDEX jobs_by_status ON jobs (status);
CREATE INDEX jobs_by_input ON jobs (input_file);
-- Lines whose results are written, by group. A group that begins where another has begun violates
-- the primary key, so no line is answered twice.
CREATE TABLE answered (
  job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  first_line INTEGER NOT NULL,
  next_line INTEGER NOT NULL,
  next_start INTEGER NOT NULL,
  PRIMARY KEY (job, first_line)
) WITHOUT ROWID;
CREATE TABLE model_keys (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  fingerprint TEXT NOT NULL UNIQUE,
  id TEXT NOT NULL UNIQUE,
  shown TEXT  -- null once the key is deleted
);
CREATE TABLE model_limits (
  project TEXT NOT NULL,
  geography TEXT NOT NULL,
  model_group TEXT NOT NULL,
  rpm INTEGER NOT NULL,
  tpm INTEGER NOT NULL,
  PRIMARY KEY (project, geography, model_group)
) WITHOUT ROWID;
"""
SUFFIXES = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite creates beside a database."""

# Without easily confused characters, as in the API's ids.
ID_CHARACTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ID_LENGTH = 37
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

T = TypeVar("T")


class StateError(OSError):
    """Raised if a state file cannot be used; `filename` is its path, `strerror` the reason."""

    def __init__(self, path: str | None, reason: str, number: int = errno.EINVAL) -> None:
        super().__init__(number, reason, path)


class CursorNotFoundError(LookupError):
    """Raised if the item that a page should follow is not in the list."""


class Page(NamedTuple, Generic[T]):
    """A page of a list."""

    items: list[T]
    has_more: bool
    """True if other items follow."""


def page_of(items: list[T], limit: int) -> Page[T]:
    """Return a page from a list of up to `limit` + 1 items."""
    return Page(items[:limit], len(items) > limit)


def new_id(kind: str) -> str:
    """Return a new random id, such as ``file-7vT5tYiajeqrFpsqCT8fbxCp46vwf8R4Qwdh8``."""
    return f"{kind}-{''.join(secrets.choice(ID_CHARACTERS) for _ in range(ID_LENGTH))}"


def microseconds(seconds: float) -> int:
    """Convert seconds to microseconds."""
    return round(seconds * 1_000_000)


def as_datetime(microseconds: int) -> datetime.datetime:
    """Convert microseconds since 1970 to a datetime in UTC.

    Example:
        >>> as_datetime(1_500_000).isoformat()
        '1970-01-01T00:00:01.500000+00:00'
    """
    return EPOCH + datetime.timedelta(microseconds=microseconds)


class Database:
    """The database of one emulator, shared by its threads but not with other emulators.

    A database file survives a crash at any moment: it contains all committed transactions and
    nothing else. Only its owner can read it and the files beside it.

    Args:
        path: File of the database; by default a temporary one.

    Raises:
        StateError: The file cannot be used.
    """

    def __init__(self, path: str | None = None) -> None:
        self._lock = threading.RLock()
        if path is not None:
            _create_file(path)
        try:
            self._connection = sqlite3.connect(
                path or "", timeout=0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise StateError(path, str(error)) from None
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare(path)
        except sqlite3.Error as error:
            self._connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise StateError(path, "another emulator is using it", errno.EBUSY) from None
            raise StateError(path, str(error)) from None
        except StateError:
            self._connection.close()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        """Commit the writes of a block, or none if it raises; inner blocks join the outer one."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def write(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a statement that writes."""
        with self._lock:
            return self._connection.execute(sql, values)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """Return the first row of a query."""
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def close(self) -> None:
        """Close the database. Any later use raises an error."""
        with self._lock:
            self._connection.close()

    def _prepare(self, path: str | None) -> None:
        """Set up the connection, and the tables of a new database."""
        run = self._connection.execute
        run("PRAGMA foreign_keys = ON")
        if path is None:
            run("PRAGMA journal_mode = MEMORY")
            run("PRAGMA synchronous = OFF")
        else:
            # From here on the process holds the lock, which ends with the process.
            run("PRAGMA locking_mode = EXCLUSIVE")
            self._check(path)
            for file in _database_files(
                path
            ):  # SQLite creates the others with the mode of the first
                close_to_others(file)
            run("PRAGMA journal_mode = WAL")
            run("PRAGMA synchronous = NORMAL")
        with self.transaction():
            if not self._pragma("user_version"):
                # Not executescript, which would commit the transaction first.
                for statement in TABLES.split(";\n"):
                    run(statement)
                run(f"PRAGMA application_id = {APPLICATION}")
                run(f"PRAGMA user_version = {VERSION}")

    def _check(self, path: str) -> None:
        """Refuse a database of another program or of another version of the tables."""
        empty = self.row("SELECT 1 FROM sqlite_master") is None
        version = self._pragma("user_version")
        if not empty and self._pragma("application_id") != APPLICATION:
            raise StateError(path, "it is the database of another program")
        if not empty and version != VERSION:
            raise StateError(
                path,
                f"its format has version {version}, and this emulator needs version {VERSION}: "
                "use another file, or the emulator that wrote it",
            )

    def _pragma(self, name: str) -> int:
        value: int = self._connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value


def _database_files(path: str) -> list[Path]:
    """Return the file of a database, with links resolved as SQLite does, and those beside it."""
    file = os.path.realpath(path)
    return [Path(file), *(Path(file + suffix) for suffix in SUFFIXES)]


def _create_file(path: str) -> None:
    """Create the file of a new database with mode 0600; SQLite would use the umask.

    Raises:
        StateError: The file is not a regular file, or one of those beside it is not, or is a link.
    """
    file, *beside = _database_files(path)
    try:
        if not file.is_dir():  # which SQLite reports
            check_regular(file)
        for other in beside:
            check_regular(other)
    except NotRegularError as error:
        raise StateError(path, str(error)) from None
    with contextlib.suppress(OSError):  # the file exists, or SQLite will report the error
        os.close(private_opener(str(file), os.O_RDWR | os.O_CREAT | os.O_EXCL))
