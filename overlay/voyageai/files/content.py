"""The content of a file, read as it arrives."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from ..error import VoyageError
from ..reprs import whole
from . import calls
from .downloads import Download
from .resuming import target
from .rows import Rows

if TYPE_CHECKING:
    from ..flow import Sender
    from ..options import CallOptions


class FileContent:
    """The content of a file. Nothing is sent before it is read, and each reading begins anew.

    It holds a connection while an iteration is under way. One that is left early gives it back
    when it is closed or dropped, and at the latest at the end of a `with` block over the content.

    A connection that breaks within the content is no failure: the rest is asked for, up to three
    times in a row without a byte more, or `max_retries` times if that is more.

    Attributes:
        file_id: Id of the file.

    Example:
        >>> file = vo.files.upload(b'{"custom_id": "a", "body": {"input": "Rain."}}')
        >>> with vo.files.content(file.id) as content:
        ...     for row in content.lines():
        ...         print(row["custom_id"])
        a
    """

    def __init__(self, sender: Sender, file_id: str, options: CallOptions) -> None:
        self.file_id = calls.check_id("file_id", file_id)
        self._sender = sender
        self._options = options
        self._running: WeakSet[Generator[Any]] = WeakSet()

    def iter_bytes(self) -> Iterator[bytes]:
        """Its bytes in pieces, as they arrive.

        Raises:
            VoyageError: The call failed, or broke and could not go on.
        """
        return self._noted(self._pieces(self._download(whole=False)))

    def lines(self) -> Iterator[dict[str, Any]]:
        """Its lines as decoded JSON, as they arrive, in the server's order, which is any.

        Raises:
            MalformedResponseError: A line is not a JSON object; says which.
            VoyageError: The call failed, or broke and could not go on.
        """
        return self._noted(self._rows())

    def read(self) -> bytes:
        """All of it.

        Raises:
            VoyageError: The call failed, or broke and could not go on.
        """
        return b"".join(self._pieces(self._download(whole=True)))

    def write_to(
        self,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> Path:
        """Write it to a file, which is there whole or not at all, and replaces one that is there.

        Only its user can read it, whatever the umask.

        Args:
            path: The file's; its folder must exist.
            resume: Whether to keep what has arrived if it fails or is killed, in a hidden file
                beside it, and to go on from there when it is called again; a server that can't
                skip that part sends it again. One that others can have written is not gone on from.
            progress: Called with the bytes that were written and their number in the end.

        Returns:
            The path.

        Raises:
            ArgumentError: The path is that of a folder, a device or a pipe.
            MalformedResponseError: What came is not as long as the file is said to be.
            OSError: It can't be written, or another call to resume it is at work, or there is a
                link or a pipe where it would be kept.
            VoyageError: A call failed, or broke and could not go on.

        Example:
            >>> import os, tempfile
            >>> file = vo.files.upload(b'{"custom_id": "a", "body": {"input": "Rain."}}')
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = vo.files.content(file.id).write_to(f"{folder}/lines.jsonl")
            ...     os.path.getsize(path) == file.bytes
            True
        """
        download = self._download(whole=True)
        with target(path, self.file_id, resume=resume) as file:
            size = self._sender.send(calls.retrieve(self.file_id), self._options).bytes
            download.received = file.open(size)
            for piece in self._pieces(download, size):
                file.write(piece)
                if progress is not None:
                    progress(download.received, size)
            file.complete()
        return file.path

    def close(self) -> None:
        """End the iterations that are under way, and give their connections back."""
        for running in list(self._running):
            running.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _download(self, *, whole: bool) -> Download:
        sender, given = self._sender, self._options
        options = sender.options(given)
        return Download(self.file_id, given, options, sender.environment, whole=whole)

    def _noted(self, running: Generator[Any]) -> Generator[Any]:
        self._running.add(running)
        return running

    def _rows(self) -> Generator[dict[str, Any]]:
        rows = Rows(self.file_id)
        for piece in self._pieces(self._download(whole=False)):
            yield from rows.feed(piece)
        yield from rows.end()

    def _pieces(self, download: Download, expected: int | None = None) -> Generator[bytes]:
        while True:
            try:
                stream = self._sender.send(*download.next())
                try:
                    download.begun(stream)
                    for piece in stream.pieces():
                        if new := download.take(piece):
                            yield new
                finally:
                    stream.close()
            except VoyageError as failure:
                wait = download.broken(failure)
            else:
                download.end(expected)
                return
            self._sender.sleep(wait)

    @whole
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.file_id!r})"
