"""`client.files` of a blocking client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Unpack

from ..results.raw import Raw, raw
from . import calls
from .content import FileContent
from .lines import LineCheck
from .objects import Pages
from .sources import Source, UploadSource

if TYPE_CHECKING:
    from voyageai_rest.models import SortOrder, UploadPurpose

    from ..flow import Sender
    from ..options import CallOptions
    from .objects import FileObject


class Files:
    """Input and output files of batch jobs: `client.files`.

    All methods also take `timeout`, `deadline`, `max_retries` and `extra_headers`, for that call
    alone.

    Example:
        >>> lines = [{"custom_id": "a", "body": {"input": ["Where are the keys?"]}}]
        >>> file = vo.files.upload(lines)
        >>> vo.files.retrieve(file.id) == file
        True
        >>> vo.files.delete(file.id)
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def upload(
        self,
        source: UploadSource,
        *,
        purpose: UploadPurpose = "batch",
        filename: str | None = None,
        check: bool = True,
        progress: Callable[[int, int], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> FileObject:
        """Upload the input file of a batch job; it is never read into memory as a whole.

        All lines are checked before anything is sent: each must be an object with a unique
        `custom_id` and a `body`, and there may not be more of them than a batch takes. Rows, and
        files that can't be read twice, are first copied to a temporary file, which other users
        can't read, in the folder that `tempfile` chooses (set `TMPDIR` for another).

        With `max_retries` the file is sent again after a transient error, or if it did not arrive
        in full, but not if it may have been stored: then the error has `outcome_unknown`, and
        `list` shows whether the file is there.

        Args:
            source: A path, bytes, a file opened with `"rb"` (read from its current position), or an
                iterable of rows such as `{"custom_id": "a", "body": {"input": ["It rains."]}}`.
            purpose: Purpose of the file.
            filename: Name of the stored file, which must end in `.jsonl`; by default that of
                `source`.
            check: False to skip the check of the lines.
            progress: Called with the number of bytes sent so far, and of all bytes; the first
                number falls to 0 when the file is sent again.

        Returns:
            The stored file.

        Raises:
            ArgumentError: A line (the message has its number) or another argument is wrong, and
                nothing was sent; or the file changed while it was sent, and is not stored.
            OSError: The file can't be read, or there is no space for the temporary file.
            VoyageError: The call failed.

        Example:
            >>> rows = ({"custom_id": f"{n}", "body": {"input": f"Text {n}"}} for n in range(3))
            >>> vo.files.upload(rows, filename="texts.jsonl").filename
            'texts.jsonl'

        Source: https://docs.voyageai.com/docs/batch-inference
        """
        calls.check_purpose(purpose)
        with Source(source, filename) as opened:
            for _ in opened.prepare(LineCheck() if check else None):
                pass
            return self._sender.send(calls.upload(opened, purpose, progress), options)

    def retrieve(self, file_id: str, **options: Unpack[CallOptions]) -> FileObject:
        """Retrieve the description of a file, without its content.

        Args:
            file_id: Id of the file.

        Returns:
            The file.

        Raises:
            NotFoundError: The file does not exist, or was deleted.
            VoyageError: The call failed.

        Example:
            >>> file = vo.files.upload(b'{"custom_id": "a", "body": {"input": "Rain."}}')
            >>> vo.files.retrieve(file.id).bytes
            46
        """
        return self._sender.send(calls.retrieve(file_id), options)

    def list(
        self,
        purpose: str | None = None,
        order: SortOrder | None = None,
        limit: int | None = None,
        after: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Pages[FileObject]:
        """List files, the newest first by default.

        Args:
            purpose: Purpose of the files to list: `batch`, `batch-output`, `batch-error`; None for
                all.
            order: Order by creation time, `asc` or `desc`.
            limit: Files per page.
            after: Id of the file after which the list begins.

        Returns:
            An iterable over the files, loaded page by page; `.page()` loads only the first page.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.

        Example:
            >>> file = vo.files.upload(b'{"custom_id": "a", "body": {"input": "Rain."}}')
            >>> [found.id for found in vo.files.list(purpose="batch")][0] == file.id
            True
            >>> page = vo.files.list(limit=1).page()
            >>> page.data[0] == file, page.has_more
            (True, True)
        """
        calls.check_order(order)
        page_call = partial(calls.list_page, purpose, order, limit)
        return Pages(self._sender, page_call, after, options)

    def content(self, file_id: str, **options: Unpack[CallOptions]) -> FileContent:
        """Return the content of a file, for `.lines()`, `.iter_bytes()`, `.read()`, `.write_to()`.

        Nothing is sent before one of these is called. For `read` and `write_to` the deadline is for
        the whole content; for the others it is for its first byte, and `timeout` limits each wait
        for another piece.

        Args:
            file_id: Id of the file.

        Returns:
            The content, not yet requested.

        Raises:
            ArgumentError: `file_id` can't be an id.

        Example:
            >>> file = vo.files.upload(b'{"custom_id": "a", "body": {"input": "Rain."}}')
            >>> [row["custom_id"] for row in vo.files.content(file.id).lines()]
            ['a']
        """
        return FileContent(self._sender, file_id, options)

    def delete(self, file_id: str, **options: Unpack[CallOptions]) -> None:
        """Delete a file.

        Args:
            file_id: Id of the file.

        Raises:
            NotFoundError: The file does not exist, or no longer: a retry raises this if the first
                attempt succeeded and only its response was lost.
            NotDeletedError: The server did not delete the file.
            VoyageError: The call failed.

        Example:
            >>> file = vo.files.upload(b'{"custom_id": "a", "body": {"input": "Rain."}}')
            >>> vo.files.delete(file.id)
        """
        return self._sender.send(calls.delete(file_id), options)

    def delete_many(self, file_ids: Sequence[str], **options: Unpack[CallOptions]) -> None:
        """Delete several files, or none if one of them can't be deleted.

        Args:
            file_ids: Ids of the files.

        Raises:
            NotDeletedError: No file was deleted; `file_ids` of the error are those that can't be.
            VoyageError: The call failed.

        Example:
            >>> ids = [
            ...     vo.files.upload([{"custom_id": "a", "body": {"input": text}}]).id
            ...     for text in ("Rain.", "Snow.")
            ... ]
            >>> vo.files.delete_many(ids)
        """
        return self._sender.send(calls.delete_many(file_ids), options)

    @property
    def with_raw_response(self) -> RawFiles:
        """The methods that make one call, returning the raw response: status, headers, bytes."""
        return RawFiles(self, self._sender.transport)


class RawFiles(Raw[Files]):
    """The methods of `Files` that make one call, returning raw responses.

    Example:
        >>> lines = [{"custom_id": "a", "body": {"input": "Rain."}}]
        >>> answer = vo.files.with_raw_response.upload(lines)
        >>> answer.status_code, answer.parse().bytes
        (200, 47)
    """

    upload = raw(Files.upload)
    retrieve = raw(Files.retrieve)
    delete = raw(Files.delete)
    delete_many = raw(Files.delete_many)
