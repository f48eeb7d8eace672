"""One SQLite database, shared by threads."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voyageai.disk import NotRegularError, check_regular, close_file, private

from .schema import APPLICATION, TABLES, VERSION

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = ["Database", "StateError"]

BESIDE = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite has beside a database."""


class StateError(OSError):
    """A state file cannot be used; its attributes `filename` and `strerror` say which and why."""

    def __init__(self, path: str | None, reason: str, number: int = errno.EINVAL) -> None:
        super().__init__(number, reason, path)


class Database:
    """A database that one emulator has to itself.

    A file survives the death of its process at any moment: what was committed is there, what was
    not is as if it had never been begun. Only its user can read it, and what is beside it.

    Args:
        path: Its file; a temporary one by default.

    Raises:
        StateError: The file cannot be used.
    """

    def __init__(self, path: str | None = None) -> None:
        self._lock = threading.RLock()
        if path is not None:
            _make(path)
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
        """Keep all that is written in a block, or nothing. A block within another is part of it."""
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
        """Run a statement that changes something."""
        with self._lock:
            return self._connection.execute(sql, values)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row of a query."""
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def close(self) -> None:
        """Close it. What is asked of it then is an error."""
        with self._lock:
            self._connection.close()

    def _prepare(self, path: str | None) -> None:
        run = self._connection.execute
        run("PRAGMA foreign_keys = ON")
        if path is None:
            run("PRAGMA journal_mode = MEMORY")
            run("PRAGMA synchronous = OFF")
        else:
            # The lock is held from here to the end, and falls with the process.
            run("PRAGMA locking_mode = EXCLUSIVE")
            self._check(path)
            for file in _files(path):  # before the next of them is made, with the mode of the first
                close_file(file)
            run("PRAGMA journal_mode = WAL")
            run("PRAGMA synchronous = NORMAL")
        with self.transaction():
            if not self._pragma("user_version"):
                # Not executescript, which would commit before it begins.
                for statement in TABLES.split(";\n"):
                    run(statement)
                run(f"PRAGMA application_id = {APPLICATION}")
                run(f"PRAGMA user_version = {VERSION}")

    def _check(self, path: str) -> None:
        """Refuse what an emulator of this version has not written."""
        empty = self.row("SELECT 1 FROM sqlite_master") is None
        version = self._pragma("user_version")
        if not empty and self._pragma("application_id") != APPLICATION:
            raise StateError(path, "it is a database of something else")
        if not empty and version != VERSION:
            raise StateError(
                path,
                f"it is a state of version {version}, and this emulator's is {VERSION}: "
                "take another file, or the emulator that wrote it",
            )

    def _pragma(self, name: str) -> int:
        value: int = self._connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value


def _files(path: str) -> list[Path]:
    """The file of a database, and those beside it; SQLite follows a link to the first."""
    file = os.path.realpath(path)
    return [Path(file), *(Path(file + ending) for ending in BESIDE)]


def _make(path: str) -> None:
    """Make the file of a database if it is not there; without this SQLite asks the umask.

    Raises:
        StateError: There is a device, a pipe or the like, or a link beside it.
    """
    file, *beside = _files(path)
    try:
        if not file.is_dir():  # of which SQLite says so
            check_regular(file)
        for other in beside:
            check_regular(other)
    except NotRegularError as error:
        raise StateError(path, str(error)) from None
    with contextlib.suppress(OSError):  # it is there, or SQLite says why it can't be
        os.close(private(str(file), os.O_RDWR | os.O_CREAT | os.O_EXCL))
