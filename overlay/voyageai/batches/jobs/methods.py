"""Batch jobs as methods of `client.batches`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, Unpack

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    from voyageai_rest.catalogue import (
        ContextualizedEmbeddingsModel,
        EmbeddingsModel,
        RerankModel,
    )

    from ...flow import Sender
    from .job import Job
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

__all__ = ["JobMethods"]

R = TypeVar("R", bound="BatchResults[Any]")


class JobMethods:
    """Methods of `Batches` that embed or rerank any number of rows."""

    _sender: Sender

    def _prepare(
        self, kind: type[R], rows: Iterable[Any], found: tuple[Task[Any, Any], JobOptions]
    ) -> Job[R]:
        from .preparing import prepare

        task, options = found
        return prepare(self._sender, kind, task, rows, options)

    def embed(
        self,
        texts: Iterable[str],
        *,
        model: EmbeddingsModel | str,
        max_cost: float | None = None,
        **options: Unpack[EmbedJobOptions],
    ) -> BatchEmbeddings:
        """Embed any number of texts at the price of batches; takes minutes to hours.

        The texts are written to the job's directory, split into requests and batches by the API's
        limits, uploaded, run, downloaded and joined. A text that fails is a row with the reason.

        Args:
            texts: The texts, as any iterable.
            model: Name of a text embedding model that batches take.
            max_cost: The most that it may cost, in US dollars; `voyageai.batches.Job.run` says how
                that is kept.
            options: `input_type`, `truncation`, `output_dtype` and `output_dimension` as in
                `Client.embed`; `directory`, `rows_per_line`, `exact_tokens`, `poll`, `progress` and
                `timings` as in `voyageai.batches.JobOptions`.

        Returns:
            A row per text, in their order.

        Raises:
            ArgumentError: A text or an argument is wrong, or the directory holds another job;
                nothing was sent.
            MaxCostError: It is estimated to cost more than `max_cost`, and nothing was sent; or
                what is left of it could, and nothing more was sent.
            VoyageError: The job could not go on; a note says where it is.

        Example:
            >>> results = vo.batches.embed(
            ...     (f"Text {number}" for number in range(250)),
            ...     model="voyage-4",
            ...     input_type="document",
            ...     max_cost=1.00,
            ...     poll=0.05,
            ... )
            >>> results.to_numpy().shape
            (250, 1024)

        Source: https://docs.voyageai.com/docs/batch-inference
        """
        from . import preparing, results

        found = preparing.embed_task(self._sender, "embed", model, options)
        job = self._prepare(results.BatchEmbeddings, texts, found)
        return job.run(max_cost)

    def prepare_embed(
        self,
        texts: Iterable[str],
        *,
        model: EmbeddingsModel | str,
        **options: Unpack[EmbedJobOptions],
    ) -> Job[BatchEmbeddings]:
        """Prepare the job of `embed`, without sending it: see what it will cost, then `run` it.

        Args:
            texts, model, options: As in `embed`.

        Returns:
            The job.

        Raises:
            ArgumentError: A text or an argument is wrong, or the directory holds another job.

        Example:
            >>> job = vo.batches.prepare_embed(["It rains."] * 1000, model="voyage-4-lite")
            >>> print(job.estimate.cost_text)
            about $0.0000268
        """
        from . import preparing, results

        found = preparing.embed_task(self._sender, "prepare_embed", model, options)
        return self._prepare(results.BatchEmbeddings, texts, found)

    def contextualized_embed(
        self,
        inputs: Iterable[Sequence[str] | str],
        *,
        model: ContextualizedEmbeddingsModel | str,
        chunk_fn: Callable[[str], list[str]] | None = None,
        max_cost: float | None = None,
        **options: Unpack[ContextualizedEmbedJobOptions],
    ) -> BatchContextualizedEmbeddings:
        """Embed chunks in the context of any number of documents, as `embed` does texts.

        Args:
            inputs: Documents, each a list of its chunks; or texts, with `input_type="query"`, with
                `chunk_fn` or with auto-chunking.
            model: Name of a contextualized embedding model that batches take.
            chunk_fn: Splits each text into chunks before they are written.
            max_cost: As in `embed`.
            options: `input_type`, `output_dtype`, `output_dimension`, `enable_auto_chunking`,
                `chunk_size` and `chunk_overlap` as in `Client.contextualized_embed`; further ones
                as in `embed`.

        Returns:
            A row per document, with one vector per chunk.

        Raises:
            ArgumentError, MaxCostError, VoyageError: As in `embed`.

        Example:
            >>> results = vo.batches.contextualized_embed(
            ...     [["The river rose.", "It fell in May."]],
            ...     model="voyage-context-3",
            ...     input_type="document",
            ...     poll=0.05,
            ... )
            >>> [len(row.result.embeddings) for row in results]
            [2]
        """
        from . import preparing, results

        found = preparing.contextualize_task(
            self._sender, "contextualized_embed", model, chunk_fn, options
        )
        job = self._prepare(results.BatchContextualizedEmbeddings, inputs, found)
        return job.run(max_cost)

    def prepare_contextualized_embed(
        self,
        inputs: Iterable[Sequence[str] | str],
        *,
        model: ContextualizedEmbeddingsModel | str,
        chunk_fn: Callable[[str], list[str]] | None = None,
        **options: Unpack[ContextualizedEmbedJobOptions],
    ) -> Job[BatchContextualizedEmbeddings]:
        """Prepare the job of `contextualized_embed`, without sending it: see its cost, then `run`.

        Args:
            inputs, model, chunk_fn, options: As in `contextualized_embed`.

        Returns:
            The job.

        Raises:
            ArgumentError: A document or an argument is wrong, or the directory holds another job.

        Example:
            >>> documents = [["The river rose.", "It fell in May."]]
            >>> job = vo.batches.prepare_contextualized_embed(
            ...     documents, model="voyage-context-3", input_type="document"
            ... )
            >>> job.estimate.rows, job.estimate.batches
            (1, 1)
        """
        from . import preparing, results

        found = preparing.contextualize_task(
            self._sender, "prepare_contextualized_embed", model, chunk_fn, options
        )
        return self._prepare(results.BatchContextualizedEmbeddings, inputs, found)

    def rerank(
        self,
        pairs: Iterable[tuple[str, Sequence[str]]],
        *,
        model: RerankModel | str,
        max_cost: float | None = None,
        **options: Unpack[RerankJobOptions],
    ) -> BatchRerankings:
        """Rank documents by their relevance to a query, for any number of queries.

        Args:
            pairs: Queries, each with a list of its documents.
            model: Name of a reranker that batches take.
            max_cost: As in `embed`.
            options: `top_k` and `truncation` as in `Client.rerank`; further ones as in `embed`.

        Returns:
            A row per query, with its documents, best first.

        Raises:
            ArgumentError, MaxCostError, VoyageError: As in `embed`.

        Example:
            >>> pairs = [("Where are the keys?", ["It rains.", "The keys are on the table."])]
            >>> results = vo.batches.rerank(pairs, model="rerank-2.5", poll=0.05)
            >>> [row.result.results[0].document for row in results]
            ['The keys are on the table.']
        """
        from . import preparing, results

        found = preparing.rerank_task("rerank", model, options)
        job = self._prepare(results.BatchRerankings, pairs, found)
        return job.run(max_cost)

    def prepare_rerank(
        self,
        pairs: Iterable[tuple[str, Sequence[str]]],
        *,
        model: RerankModel | str,
        **options: Unpack[RerankJobOptions],
    ) -> Job[BatchRerankings]:
        """Prepare the job of `rerank`, without sending it: see what it will cost, then `run` it.

        Args:
            pairs, model, options: As in `rerank`.

        Returns:
            The job.

        Raises:
            ArgumentError: A pair or an argument is wrong, or the directory holds another job.

        Example:
            >>> pairs = [("Where are the keys?", ["It rains.", "The keys are on the table."])]
            >>> job = vo.batches.prepare_rerank(pairs, model="rerank-2.5")
            >>> job.estimate.rows, job.estimate.batches
            (1, 1)
        """
        from . import preparing, results

        found = preparing.rerank_task("prepare_rerank", model, options)
        return self._prepare(results.BatchRerankings, pairs, found)

    def resume(
        self, directory: str | os.PathLike[str], **options: Unpack[WatchOptions]
    ) -> Job[BatchResults[Any]]:
        """Open a job by its directory alone, to run it on, read its results, or retry failures.

        Args:
            directory: The job's directory.
            options: `poll`, `progress` and `timings`, as in `embed`.

        Returns:
            The job.

        Raises:
            ArgumentError: An option is wrong.
            JobDirectoryError: The directory holds no job, or was damaged.

        Example:
            >>> import tempfile
            >>> folder = tempfile.mkdtemp()
            >>> job = vo.batches.prepare_embed(["It rains."], model="voyage-4", directory=folder)
            >>> len(vo.batches.resume(folder, poll=0.05).run())
            1
        """
        from .directory import JobDirectory
        from .job import Job
        from .options import check_options
        from .results import results_type
        from .state import Manifest

        check_options(options)
        folder = JobDirectory(directory)
        manifest = Manifest.read(folder)
        return Job(self._sender, results_type(manifest), folder, manifest, options)
