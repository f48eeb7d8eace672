"""Files that only their user can read, opened without following links, and locks on them."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from functools import partial
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "NotRegularError",
    "check_folder",
    "check_regular",
    "close_to_others",
    "lock",
    "make_folder",
    "open_regular",
    "private_opener",
    "sync_folder",
]

FILE, FOLDER = 0o600, 0o700
KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
JUNCTION = 0xA0000003
"""The reparse tag of a Windows junction, a folder that links to another."""


class NotRegularError(OSError):
    """A path that must be a regular file, or a folder, is something else."""


def check_regular(path: Path) -> os.stat_result | None:
    """Raise if a path exists and is no regular file. Links are not followed.

    Returns:
        The status of the file; None if nothing is there.

    Raises:
        NotRegularError: The path is a folder, link, pipe or the like; the message says which.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(path, status, stat.S_IFREG)
    return status


def check_folder(path: Path) -> None:
    """Raise if a path exists and is no folder. Links and Windows junctions are not followed.

    Raises:
        NotRegularError: The path is a file, link or the like; the message says which.
    """
    with suppress(FileNotFoundError):
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or _is_junction(status):
            raise _refusal(path, status, stat.S_IFDIR)


def open_regular(path: Path, mode: str = "rb", *, create: bool = False) -> IO[bytes]:
    """Open a regular file without following a link; one opened for writing only its user can read.

    Args:
        path: Path of the file. Links among the folders above it are followed.
        mode: As for `open`, but `wb` replaces an existing file, which may have other hard links,
            instead of writing to it.
        create: True to create a missing file in modes that don't, such as `r+b`.

    Raises:
        NotRegularError: The path is a folder, link, pipe or the like.
        OSError: The file can't be opened.
    """
    check_regular(path)  # first, as opening a device may have an effect
    if mode == "wb":
        path.unlink(missing_ok=True)
        mode = "xb"
    extra_flags = getattr(os, "O_NOFOLLOW", 0) | (os.O_CREAT if create else 0)
    opener = partial(
        private_opener, extra_flags=extra_flags, regular=path
    )  # `Path.open` takes no opener
    try:
        return open(path, mode, opener=opener)
    except OSError:
        check_regular(path)  # the path may have changed since the first check
        raise


def private_opener(name: str, flags: int, extra_flags: int = 0, regular: Path | None = None) -> int:
    """Open a file as an `opener` of `open`; one opened for writing only its user can read.

    Opening a pipe does not block. The modes of files of other users are not changed.

    Args:
        name: Path of the file.
        flags: The flags that `open` passes.
        extra_flags: Flags to add to those.
        regular: The path again, for the message, if only a regular file may be opened.

    Raises:
        NotRegularError: `regular` is given and the file is not a regular one.
    """
    flags |= extra_flags | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(name, flags, FILE)
    try:
        status = os.fstat(descriptor)
        is_regular = stat.S_ISREG(status.st_mode)
        if regular is not None and not is_regular:
            raise _refusal(regular, status, stat.S_IFREG)  # noqa: TRY301  # closed below
        if sys.platform != "win32":  # where files have no modes
            os.set_blocking(descriptor, True)
            writes = flags & (os.O_WRONLY | os.O_RDWR)
            if writes and is_regular and stat.S_IMODE(status.st_mode) != FILE:
                with suppress(PermissionError):
                    os.fchmod(descriptor, FILE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


if sys.platform == "win32":
    import msvcrt

    LOCK_OFFSET = 0x7FFF_FFFF  # beyond the content: Windows lets nobody write a locked byte

    def lock(file: IO[bytes]) -> bool:
        """Lock a file until it is closed or the process ends; return False if another holds it."""
        file.seek(LOCK_OFFSET)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def lock(file: IO[bytes]) -> bool:
        """Lock a file until it is closed or the process ends; return False if another holds it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def make_folder(path: Path) -> None:
    """Make a folder that only its user can enter, and its missing parents.

    An existing folder is closed to others too, unless it belongs to another user.

    Raises:
        FileExistsError: The path exists and is no folder.
    """
    if not path.parent.exists():
        make_folder(path.parent)
    path.mkdir(FOLDER, exist_ok=True)
    close_to_others(path)  # sets the exact mode: `mkdir` is subject to the umask


def close_to_others(path: Path) -> None:
    """Remove the rights of all but the owner from a folder (0o700) or a file (0o600).

    A path that belongs to another user, or does not exist, is left alone.
    """
    with suppress(PermissionError, FileNotFoundError):
        status = path.stat().st_mode
        mode = FOLDER if stat.S_ISDIR(status) else FILE
        if stat.S_IMODE(status) != mode:
            path.chmod(mode)


def sync_folder(path: Path) -> None:
    """Flush a folder's entries to disk, so that new names survive a crash; no-op on Windows."""
    if os.name == "nt":
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _is_junction(status: os.stat_result) -> bool:
    return getattr(status, "st_reparse_tag", 0) == JUNCTION


def _refusal(path: Path, status: os.stat_result, wanted: int) -> NotRegularError:
    kind = stat.S_IFLNK if _is_junction(status) else stat.S_IFMT(status.st_mode)
    return NotRegularError(
        f"{path} is {KINDS.get(kind, 'something else')}, and must be {KINDS[wanted]}: "
        "remove it, or take another folder"
    )
