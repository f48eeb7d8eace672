"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ..disk import open_regular, sync_folder
from ..error import ArgumentError


class AtomicFile:
    """A file that appears under its name when it is complete, and replaces what was there.

    Until then it is a hidden file in the same folder, which is removed if it is not completed. Only
    its user can read it, then and later.

    Args:
        path: Its name.
        mark: What the hidden file's name has that no other's has.
    """

    def __init__(self, path: str | os.PathLike[str], mark: str | None = None) -> None:
        self.path = Path(path)
        name = f".{self.path.name[:50]}.{mark or secrets.token_hex(6)}.part"
        self._part = self.path.parent / name  # `with_name` would refuse a path without a name
        self._file: IO[bytes] | None = None

    def open(self, size: int) -> int:  # noqa: ARG002  # for those that go on
        """Begin.

        Args:
            size: Bytes that it is to have.

        Returns:
            Bytes that are there already.

        Raises:
            ArgumentError: The path is that of a folder, a device or a pipe.
            OSError: There is no such folder, or one may not write there.
        """
        self._check_path()
        self._file = open_regular(self._part, "xb")
        return 0

    def _check_path(self) -> None:
        if self.path.exists() and not self.path.is_file():
            what = "a folder" if self.path.is_dir() else "no regular file"
            raise ArgumentError(f"path must be that of a file; {self.path} is {what}", "path")

    def write(self, piece: bytes) -> None:
        """Add to its end."""
        assert self._file is not None  # noqa: S101  # it is open
        self._file.write(piece)

    def complete(self) -> None:
        """Give it its name. It survives a failure of the machine from here on."""
        assert self._file is not None  # noqa: S101  # it is open
        self._file.flush()
        os.fsync(self._file.fileno())
        if os.name != "posix":  # where open files can't be renamed
            self._file.close()
        self._part.replace(self.path)
        self._file.close()
        sync_folder(self.path.parent)

    def discard(self, failure: BaseException | None = None) -> None:  # noqa: ARG002  # for others
        """Remove it if it is not complete.

        Args:
            failure: Why it is not.
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
