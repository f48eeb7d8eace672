"""Locks on files, which are free again when their process ends, however it ends."""

from __future__ import annotations

import sys
from typing import IO

if sys.platform == "win32":
    import msvcrt

    BEYOND = 0x7FFF_FFFF

    def lock(file: IO[bytes]) -> bool:
        """Lock a file until it is closed; says whether nobody else holds it."""
        file.seek(BEYOND)  # what is locked can't be written
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def lock(file: IO[bytes]) -> bool:
        """Lock a file until it is closed; says whether nobody else holds it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
