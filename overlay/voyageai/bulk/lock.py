"""A lock that is free again when its process ends, however it ends."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from .errors import JobInUseError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["locked"]

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a lock for as long as the block lasts.

    Raises:
        JobInUseError: Somebody else holds it; says which process.
    """
    with path.open("a+b") as file:
        try:
            _lock(file)
        except OSError as failure:
            raise JobInUseError(
                f"{path.parent} is in use by {_owner(path)}; wait for it, or end it"
            ) from failure
        file.truncate(0)
        file.write(f"process {os.getpid()}\n".encode())
        file.flush()
        yield


def _owner(path: Path) -> str:
    try:
        return path.read_text().strip() or "another process"
    except OSError:  # some systems lock it for reading too
        return "another process"
