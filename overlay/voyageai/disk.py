"""Files that only their user can read, opened without following links."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "NotRegularError",
    "check_folder",
    "check_regular",
    "close_file",
    "close_folder",
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


def check_regular(path: Path) -> None:
    """Refuse something that is there but is no regular file. A link is none, wherever it leads.

    Raises:
        NotRegularError: Says what it is.
    """
    with suppress(FileNotFoundError):
        _check(path, path.lstat(), stat.S_IFREG)


def check_folder(path: Path) -> None:
    """Refuse something that is there but is no folder. A link is none, wherever it leads.

    Raises:
        NotRegularError: Says what it is.
    """
    with suppress(FileNotFoundError):
        _check(path, path.lstat(), stat.S_IFDIR)


def open_regular(path: Path, mode: str = "rb") -> IO[bytes]:
    """Open a regular file, and follow no link to it. What may be written only its user can read.

    Args:
        path: The file's. Links among the folders above it are followed.
        mode: As `open` has it, but `wb` replaces the file that is there, which may have other
            names, instead of writing to it.

    Raises:
        NotRegularError: There is something else; it is not waited for.
        OSError: It can't be opened.
    """
    check_regular(path)  # opening a device may do something already
    if mode == "wb":
        path.unlink(missing_ok=True)
        mode = "xb"

    def opener(name: str, flags: int) -> int:
        opened = private(name, flags | getattr(os, "O_NOFOLLOW", 0))
        try:
            _check(path, os.fstat(opened), stat.S_IFREG)
        except BaseException:
            os.close(opened)
            raise
        return opened

    try:
        return open(path, mode, opener=opener)  # `Path.open` takes no opener
    except OSError:
        check_regular(path)  # it may have become something else just now
        raise


def private(name: str, flags: int) -> int:
    """Open a file, as an opener for `open`; if it may be written, only its user can read it.

    It waits for nobody at the other end of a pipe. Files of other users stay as they are.
    """
    opened = os.open(name, flags | getattr(os, "O_NONBLOCK", 0), FILE)
    if sys.platform != "win32":  # where files have no modes
        try:
            os.set_blocking(opened, True)
            mode = os.fstat(opened).st_mode
            writes = flags & (os.O_WRONLY | os.O_RDWR)
            if writes and stat.S_ISREG(mode) and stat.S_IMODE(mode) != FILE:
                with suppress(PermissionError):
                    os.fchmod(opened, FILE)
        except BaseException:
            os.close(opened)
            raise
    return opened


def make_folder(path: Path) -> None:
    """Make a folder that only its user can enter, and those above it that are missing.

    One that is there already becomes such a folder, unless it is another user's.

    Raises:
        FileExistsError: There is something else.
    """
    if not path.parent.exists():
        make_folder(path.parent)
    path.mkdir(FOLDER, exist_ok=True)
    close_folder(path)  # the umask may have taken more


def close_folder(path: Path) -> None:
    """Let only its user enter a folder, unless it is another user's, or gone."""
    _close(path, FOLDER)


def close_file(path: Path) -> None:
    """Let only its user read and write a file, unless it is another user's, or gone."""
    _close(path, FILE)


def sync_folder(path: Path) -> None:
    """Make sure that the names in a folder outlive a crash, where the system lets folders be."""
    if os.name == "nt":
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _close(path: Path, mode: int) -> None:
    with suppress(PermissionError, FileNotFoundError):
        if stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)


def _check(path: Path, found: os.stat_result, wanted: int) -> None:
    kind = stat.S_IFMT(found.st_mode)
    if getattr(found, "st_reparse_tag", 0) == JUNCTION:
        kind = stat.S_IFLNK
    if kind != wanted:
        raise NotRegularError(
            f"{path} is {KINDS.get(kind, 'something else')}, and must be {KINDS[wanted]}: "
            "remove it, or take another folder"
        )
