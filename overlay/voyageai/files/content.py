"""The content of a file, read as it arrives, by blocking and asynchronous clients."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from .._utils import safe_repr
from ..error import VoyageError
from ..flow import in_thread
from . import calls
from .downloads import Download
from .lines import LineReader
from .writing import AtomicFile, ResumableFile

if TYPE_CHECKING:
    from ..flow import AsyncSender, Sender
    from ..options import CallOptions


class FileContent:
    """The content of a file. It is requested when it is read, anew for each reading.

    A running iteration holds a connection. An iteration that is left early releases it when it is
    closed or dropped, and at the latest at the end of a `with` block over the content.

    If the connection breaks within the content, the rest is requested: up to three times in a row
    without another byte, or `max_retries` times if that is more.

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
        """Yield the bytes of the content in pieces, as they arrive.

        Raises:
            VoyageError: A call failed, or the connection broke too often.
        """
        return self._track(self._pieces(self._download(whole=False)))

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the lines as decoded JSON, as they arrive; their order is up to the server.

        Raises:
            MalformedResponseError: A line is not a JSON object; the message has its number.
            VoyageError: A call failed, or the connection broke too often.
        """
        return self._track(self._rows())

    def read(self) -> bytes:
        """Return the whole content.

        Raises:
            VoyageError: A call failed, or the connection broke too often.
        """
        return b"".join(self._pieces(self._download(whole=True)))

    def write_to(
        self,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> Path:
        """Write the content to a file, atomically, replacing an existing one.

        Only the current user can read the file, whatever the umask.

        Args:
            path: Path of the file, whose folder must exist.
            resume: True to keep what has arrived if this fails or is killed, in a hidden file
                beside the other, and to continue from there in the next call; a server that can't
                skip that part sends it again. A hidden file that other users may have written to is
                not continued.
            progress: Called with the number of bytes written so far, and of all bytes.

        Returns:
            `path`.

        Raises:
            ArgumentError: `path` is a folder, a device or a pipe.
            MalformedResponseError: The content is not as long as the server said.
            OSError: The file can't be written, another call is resuming it, or the hidden file is a
                link or a pipe.
            VoyageError: A call failed, or the connection broke too often.

        Example:
            >>> import os, tempfile
            >>> file = vo.files.upload(b'{"custom_id": "a", "body": {"input": "Rain."}}')
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = vo.files.content(file.id).write_to(f"{folder}/lines.jsonl")
            ...     os.path.getsize(path) == file.bytes
            True
        """
        download = self._download(whole=True)
        with _file(path, self.file_id, resume=resume) as file:
            size = self._sender.send(calls.retrieve(self.file_id), self._options).bytes
            download.received = file.open(size)
            for piece in self._pieces(download, size):
                file.write(piece)
                if progress is not None:
                    progress(download.received, size)
            file.complete()
        return file.path

    def close(self) -> None:
        """End the running iterations, and release their connections."""
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

    def _track(self, running: Generator[Any]) -> Generator[Any]:
        self._running.add(running)
        return running

    def _rows(self) -> Generator[dict[str, Any]]:
        reader = LineReader(self.file_id)
        for piece in self._pieces(self._download(whole=False)):
            yield from reader.feed(piece)
        yield from reader.end()

    def _pieces(self, download: Download, expected: int | None = None) -> Generator[bytes]:
        while True:
            try:
                stream = self._sender.send(*download.next())
                try:
                    download.opened(stream)
                    for piece in stream.pieces():
                        if new := download.take(piece):
                            yield new
                finally:
                    stream.close()
            except VoyageError as failure:
                wait = download.retry_delay(failure)
            else:
                download.end(expected)
                return
            self._sender.sleep(wait)

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.file_id!r})"


class AsyncFileContent:
    """`FileContent` with `async for`, `await` and `async with`.

    To leave a loop early, use `async with`, which releases the connection at once; a dropped
    iteration releases it only when the event loop finalizes it.

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
        # References to dropped iterations, to close them at the end of `async with`.
        self._kept: list[AsyncGenerator[Any]] | None = None

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the content in pieces, as they arrive.

        Raises:
            VoyageError: A call failed, or the connection broke too often.
        """
        return self._track(self._pieces(self._download(whole=False)))

    def lines(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the lines as decoded JSON, as they arrive; their order is up to the server.

        Raises:
            MalformedResponseError: A line is not a JSON object; the message has its number.
            VoyageError: A call failed, or the connection broke too often.
        """
        return self._track(self._rows())

    async def read(self) -> bytes:
        """Return the whole content.

        Raises:
            VoyageError: A call failed, or the connection broke too often.
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
        """Write the content to a file, atomically, replacing an existing one.

        Only the current user can read the file, whatever the umask.

        The file is written in threads.

        Args:
            path: Path of the file, whose folder must exist.
            resume: True to keep what has arrived if this fails or is killed, in a hidden file
                beside the other, and to continue from there in the next call; a server that can't
                skip that part sends it again. A hidden file that other users may have written to is
                not continued.
            progress: Called with the number of bytes written so far, and of all bytes.

        Returns:
            `path`.

        Raises:
            ArgumentError: `path` is a folder, a device or a pipe.
            MalformedResponseError: The content is not as long as the server said.
            OSError: The file can't be written, another call is resuming it, or the hidden file is a
                link or a pipe.
            VoyageError: A call failed, or the connection broke too often.

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
        async with _file(path, self.file_id, resume=resume) as file:
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
        """End the running iterations, and release their connections."""
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

    def _track(self, running: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
        self._running.add(running)
        if self._kept is not None:
            self._kept.append(running)
        return running

    async def _rows(self) -> AsyncGenerator[dict[str, Any]]:
        reader = LineReader(self.file_id)
        async with aclosing(self._pieces(self._download(whole=False))) as pieces:
            async for piece in pieces:
                for row in reader.feed(piece):
                    yield row
        for row in reader.end():
            yield row

    async def _pieces(
        self, download: Download, expected: int | None = None
    ) -> AsyncGenerator[bytes]:
        while True:
            try:
                stream = await self._sender.send(*download.next())
                try:
                    download.opened(stream)
                    async with aclosing(stream.apieces()) as pieces:
                        async for piece in pieces:
                            if new := download.take(piece):
                                yield new
                finally:
                    await stream.aclose()
            except VoyageError as failure:
                wait = download.retry_delay(failure)
            else:
                download.end(expected)
                return
            await self._sender.sleep(wait)

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.file_id!r})"


def _file(path: str | os.PathLike[str], file_id: str, *, resume: bool) -> AtomicFile:
    return ResumableFile(path, file_id) if resume else AtomicFile(path)
