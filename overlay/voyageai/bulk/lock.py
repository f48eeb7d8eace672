"""A lock that is free again when its process ends, however it ends."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..files.locking import lock
from .errors import JobInUseError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["locked"]


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a lock for as long as the block lasts.

    Raises:
        JobInUseError: Somebody else holds it; says which process.
    """
    with path.open("a+b") as file:
        if not lock(file):
            raise JobInUseError(
                f"{path.parent} is in use by {_owner(path)}; wait for it, or end it"
            )
        file.truncate(0)
        file.write(f"process {os.getpid()}\n".encode())
        file.flush()
        yield


def _owner(path: Path) -> str:
    try:
        return path.read_text().strip() or "another process"
    except OSError:  # some systems lock it for reading too
        return "another process"
