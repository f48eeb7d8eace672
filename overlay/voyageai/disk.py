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
    "private",
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
"""The tag of a Windows folder that leads to another one."""


class NotRegularError(OSError):
    """There is something else where a regular file, or a folder, is to be."""


def check_regular(path: Path) -> os.stat_result | None:
    """Refuse something that is there but is no regular file. A link is none, wherever it leads.

    Returns:
        What the system says of the file; None if there is nothing.

    Raises:
        NotRegularError: Says what it is.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise _refusal(path, found, stat.S_IFREG)
    return found


def check_folder(path: Path) -> None:
    """Refuse something that is there but is no folder. A link is none, wherever it leads.

    Raises:
        NotRegularError: Says what it is.
    """
    with suppress(FileNotFoundError):
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or _is_junction(found):
            raise _refusal(path, found, stat.S_IFDIR)


def open_regular(path: Path, mode: str = "rb", *, create: bool = False) -> IO[bytes]:
    """Open a regular file, and follow no link to it. What may be written only its user can read.

    Args:
        path: The file's. Links among the folders above it are followed.
        mode: As `open` has it, but `wb` replaces the file that is there, which may have other
            names, instead of writing to it.
        create: Whether to make an empty file if there is none, in the modes that make none.

    Raises:
        NotRegularError: There is something else; it is not waited for.
        OSError: It can't be opened.
    """
    check_regular(path)  # opening a device may do something already
    if mode == "wb":
        path.unlink(missing_ok=True)
        mode = "xb"
    more = getattr(os, "O_NOFOLLOW", 0) | (os.O_CREAT if create else 0)
    opener = partial(private, more=more, regular=path)  # which `Path.open` does not take
    try:
        return open(path, mode, opener=opener)
    except OSError:
        check_regular(path)  # it may have become something else just now
        raise


def private(name: str, flags: int, more: int = 0, regular: Path | None = None) -> int:
    """Open a file, as an opener for `open`; if it may be written, only its user can read it.

    It waits for nobody at the other end of a pipe. Files of other users stay as they are.

    Args:
        name: The file's.
        flags: As `open` chooses them.
        more: Further flags.
        regular: Its path, if only a regular file is to be opened.

    Raises:
        NotRegularError: It is not.
    """
    flags |= more | getattr(os, "O_NONBLOCK", 0)
    opened = os.open(name, flags, FILE)
    try:
        found = os.fstat(opened)
        is_regular = stat.S_ISREG(found.st_mode)
        if regular is not None and not is_regular:
            raise _refusal(regular, found, stat.S_IFREG)  # noqa: TRY301  # it is closed first
        if sys.platform != "win32":  # where files have no modes
            os.set_blocking(opened, True)
            writes = flags & (os.O_WRONLY | os.O_RDWR)
            if writes and is_regular and stat.S_IMODE(found.st_mode) != FILE:
                with suppress(PermissionError):
                    os.fchmod(opened, FILE)
    except BaseException:
        os.close(opened)
        raise
    return opened


if sys.platform == "win32":
    import msvcrt

    BEYOND = 0x7FFF_FFFF

    def lock(file: IO[bytes]) -> bool:
        """Lock a file until it is closed or its process ends; return False if it is locked."""
        file.seek(BEYOND)  # what is locked can't be written
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def lock(file: IO[bytes]) -> bool:
        """Lock a file until it is closed or its process ends; return False if it is locked."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def make_folder(path: Path) -> None:
    """Make a folder that only its user can enter, and those above it that are missing.

    One that is there already becomes such a folder, unless it is another user's.

    Raises:
        FileExistsError: There is something else.
    """
    if not path.parent.exists():
        make_folder(path.parent)
    path.mkdir(FOLDER, exist_ok=True)
    close_to_others(path)  # the umask may have taken more


def close_to_others(path: Path) -> None:
    """Let only its user enter a folder, or read and write a file.

    One of another user stays as it is, and one that is gone is no error.
    """
    with suppress(PermissionError, FileNotFoundError):
        found = path.stat().st_mode
        mode = FOLDER if stat.S_ISDIR(found) else FILE
        if stat.S_IMODE(found) != mode:
            path.chmod(mode)


def sync_folder(path: Path) -> None:
    """Make sure that the names in a folder outlive a crash, where the system lets folders be."""
    if os.name == "nt":
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _is_junction(found: os.stat_result) -> bool:
    return getattr(found, "st_reparse_tag", 0) == JUNCTION


def _refusal(path: Path, found: os.stat_result, wanted: int) -> NotRegularError:
    kind = stat.S_IFLNK if _is_junction(found) else stat.S_IFMT(found.st_mode)
    return NotRegularError(
        f"{path} is {KINDS.get(kind, 'something else')}, and must be {KINDS[wanted]}: "
        "remove it, or take another folder"
    )
