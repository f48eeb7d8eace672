"""Files, for code that does other things while it waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Unpack

from . import calls, plans
from .content_async import AsyncFileContent
from .paging import AsyncPages
from .sources import Given, Source
from .threads import in_thread

if TYPE_CHECKING:
    from voyageai_rest.models import SortOrder, UploadPurpose

    from ..client_async import AsyncClient
    from ..options import CallOptions
    from .objects import FileObject
    from .raw import AsyncRawFiles


class AsyncFiles:
    """The same as `Files`, without blocking: files are read and written in threads.

    `list` and `content` are not awaited themselves, but what they give is.

    Example:
        >>> async def upload():
        ...     async with voyageai.AsyncClient() as vo:
        ...         lines = [{"custom_id": "a", "body": {"input": ["Where are the keys?"]}}]
        ...         file = await vo.files.upload(lines)
        ...         return file.id in [found.id async for found in vo.files.list()]
        >>> asyncio.run(upload())
        True
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def upload(
        self,
        source: Given,
        *,
        purpose: UploadPurpose = "batch",
        filename: str | None = None,
        check: bool = True,
        progress: Callable[[int, int], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> FileObject:
        """See `Files.upload`. Rows are made in threads; `progress` is called on the event loop."""
        calls.check_purpose(purpose)
        opened = await in_thread(Source, source, filename)
        try:
            steps = opened.prepare(check=check)
            while await in_thread(next, steps, self) is not self:
                pass
            call = calls.upload(opened, purpose, progress)
            return await plans.send_async(self._client, call, options)
        finally:
            opened.close()

    async def retrieve(self, file_id: str, **options: Unpack[CallOptions]) -> FileObject:
        """See `Files.retrieve`."""
        return await plans.send_async(self._client, calls.retrieve(file_id), options)

    def list(
        self,
        purpose: str | None = None,
        order: SortOrder | None = None,
        limit: int | None = None,
        after: str | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncPages[FileObject]:
        """See `Files.list`."""
        calls.check_order(order)
        ask = partial(calls.list_page, purpose, order, limit)
        return AsyncPages(self._client, ask, after, options)

    def content(self, file_id: str, **options: Unpack[CallOptions]) -> AsyncFileContent:
        """See `Files.content`."""
        return AsyncFileContent(self._client, file_id, options)

    async def delete(self, file_id: str, **options: Unpack[CallOptions]) -> None:
        """See `Files.delete`."""
        return await plans.send_async(self._client, calls.delete(file_id), options)

    async def delete_many(self, file_ids: Sequence[str], **options: Unpack[CallOptions]) -> None:
        """See `Files.delete_many`."""
        return await plans.send_async(self._client, calls.delete_many(file_ids), options)

    @property
    def with_raw_response(self) -> AsyncRawFiles:
        """See `Files.with_raw_response`."""
        from .raw import AsyncRawFiles

        return AsyncRawFiles(self._client)
