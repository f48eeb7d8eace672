"""The content of a file, read as it arrives, without blocking."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from ..error import VoyageError
from ..flow import in_thread
from ..reprs import whole
from . import calls
from .downloads import Download
from .resuming import target
from .rows import Rows

if TYPE_CHECKING:
    from ..flow import AsyncSender
    from ..options import CallOptions


class AsyncFileContent:
    """The same as `FileContent`, with `async for`, `await` and `async with`.

    Leave a loop early within `async with`, which gives the connection back at once; dropped
    iterations do so when the event loop gets to it.

    Example:
        >>> async def names(file_id):
        ...     async with voyageai.AsyncClient() as vo, vo.files.content(file_id) as content:
        ...         return [row["custom_id"] async for row in content.lines()]
        >>> file = vo.files.upload(b'{"custom_id": "a", "body": {"input": "Rain."}}')
        >>> asyncio.run(names(file.id))
        ['a']
    """

    def __init__(self, sender: AsyncSender, file_id: str, options: CallOptions) -> None:
        self.file_id = calls.check_id("file_id", file_id)
        self._sender = sender
        self._options = options
        self._running: WeakSet[AsyncGenerator[Any]] = WeakSet()
        # The end of an `async with` must find those that a loop has dropped.
        self._kept: list[AsyncGenerator[Any]] | None = None

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """Its bytes in pieces, as they arrive.

        Raises:
            VoyageError: The call failed, or broke and could not go on.
        """
        return self._noted(self._pieces(self._download(whole=False)))

    def lines(self) -> AsyncIterator[dict[str, Any]]:
        """Its lines as decoded JSON, as they arrive, in the server's order, which is any.

        Raises:
            MalformedResponseError: A line is not a JSON object; says which.
            VoyageError: The call failed, or broke and could not go on.
        """
        return self._noted(self._rows())

    async def read(self) -> bytes:
        """All of it.

        Raises:
            VoyageError: The call failed, or broke and could not go on.
        """
        async with aclosing(self._pieces(self._download(whole=True))) as pieces:
            return b"".join([piece async for piece in pieces])

    async def write_to(
        self,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> Path:
        """Write it to a file, which is there whole or not at all, and replaces one that is there.

        Only its user can read it, whatever the umask.

        The disk is written to in threads.

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
            >>> async def main():
            ...     with tempfile.TemporaryDirectory() as folder:
            ...         async with voyageai.AsyncClient() as vo:
            ...             content = vo.files.content(file.id)
            ...             path = await content.write_to(f"{folder}/lines.jsonl")
            ...             return os.path.getsize(path) == file.bytes
            >>> asyncio.run(main())
            True
        """
        download = self._download(whole=True)
        async with target(path, self.file_id, resume=resume) as file:
            file_object = await self._sender.send(calls.retrieve(self.file_id), self._options)
            size = file_object.bytes
            download.received = await in_thread(file.open, size)
            async with aclosing(self._pieces(download, size)) as pieces:
                async for piece in pieces:
                    await in_thread(file.write, piece)
                    if progress is not None:
                        progress(download.received, size)
            await in_thread(file.complete)
        return file.path

    async def aclose(self) -> None:
        """End the iterations that are under way, and give their connections back."""
        for running in list(self._running):
            await running.aclose()
        self._kept = None

    async def __aenter__(self) -> Self:
        self._kept = []
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _download(self, *, whole: bool) -> Download:
        sender, given = self._sender, self._options
        options = sender.options(given)
        return Download(self.file_id, given, options, sender.environment, whole=whole)

    def _noted(self, running: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
        self._running.add(running)
        if self._kept is not None:
            self._kept.append(running)
        return running

    async def _rows(self) -> AsyncGenerator[dict[str, Any]]:
        rows = Rows(self.file_id)
        async with aclosing(self._pieces(self._download(whole=False))) as pieces:
            async for piece in pieces:
                for row in rows.feed(piece):
                    yield row
        for row in rows.end():
            yield row

    async def _pieces(
        self, download: Download, expected: int | None = None
    ) -> AsyncGenerator[bytes]:
        while True:
            try:
                stream = await self._sender.send(*download.next())
                try:
                    download.begun(stream)
                    async with aclosing(stream.apieces()) as pieces:
                        async for piece in pieces:
                            if new := download.take(piece):
                                yield new
                finally:
                    await stream.aclose()
            except VoyageError as failure:
                wait = download.broken(failure)
            else:
                download.end(expected)
                return
            await self._sender.sleep(wait)

    @whole
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.file_id!r})"
