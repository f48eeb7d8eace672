"""The kinds of jobs: texts, documents in chunks, and queries with their documents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from voyageai_rest.catalogue import BATCH
from voyageai_rest.constraints import Constraint
from voyageai_rest.errors import ShapeError
from voyageai_rest.models.batch_contextualized_embeddings_body import (
    BatchContextualizedEmbeddingsBody,
)
from voyageai_rest.models.batch_contextualized_embeddings_params import (
    BatchContextualizedEmbeddingsParams,
)
from voyageai_rest.models.batch_embeddings_body import BatchEmbeddingsBody
from voyageai_rest.models.batch_embeddings_params import BatchEmbeddingsParams
from voyageai_rest.models.batch_endpoint import BATCH_ENDPOINT_VALUES, BatchEndpoint
from voyageai_rest.models.batch_rerank_body import BatchRerankBody
from voyageai_rest.models.batch_rerank_params import BatchRerankParams
from voyageai_rest.models.contextualized_embeddings_response import (
    ContextualizedEmbeddingsResponse,
)
from voyageai_rest.models.embeddings_response import EmbeddingsResponse
from voyageai_rest.models.rerank_response import RerankResponse
from voyageai_rest.types import Unset

from ...argument_checks import catalogue_entry, check_text, check_texts, constraint
from ...error import ArgumentError
from ...inputs.contextualized import ChunkFunction, apply_chunking
from ...results import ContextualizedEmbeddingsObject, EmbeddingsObject, RerankingObject
from ...results.contextualized import ContextualizedEmbeddingsResult
from .lines import Size

if TYPE_CHECKING:
    from voyageai_rest.models.input_type import InputType

__all__ = ["TASKS", "Contextualize", "Count", "Embed", "Rerank", "Task", "no_tokens"]

NONE = Constraint()
OTHER_BODY = "it is the body of another method"
CHUNK = 128
"""Tokens of a chunk if the server chooses the size. Chosen: well below its default."""
V = TypeVar("V")
P = TypeVar("P", BatchEmbeddingsParams, BatchContextualizedEmbeddingsParams, BatchRerankParams)
Count = Callable[[Sequence[str]], int]
"""A function that counts the tokens of texts."""
Body = BatchEmbeddingsBody | BatchContextualizedEmbeddingsBody | BatchRerankBody


def no_tokens(_: Sequence[str]) -> int:
    """Return 0, for sizes without tokens."""
    return 0


class Task(ABC, Generic[P, V]):
    """A method with the arguments that all rows of a job share: writes rows, reads responses.

    Attributes:
        method: Name of the method.
        argument: Name of the method's argument that takes the rows.
        noun: Name of the rows, such as `texts`.
        endpoint: Name of the endpoint in the catalogue.
        rows_per_line: Most rows of a request.
        params: The parameters of the batches.
        entry: The model's entry in the catalogue; None if the model is unknown.
        role: The input type; None without one.
        longest: Tokens to which a text is truncated; None if it is not, or if unknown.
    """

    method: ClassVar[str]
    argument: ClassVar[str]
    noun: ClassVar[str]
    endpoint: ClassVar[str]
    rows_per_line: ClassVar[int]
    params: P

    def __init__(self, params: P) -> None:
        self.params = params
        self.entry = catalogue_entry(params.model)
        role: InputType | Unset | None = getattr(params, "input_type", None)
        self.role = None if isinstance(role, Unset) else role
        is_cut = getattr(params, "truncation", False) is not False
        self.longest = self.entry.context_length if self.entry is not None and is_cut else None

    @abstractmethod
    def item(self, value: Any, row: int) -> Any:
        """Return a row in the form that is written to files.

        Raises:
            ArgumentError: The value is not a row of this method; the message names it.
        """

    @abstractmethod
    def size(self, item: Any, count: Count, billable: Count) -> Size:
        """Return the size of a row, except for bytes.

        Args:
            item: The row.
            count: Function that counts the tokens of texts.
            billable: Function that counts the most billable tokens of texts.
        """

    def max_billable(self, item: Any, count: Count) -> int:
        """Return the most billable tokens of a row, from a count of its texts."""
        return self.size(item, no_tokens, count).most_tokens

    @abstractmethod
    def body(self, items: list[Any]) -> Body:
        """Return the body of a request for rows."""

    @abstractmethod
    def items(self, body: Body) -> list[Any]:
        """Return the rows in the body of a request.

        Raises:
            ShapeError: The body belongs to another method.
        """

    @abstractmethod
    def text(self, item: Any) -> str:
        """Return a text by which users recognize a row."""

    def prompted(self, values: Iterable[Any]) -> Iterable[str]:  # noqa: ARG002  # a reranker has no prompts
        """Return, for each row, a text that gets a prompt."""
        return ()

    @abstractmethod
    def read(self, answer: Any, rows: int, items: Callable[[], list[Any]]) -> Any:
        """Return the result of a request.

        Args:
            answer: The response, as decoded JSON.
            rows: Number of rows in the request.
            items: Function that returns these rows, called if they are needed.

        Raises:
            ShapeError: The response does not match the contract.
            ServerError: The response is incomplete.
        """

    @abstractmethod
    def values(self, result: Any, first: int) -> list[V]:
        """Return the result of each row of a request, whose first row has the number `first`."""

    @abstractmethod
    def billed(self, answer: Any) -> int:
        """Return the billed tokens of a response, even if it is incomplete.

        Raises:
            ShapeError: The response does not match the contract.
        """

    @property
    def path(self) -> BatchEndpoint:
        """The path of the endpoint, as batches take it."""
        return next(v for v in BATCH_ENDPOINT_VALUES if v.rpartition("/")[2] == self.endpoint)

    def check_model(self) -> None:
        """Check that batches of this kind accept the model.

        Raises:
            ArgumentError: The model is for another endpoint, or not available in batches.
        """
        name, entry = self.params.model, self.entry
        if entry is None:
            return
        if entry.endpoint != self.endpoint or self.endpoint not in BATCH.endpoints:
            raise ArgumentError(f"{name} is not a model for {self.method}", "model")
        if entry.batch is False:
            raise ArgumentError(
                f"batches do not accept {name}; use a newer model, or a live call", "model"
            )


class Embed(Task[BatchEmbeddingsParams, list[float]]):
    """`batches.embed`: a row is a text."""

    method, argument, noun = "embed", "texts", "texts"
    endpoint = "embeddings"
    rows_per_line = constraint("BatchEmbeddingsBody", "input").max_items or 1
    _bounds = constraint("BatchEmbeddingsBody", "input").item or NONE

    def item(self, value: Any, row: int) -> str:
        """Check and return a text."""
        if type(value) is not str or not value:  # formatting a name for each text would be slow
            check_text(value, f"texts[{row}]", self._bounds)
        return str(value)

    def size(self, item: str, count: Count, billable: Count) -> Size:
        """Count a text by its tokens."""
        return Size(rows=1, inputs=1, tokens=count([item]), most_tokens=billable([item]))

    def body(self, items: list[str]) -> BatchEmbeddingsBody:
        """Return a request that embeds texts."""
        return BatchEmbeddingsBody(input=items)

    def items(self, body: Body) -> list[str]:
        """Return the texts of a request."""
        if not isinstance(body, BatchEmbeddingsBody):
            raise ShapeError(OTHER_BODY)
        return [body.input] if isinstance(body.input, str) else body.input

    def text(self, item: str) -> str:
        """Return the text itself."""
        return item

    def prompted(self, values: Iterable[str]) -> Iterable[str]:
        """Return the texts: each gets a prompt."""
        return values

    def read(self, answer: Any, rows: int, items: Callable[[], list[str]]) -> EmbeddingsObject:  # noqa: ARG002  # vectors need no texts
        """Return the embeddings of the texts of a request."""
        params, entry = self.params, self.entry
        usual = entry.dimensions.default if entry is not None and entry.dimensions else None
        return EmbeddingsObject(
            EmbeddingsResponse.from_dict(answer),
            dtype=params.output_dtype or None,
            dimension=params.output_dimension or usual,
            expected=rows,
        )

    def billed(self, answer: Any) -> int:
        """Return the tokens of all texts."""
        return EmbeddingsResponse.from_dict(answer).usage.total_tokens

    def values(self, result: EmbeddingsObject, first: int) -> list[list[float]]:  # noqa: ARG002  # a vector has no number
        """Return a list of numbers for each text."""
        return result.embeddings


class Contextualize(Task[BatchContextualizedEmbeddingsParams, ContextualizedEmbeddingsResult]):
    """`batches.contextualized_embed`: a row is a document, a list of its chunks."""

    method, argument, noun = "contextualized_embed", "inputs", "documents"
    endpoint = "contextualizedembeddings"
    rows_per_line = constraint("BatchContextualizedEmbeddingsBody", "inputs").max_items or 1
    _bounds = constraint("BatchContextualizedEmbeddingsBody", "inputs").item or NONE

    def __init__(
        self, params: BatchContextualizedEmbeddingsParams, chunk_fn: ChunkFunction | None = None
    ) -> None:
        super().__init__(params)
        self._chunk_fn = chunk_fn
        self._automatic = params.enable_auto_chunking is True

    def item(self, value: Any, row: int) -> list[str]:
        """Check a document, and return it as a list of its chunks."""
        name = f"inputs[{row}]"
        if isinstance(value, str):
            if not (self._automatic or self._chunk_fn or self.params.input_type == "query"):
                raise ArgumentError(
                    f"{name} is a text; wrap its chunks in a list, or pass chunk_fn, "
                    "enable_auto_chunking=True or input_type='query'",
                    name,
                )
            value = [value]
        chunks = check_texts(value, name, self._bounds)
        if self._chunk_fn is not None:
            chunks = check_texts(apply_chunking([chunks], self._chunk_fn)[0], name, self._bounds)
        if self._automatic and len(chunks) != 1:
            raise ArgumentError(
                f"{name} has {len(chunks)} chunks; auto-chunking expects one string per document",
                name,
            )
        return chunks

    def size(self, item: list[str], count: Count, billable: Count) -> Size:
        """Count a document by its tokens and its chunks."""
        tokens, most_tokens = count(item), self.max_billable(item, billable)
        return Size(1, inputs=1, tokens=tokens, most_tokens=most_tokens, chunks=len(item))

    def max_billable(self, item: list[str], count: Count) -> int:
        """Return the most billable tokens, counting the overlap of automatic chunks in each."""
        tokens = count(item)
        if not self._automatic:
            return tokens
        shared = self.params.chunk_overlap or 0
        step = (self.params.chunk_size or CHUNK) - shared
        chunks = 2 * (tokens // step + 1)  # chunks are at least half full on average
        return tokens + chunks * (shared + count([""]))

    def body(self, items: list[list[str]]) -> BatchContextualizedEmbeddingsBody:
        """Return a request that embeds documents."""
        return BatchContextualizedEmbeddingsBody(inputs=items)

    def items(self, body: Body) -> list[list[str]]:
        """Return the documents of a request, each as a list of its chunks."""
        if not isinstance(body, BatchContextualizedEmbeddingsBody):
            raise ShapeError(OTHER_BODY)
        return [[document] if isinstance(document, str) else document for document in body.inputs]

    def text(self, item: list[str]) -> str:
        """Return the first chunk."""
        return item[0]

    def prompted(self, values: Iterable[Any]) -> Iterable[str]:
        """Return the first chunk of each document."""
        return (value if isinstance(value, str) else value[0] for value in values)

    def read(
        self, answer: Any, rows: int, items: Callable[[], list[list[str]]]
    ) -> ContextualizedEmbeddingsObject:
        """Return the embeddings of the chunks of a request."""
        params, documents = self.params, None if self._automatic else items()
        return ContextualizedEmbeddingsObject(
            ContextualizedEmbeddingsResponse.from_dict(answer),
            documents,
            dtype=params.output_dtype or None,
            dimension=params.output_dimension or None,
            expected=rows if documents is None else [len(chunks) for chunks in documents],
        )

    def billed(self, answer: Any) -> int:
        """Return the tokens of all chunks."""
        return ContextualizedEmbeddingsResponse.from_dict(answer).usage.total_tokens

    def values(
        self, result: ContextualizedEmbeddingsObject, first: int
    ) -> list[ContextualizedEmbeddingsResult]:
        """Return a result for each document, numbered by its row."""
        for row, document in enumerate(result.results, first):
            document.index = row
        return result.results


class Rerank(Task[BatchRerankParams, RerankingObject]):
    """`batches.rerank`: a row is a query and its documents."""

    method, argument, noun = "rerank", "pairs", "queries"
    endpoint = "rerank"
    rows_per_line = 1
    _query = constraint("BatchRerankBody", "query")
    _documents = constraint("BatchRerankBody", "documents")

    def item(self, value: Any, row: int) -> tuple[str, list[str]]:
        """Check and return a query and its documents."""
        name = f"pairs[{row}]"
        if not _is_pair(value):
            raise ArgumentError(f"{name} must be a query and a list of its documents", name)
        query, documents = value
        return (
            check_text(query, f"{name}[0]", self._query),
            check_texts(documents, f"{name}[1]", self._documents),
        )

    def size(self, item: tuple[str, list[str]], count: Count, billable: Count) -> Size:
        """Count the query once per document, as it is billed."""
        query, documents = item
        inputs = len(documents)
        tokens, most_tokens = (by([query]) * inputs + by(documents) for by in (count, billable))
        return Size(rows=1, inputs=inputs, tokens=tokens, most_tokens=most_tokens)

    def body(self, items: list[tuple[str, list[str]]]) -> BatchRerankBody:
        """Return a request that ranks the documents of one query."""
        ((query, documents),) = items  # a request takes one query
        return BatchRerankBody(query=query, documents=documents)

    def items(self, body: Body) -> list[tuple[str, list[str]]]:
        """Return the query of a request with its documents."""
        if not isinstance(body, BatchRerankBody):
            raise ShapeError(OTHER_BODY)
        return [(body.query, body.documents)]

    def text(self, item: tuple[str, list[str]]) -> str:
        """Return the query."""
        return item[0]

    def read(
        self,
        answer: Any,
        rows: int,  # noqa: ARG002  # a request has one
        items: Callable[[], list[tuple[str, list[str]]]],
    ) -> RerankingObject:
        """Return the ranking of the documents."""
        ((_, documents),) = items()
        params = self.params
        best = None if isinstance(params.top_k, Unset) else params.top_k
        expected = len(documents) if best is None else min(best, len(documents))
        return RerankingObject(documents, RerankResponse.from_dict(answer), expected=expected)

    def billed(self, answer: Any) -> int:
        """Return the tokens of the query and the documents."""
        return RerankResponse.from_dict(answer).usage.total_tokens

    def values(self, result: RerankingObject, first: int) -> list[RerankingObject]:  # noqa: ARG002  # a ranking has no number
        """Return the ranking."""
        return [result]


TASKS: dict[str, Callable[[Any], Task[Any, Any]]] = {
    Embed.method: lambda params: Embed(BatchEmbeddingsParams.from_dict(params)),
    Contextualize.method: lambda params: Contextualize(
        BatchContextualizedEmbeddingsParams.from_dict(params)
    ),
    Rerank.method: lambda params: Rerank(BatchRerankParams.from_dict(params)),
}
"""Functions that make a task from the parameters in a manifest, by method."""


def _is_pair(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2  # pyright: ignore[reportUnknownArgumentType]  # items are checked later
