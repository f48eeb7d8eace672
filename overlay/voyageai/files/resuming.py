"""Files whose writing goes on where an earlier try has left off."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from errno import EAGAIN
from hashlib import blake2b
from typing import IO

from ..disk import check_regular, open_regular
from ..error import APIError
from .locking import lock
from .writing import AtomicFile

STEP = 1024 * 1024


class ResumableFile(AtomicFile):
    """An `AtomicFile` that keeps what it has when it is not completed, also by a kill.

    Args:
        path: Its name.
        origin: What is written to it; what is kept of something else is another file.
    """

    def __init__(self, path: str | os.PathLike[str], origin: str) -> None:
        name = origin.encode("utf-8", "surrogatepass")
        super().__init__(path, blake2b(name, digest_size=6).hexdigest())

    def open(self, size: int) -> int:
        """Begin, or go on. The last byte is taken off, so that there is always one to ask for.

        Raises:
            ArgumentError: The path is that of a folder, a device or a pipe.
            OSError: There is no such folder, one may not write there, or somebody else does; or
                what was kept is no regular file.
        """
        self._check_path()
        file = self._claimed()
        self._file = file
        length = file.seek(0, os.SEEK_END)
        known = length - 1 if 0 < length <= size and _is_intact(file) else 0
        file.truncate(known)
        return known

    def _claimed(self) -> IO[bytes]:
        """What is there, for nobody else."""
        check_regular(self._part)
        if os.path.lexists(self._part) and not _is_ours(self._part.lstat()):
            self._part.unlink()
        while True:
            file = open_regular(self._part, "a+b")
            claimed = False
            try:
                if not lock(file):
                    raise BlockingIOError(
                        EAGAIN, "another download to this path is under way", str(self.path)
                    )
                # Whoever held it before may have given it its name, or removed it.
                with suppress(FileNotFoundError):
                    claimed = os.path.samestat(os.fstat(file.fileno()), self._part.lstat())
                if claimed:
                    return file
            finally:
                if not claimed:
                    file.close()

    def discard(self, failure: BaseException | None = None) -> None:
        """Close it. What is there of a content that is gone, or another one by now, is removed."""
        if self._file is not None:
            self._file.close()
        if isinstance(failure, APIError):
            self._part.unlink(missing_ok=True)


def target(path: str | os.PathLike[str], origin: str, *, resume: bool) -> AtomicFile:
    """The file to write something to, that can be resumed or not."""
    return ResumableFile(path, origin) if resume else AtomicFile(path)


def _is_ours(found: os.stat_result) -> bool:
    """Whether nobody else can have written a file, and it has no other name to be written by."""
    mine = sys.platform == "win32" or (
        found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
    return mine and found.st_nlink == 1


def _is_intact(file: IO[bytes]) -> bool:
    """Whether there are no zeros, which are what a disk has where a machine went down too early."""
    file.seek(0)
    while piece := file.read(STEP):
        if b"\0" in piece:
            return False
    return True
