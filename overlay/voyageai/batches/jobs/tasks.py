"""The kinds of jobs: of texts, of documents in chunks, and of queries with their documents."""

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

from ...error import ArgumentError
from ...inputs.contextualized import ChunkFunction, apply_chunking
from ...limits import check_text, check_texts, constraint, known
from ...results import ContextualizedEmbeddingsObject, EmbeddingsObject, RerankingObject
from ...results.contextualized import ContextualizedEmbeddingsResult
from .lines import Size

if TYPE_CHECKING:
    from voyageai_rest.models.input_type import InputType

__all__ = ["TASKS", "Contextualize", "Count", "Embed", "Rerank", "Task", "no_tokens"]

NONE = Constraint()
OTHER_BODY = "it is the body of another method"
CHUNK = 128
"""Tokens of a chunk whose size is left to the server. Chosen: well below its default."""
V = TypeVar("V")
P = TypeVar("P", BatchEmbeddingsParams, BatchContextualizedEmbeddingsParams, BatchRerankParams)
Count = Callable[[Sequence[str]], int]
"""A function that counts the tokens of texts."""
Body = BatchEmbeddingsBody | BatchContextualizedEmbeddingsBody | BatchRerankBody


def no_tokens(_: Sequence[str]) -> int:
    """Count nothing, where sizes are needed without tokens."""
    return 0


class Task(ABC, Generic[P, V]):
    """A method with the arguments that all rows of a job share: writes rows, and reads answers.

    Attributes:
        method: Name of the method.
        argument: Name of its argument that takes the rows.
        noun: Its rows in a word, such as `texts`.
        endpoint: The endpoint, as the catalogue names it.
        rows_per_line: The most rows that a request can hold.
        params: The arguments, as batches take them.
        entry: The model in the catalogue; None if it is not known.
        role: The input type; None if there is none.
        longest: How many tokens of a text are read; None if all are, or it is not known.
    """

    method: ClassVar[str]
    argument: ClassVar[str]
    noun: ClassVar[str]
    endpoint: ClassVar[str]
    rows_per_line: ClassVar[int]
    params: P

    def __init__(self, params: P) -> None:
        self.params = params
        self.entry = known(params.model)
        role: InputType | Unset | None = getattr(params, "input_type", None)
        self.role = None if isinstance(role, Unset) else role
        is_cut = getattr(params, "truncation", False) is not False
        self.longest = self.entry.context_length if self.entry is not None and is_cut else None

    @abstractmethod
    def item(self, value: Any, row: int) -> Any:
        """Return a row in the form that is written to files.

        Raises:
            ArgumentError: The value is not a row of this method; names it.
        """

    @abstractmethod
    def size(self, item: Any, count: Count, most: Count) -> Size:
        """Return the size of a row, but for its bytes.

        Args:
            item: The row.
            count: Counts the tokens of texts.
            most: Counts the tokens that texts can be billed for at most.
        """

    def most(self, item: Any, count: Count) -> int:
        """Return the tokens that a row can be billed for at most, by a count of its texts."""
        return self.size(item, no_tokens, count).most_tokens

    @abstractmethod
    def body(self, items: list[Any]) -> Body:
        """Return the body of a request for rows."""

    @abstractmethod
    def items(self, body: Body) -> list[Any]:
        """Return the rows of a request, by its body.

        Raises:
            ShapeError: It is the body of another method.
        """

    @abstractmethod
    def text(self, item: Any) -> str:
        """Return a text of a row, by which users recognize it."""

    def prompted(self, values: Iterable[Any]) -> Iterable[str]:  # noqa: ARG002  # a reranker has no prompts
        """Return a text per row that a prompt is put before."""
        return ()

    @abstractmethod
    def read(self, answer: Any, rows: int, items: Callable[[], list[Any]]) -> Any:
        """Return the result of a request.

        Args:
            answer: The answer, as decoded JSON.
            rows: How many rows the request has.
            items: Returns these rows, where they are needed.

        Raises:
            ShapeError: The answer is not what the contract says.
            ServerError: The answer is incomplete.
        """

    @abstractmethod
    def values(self, result: Any, first: int) -> list[V]:
        """Return what a result holds for each row of its request, of which `first` is the first."""

    @abstractmethod
    def billed(self, answer: Any) -> int:
        """Return the tokens that an answer was billed for, even if it is incomplete.

        Raises:
            ShapeError: The answer is not what the contract says.
        """

    @property
    def path(self) -> BatchEndpoint:
        """The path of the endpoint, as batches name it."""
        return next(v for v in BATCH_ENDPOINT_VALUES if v.rpartition("/")[2] == self.endpoint)

    def check_model(self) -> None:
        """Refuse a model that batches of this kind do not accept.

        Raises:
            ArgumentError: The model is of another kind, or too old.
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
        """Return a text, checked."""
        if type(value) is not str or not value:  # most are fine, and a name for each takes time
            check_text(value, f"texts[{row}]", self._bounds)
        return str(value)

    def size(self, item: str, count: Count, most: Count) -> Size:
        """Count a text by its tokens."""
        return Size(rows=1, inputs=1, tokens=count([item]), most_tokens=most([item]))

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
        """Return a document as a list of its chunks, checked."""
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

    def size(self, item: list[str], count: Count, most: Count) -> Size:
        """Count a document by its tokens and its chunks."""
        tokens, most_tokens = count(item), self.most(item, most)
        return Size(1, inputs=1, tokens=tokens, most_tokens=most_tokens, chunks=len(item))

    def most(self, item: list[str], count: Count) -> int:
        """Return the most tokens; text that automatic chunks share counts in each of them."""
        tokens = count(item)
        if not self._automatic:
            return tokens
        shared = self.params.chunk_overlap or 0
        step = (self.params.chunk_size or CHUNK) - shared
        chunks = 2 * (tokens // step + 1)  # at least half full, on average
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
        """Return a query and its documents, checked."""
        name = f"pairs[{row}]"
        if not _is_pair(value):
            raise ArgumentError(f"{name} must be a query and a list of its documents", name)
        query, documents = value
        return (
            check_text(query, f"{name}[0]", self._query),
            check_texts(documents, f"{name}[1]", self._documents),
        )

    def size(self, item: tuple[str, list[str]], count: Count, most: Count) -> Size:
        """Count the query once for each of its documents, as it is billed."""
        query, documents = item
        inputs = len(documents)
        tokens, most_tokens = (by([query]) * inputs + by(documents) for by in (count, most))
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
"""Makes a task of the arguments that a job directory holds, by method."""


def _is_pair(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2  # pyright: ignore[reportUnknownArgumentType]  # items are looked at later
