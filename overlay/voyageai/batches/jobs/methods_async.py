"""The asynchronous methods of `client.batches` that make jobs."""

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

    from ...flow import AsyncSender
    from .job import AsyncJob
    from .options import (
        ContextualizedEmbedJobOptions,
        EmbedJobOptions,
        JobOptions,
        RerankJobOptions,
        WatchOptions,
    )
    from .results import (
        BatchContextualizedEmbeddings,
        BatchEmbeddings,
        BatchRerankings,
        BatchResults,
    )
    from .tasks import Task

__all__ = ["AsyncJobMethods"]

R = TypeVar("R", bound="BatchResults[Any]")


class AsyncJobMethods:
    """Methods of `AsyncBatches` that embed or rerank any number of rows, from any iterable."""

    _sender: AsyncSender

    async def _prepare(
        self,
        kind: type[R],
        rows: Iterable[Any] | AsyncIterable[Any],
        found: tuple[Task[Any, Any], JobOptions],
    ) -> AsyncJob[R]:
        from .preparing import prepare_async

        task, options = found
        return await prepare_async(self._sender, kind, task, rows, options)

    async def embed(
        self,
        texts: Iterable[str] | AsyncIterable[str],
        *,
        model: EmbeddingsModel | str,
        max_cost: float | None = None,
        **options: Unpack[EmbedJobOptions],
    ) -> BatchEmbeddings:
        """Embed any number of texts at the batch price, within minutes to hours.

        The texts are written to the job's directory, split into requests and batches within the
        API's limits, uploaded and run; the results are downloaded and joined with the texts. A text
        that fails is a row with the reason.

        `texts` may also be an asynchronous iterable.

        Args:
            texts: An iterable of texts.
            model: Name of a text embedding model that batches support.
            max_cost: The most that the job may cost in US dollars, as in
                `voyageai.batches.Job.run`.
            options: `input_type`, `truncation`, `output_dtype` and `output_dimension` as in
                `Client.embed`; `directory`, `rows_per_line`, `exact_tokens`, `poll`, `progress` and
                `timings` as in `voyageai.batches.JobOptions`.

        Returns:
            A row per text, in the order of the texts.

        Raises:
            ArgumentError: A text or an argument is wrong, or the directory holds another job;
                nothing was sent.
            MaxCostError: The estimate is above `max_cost`, and nothing was sent; or the rest of the
                job could cost more, and nothing more was sent.
            VoyageError: The job could not continue; a note says where it is kept.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         results = await vo.batches.embed(
            ...             (f"Text {number}" for number in range(250)),
            ...             model="voyage-4",
            ...             input_type="document",
            ...             max_cost=1.00,
            ...             poll=0.05,
            ...         )
            ...         return results.to_numpy().shape
            >>> asyncio.run(main())
            (250, 1024)

        Source: https://docs.voyageai.com/docs/batch-inference
        """
        from . import preparing, results

        found = preparing.embed_task(self._sender, "embed", model, options)
        job = await self._prepare(results.BatchEmbeddings, texts, found)
        return await job.run(max_cost)

    async def prepare_embed(
        self,
        texts: Iterable[str] | AsyncIterable[str],
        *,
        model: EmbeddingsModel | str,
        **options: Unpack[EmbedJobOptions],
    ) -> AsyncJob[BatchEmbeddings]:
        """Prepare the job of `embed` without sending it, to see its cost before you `run` it.

        `texts` may also be an asynchronous iterable.

        Args:
            texts, model, options: As in `embed`.

        Returns:
            The job.

        Raises:
            ArgumentError: A text or an argument is wrong, or the directory holds another job.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         texts = ["It rains."] * 1000
            ...         job = await vo.batches.prepare_embed(texts, model="voyage-4-lite")
            ...         print(job.estimate.cost_text)
            >>> asyncio.run(main())
            about $0.0000268
        """
        from . import preparing, results

        found = preparing.embed_task(self._sender, "prepare_embed", model, options)
        return await self._prepare(results.BatchEmbeddings, texts, found)

    async def contextualized_embed(
        self,
        inputs: Iterable[Sequence[str] | str] | AsyncIterable[Sequence[str] | str],
        *,
        model: ContextualizedEmbeddingsModel | str,
        chunk_fn: Callable[[str], list[str]] | None = None,
        max_cost: float | None = None,
        **options: Unpack[ContextualizedEmbedJobOptions],
    ) -> BatchContextualizedEmbeddings:
        """Embed the chunks of any number of documents in context, as `embed` does with texts.

        `inputs` may also be an asynchronous iterable.

        Args:
            inputs: Documents, each a list of its chunks; or texts, if `input_type="query"`,
                `chunk_fn` or auto-chunking is given.
            model: Name of a contextualized embedding model that batches support.
            chunk_fn: A function that splits a text into chunks.
            max_cost: As in `embed`.
            options: `input_type`, `output_dtype`, `output_dimension`, `enable_auto_chunking`,
                `chunk_size` and `chunk_overlap` as in `Client.contextualized_embed`; the others as
                in `embed`.

        Returns:
            A row per document, with one vector per chunk.

        Raises:
            ArgumentError, MaxCostError, VoyageError: As in `embed`.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         results = await vo.batches.contextualized_embed(
            ...             [["The river rose.", "It fell in May."]],
            ...             model="voyage-context-3",
            ...             input_type="document",
            ...             poll=0.05,
            ...         )
            ...         return [len(row.result.embeddings) for row in results]
            >>> asyncio.run(main())
            [2]
        """
        from . import preparing, results

        found = preparing.contextualize_task(
            self._sender, "contextualized_embed", model, chunk_fn, options
        )
        job = await self._prepare(results.BatchContextualizedEmbeddings, inputs, found)
        return await job.run(max_cost)

    async def prepare_contextualized_embed(
        self,
        inputs: Iterable[Sequence[str] | str] | AsyncIterable[Sequence[str] | str],
        *,
        model: ContextualizedEmbeddingsModel | str,
        chunk_fn: Callable[[str], list[str]] | None = None,
        **options: Unpack[ContextualizedEmbedJobOptions],
    ) -> AsyncJob[BatchContextualizedEmbeddings]:
        """Prepare the job of `contextualized_embed` without sending it, to see its cost first.

        `inputs` may also be an asynchronous iterable.

        Args:
            inputs, model, chunk_fn, options: As in `contextualized_embed`.

        Returns:
            The job.

        Raises:
            ArgumentError: A document or an argument is wrong, or the directory holds another job.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         job = await vo.batches.prepare_contextualized_embed(
            ...             [["The river rose.", "It fell in May."]],
            ...             model="voyage-context-3",
            ...             input_type="document",
            ...         )
            ...         return job.estimate.rows, job.estimate.batches
            >>> asyncio.run(main())
            (1, 1)
        """
        from . import preparing, results

        found = preparing.contextualize_task(
            self._sender, "prepare_contextualized_embed", model, chunk_fn, options
        )
        return await self._prepare(results.BatchContextualizedEmbeddings, inputs, found)

    async def rerank(
        self,
        pairs: Iterable[tuple[str, Sequence[str]]] | AsyncIterable[tuple[str, Sequence[str]]],
        *,
        model: RerankModel | str,
        max_cost: float | None = None,
        **options: Unpack[RerankJobOptions],
    ) -> BatchRerankings:
        """Rank documents by relevance to a query, for any number of queries.

        `pairs` may also be an asynchronous iterable.

        Args:
            pairs: Pairs of a query and a list of its documents.
            model: Name of a reranker that batches support.
            max_cost: As in `embed`.
            options: `top_k` and `truncation` as in `Client.rerank`; the others as in `embed`.

        Returns:
            A row per query, with its documents, the most relevant first.

        Raises:
            ArgumentError, MaxCostError, VoyageError: As in `embed`.

        Example:
            >>> pairs = [("Where are the keys?", ["It rains.", "The keys are on the table."])]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         results = await vo.batches.rerank(pairs, model="rerank-2.5", poll=0.05)
            ...         return [row.result.results[0].document for row in results]
            >>> asyncio.run(main())
            ['The keys are on the table.']
        """
        from . import preparing, results

        found = preparing.rerank_task("rerank", model, options)
        job = await self._prepare(results.BatchRerankings, pairs, found)
        return await job.run(max_cost)

    async def prepare_rerank(
        self,
        pairs: Iterable[tuple[str, Sequence[str]]] | AsyncIterable[tuple[str, Sequence[str]]],
        *,
        model: RerankModel | str,
        **options: Unpack[RerankJobOptions],
    ) -> AsyncJob[BatchRerankings]:
        """Prepare the job of `rerank` without sending it, to see its cost before you `run` it.

        `pairs` may also be an asynchronous iterable.

        Args:
            pairs, model, options: As in `rerank`.

        Returns:
            The job.

        Raises:
            ArgumentError: A pair or an argument is wrong, or the directory holds another job.

        Example:
            >>> pairs = [("Where are the keys?", ["It rains.", "The keys are on the table."])]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         job = await vo.batches.prepare_rerank(pairs, model="rerank-2.5")
            ...         return job.estimate.rows, job.estimate.batches
            >>> asyncio.run(main())
            (1, 1)
        """
        from . import preparing, results

        found = preparing.rerank_task("prepare_rerank", model, options)
        return await self._prepare(results.BatchRerankings, pairs, found)

    async def resume(
        self, directory: str | os.PathLike[str], **options: Unpack[WatchOptions]
    ) -> AsyncJob[BatchResults[Any]]:
        """Open an existing job, to continue it, read its results, or retry failures.

        Args:
            directory: The job's directory.
            options: `poll`, `progress` and `timings`, as in `embed`.

        Returns:
            The job.

        Raises:
            ArgumentError: An option is wrong.
            JobDirectoryError: The directory holds no job, or a file in it was damaged.

        Example:
            >>> import tempfile
            >>> folder = tempfile.mkdtemp()
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         texts = ["It rains."]
            ...         await vo.batches.prepare_embed(texts, model="voyage-4", directory=folder)
            ...         job = await vo.batches.resume(folder, poll=0.05)
            ...         return len(await job.run())
            >>> asyncio.run(main())
            1
        """
        from anyio.to_thread import run_sync

        from .directory import JobDirectory
        from .job import AsyncJob
        from .options import check_options
        from .results import results_type
        from .state import Manifest

        check_options(options)

        def read() -> AsyncJob[BatchResults[Any]]:
            folder = JobDirectory(directory)
            manifest = Manifest.read(folder)
            return AsyncJob(self._sender, results_type(manifest), folder, manifest, options)

        return await run_sync(read)
