"""Batch jobs, for code that does other things while it waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack, cast

from ..bulk.methods_async import AsyncBulkMethods
from ..files import plans
from ..files.paging import AsyncPages
from . import calls, waiting
from .polling import Polling

if TYPE_CHECKING:
    from voyageai_rest.models import BatchEndpoint, CompletionWindow

    from ..client_async import AsyncClient
    from ..options import CallOptions
    from .objects import Batch
    from .raw import AsyncRawBatches
    from .resource import PollOptions


class AsyncBatches(AsyncBulkMethods):
    """The same as `Batches`, without blocking. `list` is not awaited, but what it gives is.

    Example:
        >>> async def status():
        ...     async with voyageai.AsyncClient() as vo:
        ...         file = await vo.files.upload(
        ...             [{"custom_id": "a", "body": {"input": ["Where are the keys?"]}}]
        ...         )
        ...         batch = await vo.batches.create(
        ...             "/v1/embeddings", file.id, {"model": "voyage-4"}
        ...         )
        ...         return (await vo.batches.wait(batch, poll=0.01)).status
        >>> asyncio.run(status())
        'completed'
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def create(
        self,
        endpoint: BatchEndpoint,
        input_file_id: str,
        request_params: Mapping[str, Any],
        completion_window: CompletionWindow | None = None,
        metadata: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> Batch:
        """See `Batches.create`."""
        call = calls.create(endpoint, input_file_id, request_params, completion_window, metadata)
        return await plans.send_async(self._client, call, options)

    async def retrieve(self, batch_id: str, **options: Unpack[CallOptions]) -> Batch:
        """See `Batches.retrieve`."""
        return await plans.send_async(self._client, calls.retrieve(batch_id), options)

    def list(
        self, limit: int | None = None, after: str | None = None, **options: Unpack[CallOptions]
    ) -> AsyncPages[Batch]:
        """See `Batches.list`."""
        return AsyncPages(self._client, partial(calls.list_page, limit), after, options)

    async def cancel(self, batch_id: str, **options: Unpack[CallOptions]) -> Batch:
        """See `Batches.cancel`."""
        return await plans.carry_out_async(self._client, waiting.cancelling(batch_id, options))

    async def wait(
        self,
        batch: str | Batch,
        *,
        timeout: float | None = None,
        poll: float | Polling | None = None,
        on_change: Callable[[Batch], object] | None = None,
        **options: Unpack[PollOptions],
    ) -> Batch:
        """See `Batches.wait`. What `on_change` gives is awaited if it can be."""
        asked = cast("CallOptions", options)  # a part of them
        time = plans.surroundings(self._client)
        plan = waiting.waiting(batch, timeout, Polling.of(poll), on_change, asked, time)
        return await plans.carry_out_async(self._client, plan)

    @property
    def with_raw_response(self) -> AsyncRawBatches:
        """See `Batches.with_raw_response`."""
        from .raw import AsyncRawBatches

        return AsyncRawBatches(self._client)
