"""A lock that is free again when its process ends, however it ends.

Its file also says how long the job's journal is, so that one that was cut short is noticed: what
is missing there would be uploaded, created and billed once more.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...files.writing import lock
from .errors import JobDirectoryError, JobInUseError

if TYPE_CHECKING:
    from collections.abc import Generator

    from .folder import Folder

__all__ = ["journal_length", "locked", "note_length"]

LENGTH = re.compile(rb"^journal (\d{1,18})$", re.MULTILINE)
MOST = 4096
"""Bytes of the file that are read."""


@contextmanager
def locked(folder: Folder) -> Generator[None]:
    """Hold a lock for as long as the block lasts.

    Raises:
        JobInUseError: Somebody else holds it; says which process.
    """
    with folder.open(folder.locking, "a+b") as file:
        if not lock(file):
            raise JobInUseError(
                f"{folder.path} is in use by {_owner(folder)}; wait for it, or end it"
            )
        file.seek(0)
        length = _length(file.read(MOST))
        file.truncate(0)
        file.write(_content(length))
        file.flush()
        yield


def journal_length(folder: Folder) -> int:
    """Bytes that the journal has at least; 0 if that is not known."""
    if not os.path.lexists(folder.locking):
        return 0
    with folder.open(folder.locking) as file:
        return _length(file.read(MOST))


def note_length(folder: Folder, length: int) -> None:
    """Say how long the journal is, while the lock is held."""
    if os.path.lexists(folder.locking):  # people remove it
        with folder.open(folder.locking, "r+b") as file:
            file.truncate(file.write(_content(length)))


def _content(length: int) -> bytes:
    return f"process {os.getpid()}\njournal {length}\n".encode()


def _length(content: bytes) -> int:
    match = LENGTH.search(content)
    return 0 if match is None else int(match[1])


def _owner(folder: Folder) -> str:
    try:
        with folder.open(folder.locking) as file:
            return file.readline(MOST).decode(errors="replace").strip() or "another process"
    except (OSError, JobDirectoryError):  # some systems lock it for reading too
        return "another process"
