"""Files, their contents in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .ids import new_id
from .jobs import FLYING
from .pages import NotInList, Page, page_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from voyageai_rest.models.file_purpose import FilePurpose

    from .database import Database

__all__ = ["PIECE", "FileStore", "Line", "StoredFile"]

PIECE = 262_144
"""Bytes of a piece at most: what is held in memory of a file."""
IN_USE = f"EXISTS (SELECT 1 FROM jobs WHERE input_file = files.number AND {FLYING})"  # noqa: S608  # a constant


@dataclass(frozen=True)
class StoredFile:
    """A file, but for its content."""

    number: int
    id: str
    owner: str
    filename: str
    purpose: FilePurpose
    bytes: int
    created_at: int
    """Instant of its creation."""
    expires_at: int
    """Instant from which it is gone."""


class Line(NamedTuple):
    """A line of a file."""

    number: int
    """1 for the first."""
    raw: bytes | None
    """Its bytes; None if they are too many."""
    end: int
    """Where in the file the next line begins."""


class FileStore:
    """Files: written in order, then published, from when on they do not change.

    Methods take the owner of files: those of others are not there. None stands for all owners.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, owner: str, filename: str, purpose: FilePurpose) -> int:
        """Begin a file that nobody sees yet. Returns its number."""
        number = self._database.write(
            "INSERT INTO files (id, owner, filename, purpose) VALUES (?, ?, ?, ?)",
            (new_id("file"), owner, filename, purpose),
        ).lastrowid
        assert number is not None  # an INSERT has one  # noqa: S101
        return number

    def append(self, number: int, content: bytes) -> None:
        """Add to the end of a file that is being written."""
        with self._database.transaction():
            start = self._size(number)
            for offset in range(0, len(content), PIECE):
                self._database.write(
                    "INSERT INTO pieces (file, start, content) VALUES (?, ?, ?)",
                    (number, start + offset, content[offset : offset + PIECE]),
                )
            self._database.write(
                "UPDATE files SET bytes = ? WHERE number = ?", (start + len(content), number)
            )

    def publish(self, number: int, created_at: int, expires_at: int) -> StoredFile:
        """Show a file that is written."""
        self._database.write(
            "UPDATE files SET created_at = ?, expires_at = ? WHERE number = ?",
            (created_at, expires_at, number),
        )
        row = self._database.row("SELECT * FROM files WHERE number = ?", (number,))
        assert row is not None  # it was begun  # noqa: S101
        return _stored(row)

    def discard(self, number: int) -> None:
        """Drop a file that was begun."""
        self._database.write("DELETE FROM files WHERE number = ?", (number,))

    def drop_unfinished(self) -> None:
        """Drop the files whose writer is gone."""
        self._database.write(
            "DELETE FROM files WHERE created_at IS NULL AND number NOT IN ("
            "SELECT output_file FROM jobs WHERE output_file IS NOT NULL UNION "
            "SELECT error_file FROM jobs WHERE error_file IS NOT NULL)"
        )

    def find(self, id: str, owner: str | None, now: int) -> StoredFile | None:
        """A file that is there."""
        if not id.isascii():  # nor would SQLite take every string
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
        """Files by the time of their creation.

        Raises:
            NotInList: There is no file `after`.
        """
        last = None if after is None else self.find(after, owner, now)
        if after is not None and last is None:
            raise NotInList(after)
        place = (None, None) if last is None else (last.created_at, last.number)
        order, beyond = ("ASC", ">") if ascending else ("DESC", "<")
        rows = self._database.rows(
            "SELECT * FROM files WHERE (owner = ? OR ? IS NULL) AND expires_at > ? "  # noqa: S608  # two words from above
            "AND (purpose = ? OR ? IS NULL) "
            f"AND (? IS NULL OR (created_at, number) {beyond} (?, ?)) "
            f"ORDER BY created_at {order}, number {order} LIMIT ?",
            (owner, owner, now, purpose, purpose, place[0], *place, limit + 1),
        )
        return page_of([_stored(row) for row in rows], limit)

    def all(self, now: int) -> list[StoredFile]:
        """All files of all owners, the newest first."""
        sql = "SELECT * FROM files WHERE expires_at > ? ORDER BY created_at DESC, number DESC"
        return [_stored(row) for row in self._database.rows(sql, (now,))]

    def in_use(self, number: int) -> bool:
        """Whether a job that is in flight reads a file."""
        sql = f"SELECT 1 FROM files WHERE number = ? AND {IN_USE}"  # noqa: S608  # a constant
        return self._database.row(sql, (number,)) is not None

    def drop_expired(self, now: int) -> None:
        """Drop the files whose time is over, but for those that jobs still read."""
        sql = f"DELETE FROM files WHERE expires_at <= ? AND NOT {IN_USE}"  # noqa: S608  # a constant
        self._database.write(sql, (now,))

    def pieces(self, number: int, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The content of a file, piece by piece; nothing more once the file is dropped."""
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

    def lines(self, number: int, *, first: int = 1, start: int = 0, longest: int) -> Iterator[Line]:
        """The lines of a file, without what ends them.

        Args:
            number: Of the file.
            first: Number of the line to begin with.
            start: Where in the file that line begins.
            longest: Bytes of a line from which on it is not read.
        """
        line, parts, length = first, list[bytes](), 0
        for piece in self.pieces(number, start):
            *ended, rest = piece.split(b"\n")
            for part in ended:
                length += len(part)
                start += length + 1
                whole = b"".join((*parts, part)) if length <= longest else None
                yield Line(line, whole, start)
                line, parts, length = line + 1, [], 0
            length += len(rest)
            # What is too long is counted, not kept.
            parts = [*parts, rest] if length <= longest else []
        if length:
            yield Line(line, b"".join(parts) if length <= longest else None, start + length)

    def _size(self, number: int) -> int:
        row = self._database.row("SELECT bytes FROM files WHERE number = ?", (number,))
        assert row is not None  # it was begun  # noqa: S101
        size: int = row["bytes"]
        return size


def _stored(row: sqlite3.Row) -> StoredFile:
    names = StoredFile.__dataclass_fields__
    return StoredFile(**{name: row[name] for name in names})
