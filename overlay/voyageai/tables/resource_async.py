"""`client.tables` of asynchronous clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from ..flow import in_thread
from .job import AsyncTableJob
from .options import contextualized_spec, embed_spec, rerank_spec
from .preparing import prepare
from .sources import source_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from voyageai_rest.catalogue import ContextualizedEmbeddingsModel, EmbeddingsModel, RerankModel

    from ..flow import AsyncSender
    from .job import TableResult
    from .options import ContextualizedEmbedTableOptions, EmbedTableOptions, RerankTableOptions
    from .preparing import Spec

__all__ = ["AsyncTables"]


class AsyncTables:
    """Tables of any size, sent live or as batches: as `client.tables` of an asynchronous client.

    A source is a path, a glob or a URL of Parquet, CSV, NDJSON or Arrow files, or a list of them; a
    `pyarrow` table, reader or dataset; a data frame; a database cursor; or an iterable of record
    batches, dicts or lists of dicts. Rows are packed into requests by tokens. These are sent
    concurrently, as fast as the client's rate limit allows, or with `via="batch"` through the Batch
    API. Results are written as Parquet into a directory, which also records the progress: the same
    call resumes a job that ended early.

    Attributes:
        sender: The sender of the requests.

    Source: https://docs.voyageai.com/docs/embeddings
    """

    def __init__(self, sender: AsyncSender) -> None:
        self.sender = sender

    async def embed(
        self,
        source: Any,
        *,
        text: str,
        into: str | os.PathLike[str],
        model: EmbeddingsModel | str,
        max_cost: float | None = None,
        **options: Unpack[EmbedTableOptions],
    ) -> TableResult:
        """Embed a column of texts.

        Args:
            source: Source of the rows.
            text: Name of the column with the texts.
            into: Directory for the table and the progress of the job.
            model: Name of a text embedding model.
            max_cost: Upper limit of the cost in US dollars; the job's `run` describes how it is
                kept to.
            options: `input_type`, `truncation`, `output_dtype` and `output_dimension` as in
                `Client.embed`; the others as in `voyageai.tables.TableOptions`.

        Returns:
            The numbers of rows and failed rows, the cost, and the path of the table.

        Raises:
            ArgumentError: The source or an argument is invalid, or the directory holds another job;
                nothing was sent.
            MaxCostError: The job could cost more than `max_cost`; finished work is kept.
            VoyageError: The job could not continue; a note explains how to resume it.
            ImportError: The extra `tables` is not installed.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         rows = [{"id": 1, "body": "It rains."}, {"id": 2, "body": "It snows."}]
            ...         result = await vo.tables.embed(
            ...             rows, text="body", id="id", model="voyage-4", input_type="document",
            ...             into="rain_async",
            ...         )
            ...         return result.rows, result.failed
            >>> asyncio.run(main())
            (2, 0)
        """
        spec = self._embed("embed", text, model, options)
        job = await self._job(spec, source, into, options)
        return await job.run(max_cost)

    async def prepare_embed(
        self,
        source: Any,
        *,
        text: str,
        into: str | os.PathLike[str],
        model: EmbeddingsModel | str,
        **options: Unpack[EmbedTableOptions],
    ) -> AsyncTableJob:
        """Prepare the job of `embed` without sending it: check its estimate, then `run` it.

        Args:
            source, text, into, model, options: As in `embed`.

        Returns:
            The job.

        Raises:
            ArgumentError: As in `embed`.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         rows = [{"id": 1, "body": "It rains."}]
            ...         job = await vo.tables.prepare_embed(
            ...             rows, text="body", id="id", model="voyage-4", input_type="document",
            ...             into="one_async",
            ...         )
            ...         return job.estimate.rows, job.estimate.tokens
            >>> asyncio.run(main())
            (1, 2)
        """
        spec = self._embed("prepare_embed", text, model, options)
        return await self._job(spec, source, into, options)

    async def contextualized_embed(
        self,
        source: Any,
        *,
        text: str,
        group: str,
        into: str | os.PathLike[str],
        model: ContextualizedEmbeddingsModel | str,
        max_cost: float | None = None,
        **options: Unpack[ContextualizedEmbedTableOptions],
    ) -> TableResult:
        """Embed a column of chunks in the context of their documents.

        Args:
            source, text, into, max_cost: As in `embed`.
            group: Name of the column that says which document a chunk belongs to. The rows of a
                document must be adjacent, and in order.
            model: Name of a contextualized embedding model.
            options: `input_type`, `output_dtype` and `output_dimension` as in
                `Client.contextualized_embed`; the others as in `voyageai.tables.TableOptions`.

        Returns:
            As for `embed`.

        Raises:
            ArgumentError, MaxCostError, VoyageError, ImportError: As in `embed`.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         rows = [{"id": 1, "document": "a", "body": "The river rose."}]
            ...         result = await vo.tables.contextualized_embed(
            ...             rows, text="body", group="document", id="id", model="voyage-context-4",
            ...             input_type="document", into="rivers_async",
            ...         )
            ...         return result.rows
            >>> asyncio.run(main())
            1
        """
        spec = self._contextualized("contextualized_embed", text, group, model, options)
        job = await self._job(spec, source, into, options)
        return await job.run(max_cost)

    async def prepare_contextualized_embed(
        self,
        source: Any,
        *,
        text: str,
        group: str,
        into: str | os.PathLike[str],
        model: ContextualizedEmbeddingsModel | str,
        **options: Unpack[ContextualizedEmbedTableOptions],
    ) -> AsyncTableJob:
        """Prepare the job of `contextualized_embed`, without sending it.

        Args:
            source, text, group, into, model, options: As in `contextualized_embed`.

        Returns:
            The job.

        Raises:
            ArgumentError: As in `embed`.
        """
        spec = self._contextualized("prepare_contextualized_embed", text, group, model, options)
        return await self._job(spec, source, into, options)

    async def rerank(
        self,
        source: Any,
        *,
        query: str,
        document: str,
        into: str | os.PathLike[str],
        model: RerankModel | str,
        max_cost: float | None = None,
        **options: Unpack[RerankTableOptions],
    ) -> TableResult:
        """Score a column of documents by a column of queries, in a column `relevance_score`.

        Args:
            source, into, max_cost: As in `embed`.
            query: Name of the column with the queries. Rows of one query must be adjacent; they
                are one request.
            document: Name of the column with the documents.
            model: Name of a reranker.
            options: `truncation` as in `Client.rerank`; the others as in
                `voyageai.tables.TableOptions`.

        Returns:
            As for `embed`.

        Raises:
            ArgumentError, MaxCostError, VoyageError, ImportError: As in `embed`.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         rows = [{"id": 1, "question": "keys", "answer": "On the table."}]
            ...         result = await vo.tables.rerank(
            ...             rows, query="question", document="answer", id="id", model="rerank-2.5",
            ...             into="ranked_async",
            ...         )
            ...         return result.rows
            >>> asyncio.run(main())
            1
        """
        spec = rerank_spec("rerank", query, document, model, options)
        job = await self._job(spec, source, into, options)
        return await job.run(max_cost)

    async def prepare_rerank(
        self,
        source: Any,
        *,
        query: str,
        document: str,
        into: str | os.PathLike[str],
        model: RerankModel | str,
        **options: Unpack[RerankTableOptions],
    ) -> AsyncTableJob:
        """Prepare the job of `rerank`, without sending it.

        Args:
            source, query, document, into, model, options: As in `rerank`.

        Returns:
            The job.

        Raises:
            ArgumentError: As in `embed`.
        """
        spec = rerank_spec("prepare_rerank", query, document, model, options)
        return await self._job(spec, source, into, options)

    def _embed(self, function: str, text: str, model: str, options: Mapping[str, Any]) -> Spec:
        own = self.sender.input_types.get("embed")
        return embed_spec(function, text, model, options, own)

    def _contextualized(
        self, function: str, text: str, group: str, model: str, options: Mapping[str, Any]
    ) -> Spec:
        own = self.sender.input_types.get("contextualized_embed")
        return contextualized_spec(function, text, group, model, options, own)

    async def _job(
        self, spec: Spec, source: Any, into: str | os.PathLike[str], options: Mapping[str, Any]
    ) -> AsyncTableJob:
        rows = await in_thread(source_of, source, options.get("filesystem"), options.get("format"))
        spec.check(self.sender)
        sender, share = self.sender, options.get("share")
        return AsyncTableJob(
            sender if share is None else sender.with_share(share),
            await in_thread(prepare, spec, rows, into),
            options,
        )
