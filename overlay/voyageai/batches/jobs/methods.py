"""The methods of `client.batches` that make jobs."""

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
        """Embed any number of texts at the batch price, within minutes to hours.

        The texts are written to the job's directory, split into requests and batches within the
        API's limits, uploaded and run; the results are downloaded and joined with the texts. A text
        that fails is a row with the reason.

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
        """Prepare the job of `embed` without sending it, to see its cost before you `run` it.

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
        """Embed the chunks of any number of documents in context, as `embed` does with texts.

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
        """Prepare the job of `contextualized_embed` without sending it, to see its cost first.

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
        """Rank documents by relevance to a query, for any number of queries.

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
        """Prepare the job of `rerank` without sending it, to see its cost before you `run` it.

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
