"""Files that are written atomically; some of them can be resumed after a failure."""

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
"""Bytes per read."""


class AtomicFile:
    """A file that appears under its name once it is complete, replacing an existing one.

    Until then it is a hidden file in the same folder, which is removed if it is not completed. Only
    the current user can read either.

    Args:
        path: Path of the file.
        mark: Unique part of the hidden file's name; random by default.

    Attributes:
        path: Path of the file.
    """

    def __init__(self, path: str | os.PathLike[str], mark: str | None = None) -> None:
        self.path = Path(path)
        name = f".{self.path.name[:50]}.{mark or secrets.token_hex(6)}.part"
        self._part = self.path.parent / name  # `with_name` fails for a path without a name
        self._file: IO[bytes] | None = None

    def open(self, size: int) -> int:  # noqa: ARG002  # used by ResumableFile
        """Open the hidden file.

        Args:
            size: Size of the complete file in bytes.

        Returns:
            Bytes that are already written.

        Raises:
            ArgumentError: `path` is a folder, a device or a pipe.
            OSError: The folder does not exist, or can't be written to.
        """
        self._check_path()
        self._file = open_regular(self._part, "xb")
        return 0

    def _check_path(self) -> None:
        if self.path.exists() and not self.path.is_file():
            kind = "a folder" if self.path.is_dir() else "no regular file"
            raise ArgumentError(f"path must be that of a file; {self.path} is {kind}", "path")

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        assert self._file is not None  # noqa: S101  # opened before
        self._file.write(piece)

    def complete(self) -> None:
        """Move the file to its name, flushed so that it survives a crash of the machine."""
        assert self._file is not None  # noqa: S101  # opened before
        self._file.flush()
        os.fsync(self._file.fileno())
        if os.name != "posix":  # Windows can't rename open files
            self._file.close()
        self._part.replace(self.path)
        self._file.close()
        sync_folder(self.path.parent)

    def discard(self, failure: BaseException | None = None) -> None:  # noqa: ARG002  # used by ResumableFile
        """Close the file, and remove it if it is not complete.

        Args:
            failure: The reason why it is not complete.
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
    """An `AtomicFile` whose hidden file is kept for the next attempt, even if the process dies.

    Args:
        path: Path of the file.
        origin: Identifies the content, such as by a file's id: each has its own hidden file.
    """

    def __init__(self, path: str | os.PathLike[str], origin: str) -> None:
        name = origin.encode("utf-8", "surrogatepass")
        super().__init__(path, blake2b(name, digest_size=6).hexdigest())

    def open(self, size: int) -> int:
        """Open the hidden file at its end.

        Its last byte is removed, so that there is always one left to request.

        Raises:
            ArgumentError: `path` is a folder, a device or a pipe.
            OSError: The folder does not exist or can't be written to, another download to the path
                is running, or the hidden file is no regular file.
        """
        self._check_path()
        file = self._locked()
        self._file = file
        length = file.seek(0, os.SEEK_END)
        known = length - 1 if 0 < length <= size and _is_intact(file) else 0
        file.truncate(known)
        return known

    def _locked(self) -> IO[bytes]:
        """Open and lock the hidden file."""
        check_regular(self._part)
        if os.path.lexists(self._part) and not _is_private(self._part.lstat()):
            self._part.unlink()
        while True:
            file = open_regular(self._part, "a+b")
            is_current = False
            try:
                if not lock(file):
                    raise BlockingIOError(
                        EAGAIN, "another download to this path is under way", str(self.path)
                    )
                # The last holder of the lock may have renamed or removed the file.
                with suppress(FileNotFoundError):
                    is_current = os.path.samestat(os.fstat(file.fileno()), self._part.lstat())
                if is_current:
                    return file
            finally:
                if not is_current:
                    file.close()

    def discard(self, failure: BaseException | None = None) -> None:
        """Close the file; remove it if the content was deleted or changed at the server."""
        if self._file is not None:
            self._file.close()
        if isinstance(failure, APIError):
            self._part.unlink(missing_ok=True)


def _is_private(status: os.stat_result) -> bool:
    """Return whether only the current user can have written a file, and it has a single link."""
    is_own = sys.platform == "win32" or (
        status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
    return is_own and status.st_nlink == 1


def _is_intact(file: IO[bytes]) -> bool:
    """Return whether a file has no zero bytes, which a crash of the machine may leave behind."""
    file.seek(0)
    while piece := file.read(STEP):
        if b"\0" in piece:
            return False
    return True
