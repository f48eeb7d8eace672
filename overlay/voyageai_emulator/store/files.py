"""Files in the database, with their contents in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .database import CursorNotFoundError, Page, new_id, page_of
from .jobs import JOB_IN_FLIGHT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from voyageai_rest.models.file_purpose import FilePurpose

    from .database import Database

__all__ = ["PIECE_SIZE", "FileStore", "Line", "StoredFile"]

PIECE_SIZE = 262_144
"""Maximum of bytes of a piece, and so of a file's content in memory."""
IN_USE = f"EXISTS (SELECT 1 FROM jobs WHERE input_file = files.number AND {JOB_IN_FLIGHT})"  # noqa: S608  # a constant
"""SQL: a job in flight reads the file."""


@dataclass(frozen=True)
class StoredFile:
    """A file without its content."""

    number: int
    id: str
    owner: str
    filename: str
    purpose: FilePurpose
    bytes: int
    created_at: int
    """In microseconds since 1970, like all times here."""
    expires_at: int
    """Time from which on the file is not found."""


class Line(NamedTuple):
    """A line of a file."""

    number: int
    """1 for the first."""
    raw: bytes | None
    """The bytes without the newline; None if the line is too long."""
    end: int
    """Offset of the next line in the file."""


class FileStore:
    """The files of the database. A file can be appended to until it is published.

    Methods that take an owner find only that owner's files; None means all owners.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, owner: str, filename: str, purpose: FilePurpose) -> int:
        """Create a file, and return its number. It is not found until it is published."""
        number = self._database.write(
            "INSERT INTO files (id, owner, filename, purpose) VALUES (?, ?, ?, ?)",
            (new_id("file"), owner, filename, purpose),
        ).lastrowid
        assert number is not None  # an INSERT has one  # noqa: S101
        return number

    def append(self, number: int, content: bytes) -> None:
        """Append to an unpublished file."""
        with self._database.transaction():
            start = self._size(number)
            for offset in range(0, len(content), PIECE_SIZE):
                self._database.write(
                    "INSERT INTO pieces (file, start, content) VALUES (?, ?, ?)",
                    (number, start + offset, content[offset : offset + PIECE_SIZE]),
                )
            self._database.write(
                "UPDATE files SET bytes = ? WHERE number = ?", (start + len(content), number)
            )

    def publish(self, number: int, created_at: int, expires_at: int) -> StoredFile:
        """Publish a file after it was written completely."""
        self._database.write(
            "UPDATE files SET created_at = ?, expires_at = ? WHERE number = ?",
            (created_at, expires_at, number),
        )
        row = self._database.row("SELECT * FROM files WHERE number = ?", (number,))
        assert row is not None  # it was begun  # noqa: S101
        return _stored(row)

    def discard(self, number: int) -> None:
        """Delete a file, published or not."""
        self._database.write("DELETE FROM files WHERE number = ?", (number,))

    def drop_unfinished(self) -> None:
        """Delete unpublished files, except for those that jobs write to."""
        self._database.write(
            "DELETE FROM files WHERE created_at IS NULL AND number NOT IN ("
            "SELECT output_file FROM jobs WHERE output_file IS NOT NULL UNION "
            "SELECT error_file FROM jobs WHERE error_file IS NOT NULL)"
        )

    def find(self, id: str, owner: str | None, now: int) -> StoredFile | None:
        """Return a published file that has not expired."""
        if not id.isascii():  # not an id; SQLite would refuse some of these
            return None
        row = self._database.row(
            "SELECT * FROM files WHERE id = ? AND (owner = ? OR ? IS NULL) AND expires_at > ?",
            (id, owner, owner, now),
        )
        return None if row is None else _stored(row)

    def page(
        self,
        owner: str | None,
        now: int,
        *,
        limit: int,
        ascending: bool = False,
        after: str | None = None,
        purpose: str | None = None,
    ) -> Page[StoredFile]:
        """Return a page of files, ordered by their time of creation.

        Raises:
            CursorNotFoundError: The file `after` does not exist.
        """
        last = None if after is None else self.find(after, owner, now)
        if after is not None and last is None:
            raise CursorNotFoundError(after)
        cursor = (None, None) if last is None else (last.created_at, last.number)
        order, beyond = ("ASC", ">") if ascending else ("DESC", "<")
        rows = self._database.rows(
            "SELECT * FROM files WHERE (owner = ? OR ? IS NULL) AND expires_at > ? "  # noqa: S608  # two words from above
            "AND (purpose = ? OR ? IS NULL) "
            f"AND (? IS NULL OR (created_at, number) {beyond} (?, ?)) "
            f"ORDER BY created_at {order}, number {order} LIMIT ?",
            (owner, owner, now, purpose, purpose, cursor[0], *cursor, limit + 1),
        )
        return page_of([_stored(row) for row in rows], limit)

    def all(self, now: int) -> list[StoredFile]:
        """Return all files of all owners, newest first."""
        sql = "SELECT * FROM files WHERE expires_at > ? ORDER BY created_at DESC, number DESC"
        return [_stored(row) for row in self._database.rows(sql, (now,))]

    def in_use(self, number: int) -> bool:
        """Return whether a job in flight reads a file."""
        sql = f"SELECT 1 FROM files WHERE number = ? AND {IN_USE}"  # noqa: S608  # a constant
        return self._database.row(sql, (number,)) is not None

    def drop_expired(self, now: int) -> None:
        """Delete expired files, except for those that jobs in flight read."""
        sql = f"DELETE FROM files WHERE expires_at <= ? AND NOT {IN_USE}"  # noqa: S608  # a constant
        self._database.write(sql, (now,))

    def pieces(self, number: int, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the content of a file in pieces; stop early if the file is deleted."""
        while stop is None or start < stop:
            row = self._database.row(
                "SELECT start, content FROM pieces WHERE file = ? AND start <= ? "
                "ORDER BY start DESC LIMIT 1",
                (number, start),
            )
            content: bytes = b"" if row is None else row["content"][start - row["start"] :]
            if not content:
                return
            content = content if stop is None else content[: stop - start]
            start += len(content)
            yield content

    def lines(
        self, number: int, *, first: int = 1, start: int = 0, max_line_bytes: int
    ) -> Iterator[Line]:
        """Yield the lines of a file, without newlines.

        Args:
            number: Number of the file.
            first: Number of the first line to read.
            start: Offset of that line in the file.
            max_line_bytes: Maximum of bytes of a line; the content of a longer line is skipped.
        """
        line, parts, length = first, list[bytes](), 0
        for piece in self.pieces(number, start):
            *ended, rest = piece.split(b"\n")
            for part in ended:
                length += len(part)
                start += length + 1
                whole = b"".join((*parts, part)) if length <= max_line_bytes else None
                yield Line(line, whole, start)
                line, parts, length = line + 1, [], 0
            length += len(rest)
            # Of a line that is too long, only the length is kept.
            parts = [*parts, rest] if length <= max_line_bytes else []
        if length:
            yield Line(line, b"".join(parts) if length <= max_line_bytes else None, start + length)

    def _size(self, number: int) -> int:
        row = self._database.row("SELECT bytes FROM files WHERE number = ?", (number,))
        assert row is not None  # it was begun  # noqa: S101
        size: int = row["bytes"]
        return size


def _stored(row: sqlite3.Row) -> StoredFile:
    names = StoredFile.__dataclass_fields__
    return StoredFile(**{name: row[name] for name in names})
