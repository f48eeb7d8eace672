"""`client.batches` of an asynchronous client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack, cast

from ..files.objects import AsyncPages
from ..flow import run_calls_async
from ..results.raw import Raw, raw_async
from . import calls, polling
from .jobs.methods_async import AsyncJobMethods
from .polling import Polling

if TYPE_CHECKING:
    from voyageai_rest.models import BatchEndpoint, CompletionWindow

    from ..flow import AsyncSender
    from ..options import CallOptions
    from .objects import Batch
    from .resource import PollOptions


class AsyncBatches(AsyncJobMethods):
    """`Batches` of an asynchronous client. `list` is not awaited; its result is iterated over.

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

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def create(
        self,
        endpoint: BatchEndpoint,
        input_file_id: str,
        request_params: Mapping[str, Any],
        completion_window: CompletionWindow | None = None,
        metadata: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> Batch:
        """Start a job over the lines of an uploaded file.

        The request is retried only if the server refused it with a transient error, or it was never
        sent: a job that is created twice runs and costs twice. If the response was lost, the error
        has `outcome_unknown`. Give each job unique `metadata`, to find it with `list`.

        Args:
            endpoint: The endpoint of the lines: `/v1/embeddings`, `/v1/contextualizedembeddings` or
                `/v1/rerank`.
            input_file_id: Id of the uploaded file.
            request_params: The model, and all other arguments that the lines share.
            completion_window: Time within which the job is done; None for the API's only one.
            metadata: Pairs of strings of your own.

        Returns:
            The job, which is being validated.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            RateLimitError: Too many jobs, or tokens in them, are in flight; the message says how
                long to wait.
            VoyageError: The call failed.

        Example:
            >>> lines = [{"custom_id": "a", "body": {"input": ["Rain."]}}]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         file = await vo.files.upload(lines)
            ...         batch = await vo.batches.create(
            ...             "/v1/embeddings",
            ...             file.id,
            ...             {"model": "voyage-4", "input_type": "document"},
            ...             metadata={"corpus": "weather"},
            ...         )
            ...         return batch.metadata["corpus"]
            >>> asyncio.run(main())
            'weather'
        """
        call = calls.create(endpoint, input_file_id, request_params, completion_window, metadata)
        return await self._sender.send(call, options)

    async def retrieve(self, batch_id: str, **options: Unpack[CallOptions]) -> Batch:
        """Retrieve a job.

        Args:
            batch_id: Id of the job.

        Returns:
            The job in its current state.

        Raises:
            NotFoundError: The job does not exist.
            VoyageError: The call failed.

        Example:
            >>> lines = [{"custom_id": "a", "body": {"input": ["Rain."]}}]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         file = await vo.files.upload(lines)
            ...         batch = await vo.batches.create(
            ...             "/v1/embeddings", file.id, {"model": "voyage-4"}
            ...         )
            ...         found = await vo.batches.retrieve(batch.id)
            ...         return found.input_file_id == file.id
            >>> asyncio.run(main())
            True
        """
        return await self._sender.send(calls.retrieve(batch_id), options)

    def list(
        self, limit: int | None = None, after: str | None = None, **options: Unpack[CallOptions]
    ) -> AsyncPages[Batch]:
        """List jobs, the newest first.

        Not awaited itself; the result is iterated over with `async for`.

        Args:
            limit: Jobs per page.
            after: Id of the job after which the list begins.

        Returns:
            An iterable over the jobs, loaded page by page; `.page()` loads only the first page.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.

        Example:
            >>> lines = [{"custom_id": "a", "body": {"input": ["Rain."]}}]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         file = await vo.files.upload(lines)
            ...         batch = await vo.batches.create(
            ...             "/v1/embeddings",
            ...             file.id,
            ...             {"model": "voyage-4"},
            ...             metadata={"run": "7f3a"},
            ...         )
            ...         async for job in vo.batches.list():
            ...             if job.metadata.get("run") == "7f3a":
            ...                 return job.id == batch.id
            >>> asyncio.run(main())
            True
        """
        return AsyncPages(self._sender, partial(calls.list_page, limit), after, options)

    async def cancel(self, batch_id: str, **options: Unpack[CallOptions]) -> Batch:
        """Cancel a job. The lines done by then are in its files, and are billed.

        Args:
            batch_id: Id of the job.

        Returns:
            The job, which is being cancelled; `wait` for its end.

        Raises:
            InvalidRequestError: The job has ended.
            NotFoundError: The job does not exist.
            VoyageError: The call failed.

        Example:
            >>> rows = ({"custom_id": f"{n}", "body": {"input": f"Text {n}"}} for n in range(999))
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         file = await vo.files.upload(rows)
            ...         batch = await vo.batches.create(
            ...             "/v1/embeddings", file.id, {"model": "voyage-4"}
            ...         )
            ...         batch = await vo.batches.cancel(batch.id)
            ...         return (await vo.batches.wait(batch, poll=0.01)).status
            >>> asyncio.run(main())
            'cancelled'
        """
        return await run_calls_async(self._sender, polling.cancel(batch_id, options))

    async def wait(
        self,
        batch: str | Batch,
        *,
        timeout: float | None = None,
        poll: float | Polling | None = None,
        on_change: Callable[[Batch], object] | None = None,
        **options: Unpack[PollOptions],
    ) -> Batch:
        """Wait until a job has ended, successfully or not, as its `status` shows.

        The job is polled, with delays that grow from one second to a minute. Transient errors of
        polls end the wait only after an hour without a success. A timeout or Ctrl-C ends the wait,
        but not the job.

        An awaitable that `on_change` returns is awaited.

        Args:
            batch: The job, or its id.
            timeout: Most seconds to wait; the last poll may take five more.
            poll: Seconds between polls, or a `Polling`.
            on_change: Called with the job after the first poll, and whenever its status or its
                counts have changed. An exception that it raises ends the wait.

        Returns:
            The job, which has ended.

        Raises:
            Timeout: The job was not done in time; the message shows its progress.
            NotFoundError: The job does not exist.
            VoyageError: A poll failed with a permanent error.

        Example:
            >>> lines = [{"custom_id": "a", "body": {"input": ["Rain."]}}]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         file = await vo.files.upload(lines)
            ...         batch = await vo.batches.create(
            ...             "/v1/embeddings", file.id, {"model": "voyage-4"}
            ...         )
            ...         batch = await vo.batches.wait(batch, timeout=60, poll=0.01)
            ...         return batch.status, batch.request_counts.completed
            >>> asyncio.run(main())
            ('completed', 1)
        """
        given = cast("CallOptions", options)  # some of them
        environment = self._sender.environment
        flow = polling.wait(batch, timeout, Polling.of(poll), given, environment)
        return await run_calls_async(self._sender, flow, on_change)

    @property
    def with_raw_response(self) -> AsyncRawBatches:
        """The methods that make one call, returning the raw response: status, headers, bytes."""
        return AsyncRawBatches(self, self._sender.transport)


class AsyncRawBatches(Raw[AsyncBatches]):
    """The methods of `AsyncBatches` that make one call, returning raw responses."""

    create = raw_async(AsyncBatches.create)
    retrieve = raw_async(AsyncBatches.retrieve)
    cancel = raw_async(AsyncBatches.cancel)
