"""The methods of `client.batches` that take any number of rows."""

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
    from voyageai_rest.models import InputType, OutputDtype

    from ...flow import Sender
    from .job import Job
    from .options import WatchOptions
    from .preparing import JobOptions
    from .results import (
        BatchContextualizedEmbeddings,
        BatchEmbeddings,
        BatchRerankings,
        BatchResults,
    )
    from .task import Task

__all__ = ["BulkMethods"]

R = TypeVar("R", bound="BatchResults[Any]")


class BulkMethods:
    """The methods of `Batches` that take any number of rows."""

    _sender: Sender

    def _prepare(
        self, kind: type[R], task: Task[Any, Any], rows: Iterable[Any], options: JobOptions
    ) -> Job[R]:
        from .preparing import prepare

        return prepare(self._sender, kind, task, rows, options)

    def embed(
        self,
        texts: Iterable[str],
        *,
        model: EmbeddingsModel | str,
        input_type: InputType | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        max_cost: float | None = None,
        **options: Unpack[JobOptions],
    ) -> BatchEmbeddings:
        """Embed any number of texts at the price of batches; takes minutes to hours.

        The texts are written to the job's directory, split into requests and batches by the API's
        limits, uploaded, run, downloaded and joined. Texts that fail are rows with a reason.

        Args:
            texts: The texts, as any iterable.
            model: Name of a text embedding model that batches take.
            input_type, truncation, output_dtype, output_dimension: As in `Client.embed`.
            max_cost: US dollars that it will not cost more than; see `voyageai.batches.Job.run`.
            options: `directory`, `rows_per_line`, `exact_tokens`, `poll`, `progress` and `timings`
                as in `voyageai.batches.JobOptions`.

        Returns:
            A row per text, in their order.

        Raises:
            ArgumentError: A text or an argument is wrong, or the directory holds another job;
                nothing was sent.
            MaxCostError: It is estimated to cost too much, and nothing was sent; or what is left
                of it could: see `voyageai.batches.Job.run`.
            VoyageError: It could not go on; a note says where the job is.

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
        from . import arguments, results

        task = arguments.embed_task(
            self._sender, model, input_type, truncation, output_dtype, output_dimension
        )
        return self._prepare(results.BatchEmbeddings, task, texts, options).run(max_cost)

    def prepare_embed(
        self,
        texts: Iterable[str],
        *,
        model: EmbeddingsModel | str,
        input_type: InputType | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[JobOptions],
    ) -> Job[BatchEmbeddings]:
        """The job of `embed`, before anything is sent: see what it will cost, then `run` it.

        Args:
            texts, model, input_type, truncation, output_dtype, output_dimension: As in `embed`.
            options: As in `embed`.

        Returns:
            The job.

        Raises:
            ArgumentError: A text or an argument is wrong, or the directory holds another job.

        Example:
            >>> job = vo.batches.prepare_embed(["It rains."] * 1000, model="voyage-4-lite")
            >>> print(job.estimate.said_cost)
            about $0.0000268
        """
        from . import arguments, results

        task = arguments.embed_task(
            self._sender, model, input_type, truncation, output_dtype, output_dimension
        )
        return self._prepare(results.BatchEmbeddings, task, texts, options)

    def contextualized_embed(
        self,
        inputs: Iterable[Sequence[str] | str],
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
        """Embed chunks in the context of any number of documents; see `embed`.

        Args:
            inputs: Documents, each a list of its chunks; or texts, with `input_type="query"`, with
                `chunk_fn` or with auto-chunking.
            model: Name of a contextualized embedding model that batches take.
            input_type, output_dtype, output_dimension, chunk_fn, enable_auto_chunking, chunk_size,
                chunk_overlap: As in `Client.contextualized_embed`.
            max_cost: US dollars that it will not cost more than; see `voyageai.batches.Job.run`.
            options: As in `embed`.

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
        from . import arguments, results

        task = arguments.contextualize_task(
            *(self._sender, model, input_type, output_dtype, output_dimension),
            *(chunk_fn, enable_auto_chunking, chunk_size, chunk_overlap),
        )
        job = self._prepare(results.BatchContextualizedEmbeddings, task, inputs, options)
        return job.run(max_cost)

    def prepare_contextualized_embed(
        self,
        inputs: Iterable[Sequence[str] | str],
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
    ) -> Job[BatchContextualizedEmbeddings]:
        """The job of `contextualized_embed`, before anything is sent: see its cost, then `run` it.

        Args:
            inputs, model, input_type, output_dtype, output_dimension, chunk_fn,
                enable_auto_chunking, chunk_size, chunk_overlap: As in `contextualized_embed`.
            options: As in `embed`.

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
        from . import arguments, results

        task = arguments.contextualize_task(
            *(self._sender, model, input_type, output_dtype, output_dimension),
            *(chunk_fn, enable_auto_chunking, chunk_size, chunk_overlap),
        )
        return self._prepare(results.BatchContextualizedEmbeddings, task, inputs, options)

    def rerank(
        self,
        pairs: Iterable[tuple[str, Sequence[str]]],
        *,
        model: RerankModel | str,
        top_k: int | None = None,
        truncation: bool | None = True,
        max_cost: float | None = None,
        **options: Unpack[JobOptions],
    ) -> BatchRerankings:
        """Rank documents by their relevance to a query, for any number of queries; see `embed`.

        Args:
            pairs: Queries, each with a list of its documents.
            model: Name of a reranker that batches take.
            top_k, truncation: As in `Client.rerank`.
            max_cost: US dollars that it will not cost more than; see `voyageai.batches.Job.run`.
            options: As in `embed`.

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
        from . import arguments, results

        task = arguments.rerank_task(model, top_k, truncation)
        return self._prepare(results.BatchRerankings, task, pairs, options).run(max_cost)

    def prepare_rerank(
        self,
        pairs: Iterable[tuple[str, Sequence[str]]],
        *,
        model: RerankModel | str,
        top_k: int | None = None,
        truncation: bool | None = True,
        **options: Unpack[JobOptions],
    ) -> Job[BatchRerankings]:
        """The job of `rerank`, before anything is sent: see what it will cost, then `run` it.

        Args:
            pairs, model, top_k, truncation: As in `rerank`.
            options: As in `embed`.

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
        from . import arguments, results

        task = arguments.rerank_task(model, top_k, truncation)
        return self._prepare(results.BatchRerankings, task, pairs, options)

    def resume(
        self, directory: str | os.PathLike[str], **options: Unpack[WatchOptions]
    ) -> Job[BatchResults[Any]]:
        """A job that was begun, by its directory alone: to run on, to read, or to retry.

        Args:
            directory: The job's directory.
            options: `poll`, `progress` and `timings`, as in `embed`.

        Returns:
            The job.

        Raises:
            ArgumentError: An option is wrong.
            JobDirectoryError: There is no job, or it was damaged.

        Example:
            >>> import tempfile
            >>> folder = tempfile.mkdtemp()
            >>> job = vo.batches.prepare_embed(["It rains."], model="voyage-4", directory=folder)
            >>> len(vo.batches.resume(folder, poll=0.05).run())
            1
        """
        from .directory import JobDirectory
        from .job import Job
        from .options import check_watch
        from .results import results_type
        from .state import Manifest

        check_watch(options)
        folder = JobDirectory(directory)
        manifest = Manifest.read(folder)
        return Job(self._sender, results_type(manifest), folder, manifest, options)
