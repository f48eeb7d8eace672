"""Files on disk that are there whole or not at all; some of them are resumed after a failure."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from contextlib import suppress
from errno import EAGAIN
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ..disk import check_regular, lock, open_regular, sync_folder
from ..error import APIError, ArgumentError

STEP = 1024 * 1024
"""Bytes that are read at once."""


class AtomicFile:
    """A file that appears under its name when it is complete, and replaces what was there.

    Until then it is a hidden file in the same folder, which is removed if it is not completed. Only
    its user can read it, then and later.

    Args:
        path: Its name.
        mark: Part of the hidden file's name that no other has; random by default.

    Attributes:
        path: Its name.
    """

    def __init__(self, path: str | os.PathLike[str], mark: str | None = None) -> None:
        self.path = Path(path)
        name = f".{self.path.name[:50]}.{mark or secrets.token_hex(6)}.part"
        self._part = self.path.parent / name  # `with_name` would refuse a path without a name
        self._file: IO[bytes] | None = None

    def open(self, size: int) -> int:  # noqa: ARG002  # for those that are resumed
        """Open the hidden file.

        Args:
            size: Bytes that the file is to have.

        Returns:
            Bytes that are there already.

        Raises:
            ArgumentError: The path is that of a folder, a device or a pipe.
            OSError: There is no such folder, or the user may not write there.
        """
        self._check_path()
        self._file = open_regular(self._part, "xb")
        return 0

    def _check_path(self) -> None:
        if self.path.exists() and not self.path.is_file():
            what = "a folder" if self.path.is_dir() else "no regular file"
            raise ArgumentError(f"path must be that of a file; {self.path} is {what}", "path")

    def write(self, piece: bytes) -> None:
        """Write a piece to its end."""
        assert self._file is not None  # noqa: S101  # it is open
        self._file.write(piece)

    def complete(self) -> None:
        """Give it its name. From here on it survives a failure of the machine."""
        assert self._file is not None  # noqa: S101  # it is open
        self._file.flush()
        os.fsync(self._file.fileno())
        if os.name != "posix":  # where open files can't be renamed
            self._file.close()
        self._part.replace(self.path)
        self._file.close()
        sync_folder(self.path.parent)

    def discard(self, failure: BaseException | None = None) -> None:  # noqa: ARG002  # as above
        """Close it, and remove it if it is not complete.

        Args:
            failure: Why it is not complete.
        """
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.discard(error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        from anyio import CancelScope, to_thread

        with CancelScope(shield=True):
            await to_thread.run_sync(self.discard, error)


class ResumableFile(AtomicFile):
    """An `AtomicFile` that keeps what it has when it is not completed, also after a kill.

    Args:
        path: Its name.
        origin: What is written to it; what is kept of something else is another file.
    """

    def __init__(self, path: str | os.PathLike[str], origin: str) -> None:
        name = origin.encode("utf-8", "surrogatepass")
        super().__init__(path, blake2b(name, digest_size=6).hexdigest())

    def open(self, size: int) -> int:
        """Open the hidden file, at its end.

        The last byte is removed, so that there is always one to request.

        Raises:
            ArgumentError: The path is that of a folder, a device or a pipe.
            OSError: There is no such folder, the user may not write there, or somebody else is
                writing; or what was kept is no regular file.
        """
        self._check_path()
        file = self._claimed()
        self._file = file
        length = file.seek(0, os.SEEK_END)
        known = length - 1 if 0 < length <= size and _is_intact(file) else 0
        file.truncate(known)
        return known

    def _claimed(self) -> IO[bytes]:
        """Open and lock what is there."""
        check_regular(self._part)
        if os.path.lexists(self._part) and not _is_private(self._part.lstat()):
            self._part.unlink()
        while True:
            file = open_regular(self._part, "a+b")
            claimed = False
            try:
                if not lock(file):
                    raise BlockingIOError(
                        EAGAIN, "another download to this path is under way", str(self.path)
                    )
                # The last holder of the lock may have given it its name, or removed it.
                with suppress(FileNotFoundError):
                    claimed = os.path.samestat(os.fstat(file.fileno()), self._part.lstat())
                if claimed:
                    return file
            finally:
                if not claimed:
                    file.close()

    def discard(self, failure: BaseException | None = None) -> None:
        """Close it; remove it if its content is gone from the server, or has changed there."""
        if self._file is not None:
            self._file.close()
        if isinstance(failure, APIError):
            self._part.unlink(missing_ok=True)


def _is_private(found: os.stat_result) -> bool:
    """Return whether only its user can have written a file, and it has one name only."""
    mine = sys.platform == "win32" or (
        found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
    return mine and found.st_nlink == 1


def _is_intact(file: IO[bytes]) -> bool:
    """Return whether there are no zeros, which a disk has where a machine went down too early."""
    file.seek(0)
    while piece := file.read(STEP):
        if b"\0" in piece:
            return False
    return True
