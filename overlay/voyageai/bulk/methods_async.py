"""The methods of `client.batches` that take any number of rows, without blocking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, Unpack

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterable, Callable, Iterable, Sequence

    from voyageai_rest.catalogue import (
        ContextualizedEmbeddingsModel,
        EmbeddingsModel,
        RerankModel,
    )
    from voyageai_rest.models import InputType, OutputDtype

    from ..client_async import AsyncClient
    from .jobs import AsyncJob
    from .options import WatchOptions
    from .preparing import JobOptions
    from .results import (
        BatchContextualizedEmbeddings,
        BatchEmbeddings,
        BatchRerankings,
        BatchResults,
    )
    from .task import Task

__all__ = ["AsyncBulkMethods"]

R = TypeVar("R", bound="BatchResults[Any]")


class AsyncBulkMethods:
    """The methods of `AsyncBatches` that take any number of rows, also asynchronous iterables."""

    _client: AsyncClient

    async def _prepare(
        self,
        kind: type[R],
        task: Task[Any, Any],
        rows: Iterable[Any] | AsyncIterable[Any],
        options: JobOptions,
    ) -> AsyncJob[R]:
        from .preparing import prepare_async

        return await prepare_async(self._client, kind, task, rows, options)

    async def embed(
        self,
        texts: Iterable[str] | AsyncIterable[str],
        *,
        model: EmbeddingsModel | str,
        input_type: InputType | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        max_cost: float | None = None,
        **options: Unpack[JobOptions],
    ) -> BatchEmbeddings:
        """See `Batches.embed`."""
        from . import arguments, results

        task = arguments.embed_task(
            self._client, model, input_type, truncation, output_dtype, output_dimension
        )
        job = await self._prepare(results.BatchEmbeddings, task, texts, options)
        return await job.run(max_cost)

    async def prepare_embed(
        self,
        texts: Iterable[str] | AsyncIterable[str],
        *,
        model: EmbeddingsModel | str,
        input_type: InputType | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[JobOptions],
    ) -> AsyncJob[BatchEmbeddings]:
        """See `Batches.prepare_embed`."""
        from . import arguments, results

        task = arguments.embed_task(
            self._client, model, input_type, truncation, output_dtype, output_dimension
        )
        return await self._prepare(results.BatchEmbeddings, task, texts, options)

    async def contextualized_embed(
        self,
        inputs: Iterable[Sequence[str] | str] | AsyncIterable[Sequence[str] | str],
        *,
        model: ContextualizedEmbeddingsModel | str,
        input_type: InputType | str | None = None,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        chunk_fn: Callable[[str], list[str]] | None = None,
        enable_auto_chunking: bool = False,
        chunk_size: int | None = None,
        chunk_overlap: int | None = None,
        max_cost: float | None = None,
        **options: Unpack[JobOptions],
    ) -> BatchContextualizedEmbeddings:
        """See `Batches.contextualized_embed`."""
        from . import arguments, results

        task = arguments.contextualize_task(
            *(self._client, model, input_type, output_dtype, output_dimension),
            *(chunk_fn, enable_auto_chunking, chunk_size, chunk_overlap),
        )
        kind = results.BatchContextualizedEmbeddings
        job = await self._prepare(kind, task, inputs, options)
        return await job.run(max_cost)

    async def prepare_contextualized_embed(
        self,
        inputs: Iterable[Sequence[str] | str] | AsyncIterable[Sequence[str] | str],
        *,
        model: ContextualizedEmbeddingsModel | str,
        input_type: InputType | str | None = None,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        chunk_fn: Callable[[str], list[str]] | None = None,
        enable_auto_chunking: bool = False,
        chunk_size: int | None = None,
        chunk_overlap: int | None = None,
        **options: Unpack[JobOptions],
    ) -> AsyncJob[BatchContextualizedEmbeddings]:
        """See `Batches.prepare_contextualized_embed`."""
        from . import arguments, results

        task = arguments.contextualize_task(
            *(self._client, model, input_type, output_dtype, output_dimension),
            *(chunk_fn, enable_auto_chunking, chunk_size, chunk_overlap),
        )
        kind = results.BatchContextualizedEmbeddings
        return await self._prepare(kind, task, inputs, options)

    async def rerank(
        self,
        pairs: Iterable[tuple[str, Sequence[str]]] | AsyncIterable[tuple[str, Sequence[str]]],
        *,
        model: RerankModel | str,
        top_k: int | None = None,
        truncation: bool | None = True,
        max_cost: float | None = None,
        **options: Unpack[JobOptions],
    ) -> BatchRerankings:
        """See `Batches.rerank`."""
        from . import arguments, results

        task = arguments.rerank_task(model, top_k, truncation)
        job = await self._prepare(results.BatchRerankings, task, pairs, options)
        return await job.run(max_cost)

    async def prepare_rerank(
        self,
        pairs: Iterable[tuple[str, Sequence[str]]] | AsyncIterable[tuple[str, Sequence[str]]],
        *,
        model: RerankModel | str,
        top_k: int | None = None,
        truncation: bool | None = True,
        **options: Unpack[JobOptions],
    ) -> AsyncJob[BatchRerankings]:
        """See `Batches.prepare_rerank`."""
        from . import arguments, results

        task = arguments.rerank_task(model, top_k, truncation)
        return await self._prepare(results.BatchRerankings, task, pairs, options)

    async def resume(
        self, directory: str | os.PathLike[str], **options: Unpack[WatchOptions]
    ) -> AsyncJob[BatchResults[Any]]:
        """See `Batches.resume`."""
        from anyio.to_thread import run_sync

        from .folder import Folder
        from .jobs import AsyncJob
        from .options import check_watch
        from .results import kind_of

        check_watch(options)

        def read() -> AsyncJob[BatchResults[Any]]:
            folder = Folder(directory)
            return AsyncJob(self._client, kind_of(folder), folder, options)

        return await run_sync(read)
