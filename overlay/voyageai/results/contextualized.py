"""Vectors of chunks, by document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from voyageai_rest.errors import ShapeError

from .._utils import safe_repr
from ..error import ServerError
from ..html import SHOWN, card, shortened, table
from ..vectors import DEFAULT, Vectors
from .result import Result, count_of, in_input_order, optional_field
from .vectored import Vectored

if TYPE_CHECKING:
    from voyageai_rest.models import (
        ChunkEmbedding,
        ContextualizedEmbeddingsResponse,
        OutputDtype,
    )


class ContextualizedEmbeddingsResult(Vectored):
    """Vectors of one document's chunks.

    Attributes:
        index: Position of the document among the inputs.
        embeddings: One list of numbers per chunk, in order.
        chunk_texts: Texts of the chunks, if the client or the server split the document.
        model: Name of the model that produced the response.
        output_dtype: The dtype of the request.
    """

    def __init__(
        self,
        index: int,
        embeddings: list[list[float]] | Vectors,
        chunk_texts: list[str] | None = None,
        *,
        model: str | None = None,
        dtype: OutputDtype | None = None,
    ) -> None:
        self.index = index
        self.chunk_texts = chunk_texts
        self.model = model
        self.output_dtype = dtype or DEFAULT
        if isinstance(embeddings, Vectors):
            self._hold(embeddings)
        else:
            self.embeddings = embeddings

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ContextualizedEmbeddingsResult):
            return NotImplemented
        mine = (self.index, self.embeddings, self.chunk_texts)
        return mine == (other.index, other.embeddings, other.chunk_texts)

    __hash__ = None  # type: ignore[assignment]  # results can be changed

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}(index={self.index}, {self._shape()})"

    def _repr_html_(self) -> str:
        facts = {"document": self.index, "vectors": self._shape(), "model": self.model}
        return card(type(self).__name__, facts, self._heat_map())


class ContextualizedEmbeddingsObject(Result):
    """Vectors of chunks, by document.

    Attributes:
        results: One `ContextualizedEmbeddingsResult` per document, in the order of the documents.
        chunk_texts: Texts of the chunks by document, where they are known.
        chunker_version: Version of the server's chunker, with auto-chunking.
        total_tokens, model, usage, request_id: As in `EmbeddingsObject`.
    """

    _split_here: bool = False

    def __init__(
        self,
        response: ContextualizedEmbeddingsResponse | None = None,
        chunk_texts: list[list[str]] | None = None,
        *,
        dtype: OutputDtype | None = None,
        dimension: int | None = None,
        expected: list[int] | int | None = None,
    ) -> None:
        self.results: list[ContextualizedEmbeddingsResult] = []
        self.chunk_texts = chunk_texts
        self._split_here = chunk_texts is not None
        self.chunker_version: str | None = None
        if response:
            self.update(response, dtype=dtype, dimension=dimension, expected=expected)

    def update(
        self,
        response: ContextualizedEmbeddingsResponse,
        *,
        dtype: OutputDtype | None = None,
        dimension: int | None = None,
        expected: list[int] | int | None = None,
    ) -> None:
        """Append the documents of another response and add its tokens.

        Args:
            response: The response.
            dtype: The `output_dtype` of the request.
            dimension: The `output_dimension` of the request, if it has one.
            expected: Number of documents in the response, or numbers of chunks of each.

        Raises:
            ShapeError: The response has other documents, chunks or vectors.
        """
        counts = expected if isinstance(expected, list) else None
        documents = in_input_order(response.data, len(counts) if counts else expected)  # type: ignore[arg-type]  # None or a number
        chunks = [
            in_input_order(document.data, counts[place] if counts else None, f"data[{place}].data")
            for place, document in enumerate(documents)
        ]
        try:
            vectors = Vectors.decode(
                [c.embedding for part in chunks for c in part], dtype, dimension
            )
        except ShapeError as error:
            raise error.within("data, all chunks in order") from None
        self._account(response)
        version = optional_field(lambda: response.chunker_version)
        self.chunker_version = version if isinstance(version, str) else None
        first = len(self.results)
        texts = (self.chunk_texts or [])[first:] if self._split_here else _server_texts(chunks)
        if texts and not self._split_here:
            self.chunk_texts = [*(self.chunk_texts or []), *texts]
        start = 0
        for number, part in enumerate(chunks):
            place = first + number
            own = texts[number] if texts else None
            rows = vectors.rows(start, start + len(part))
            self.results.append(
                ContextualizedEmbeddingsResult(place, rows, own, model=self.model, dtype=dtype)
            )
            start += len(part)

    @property
    def _dimension(self) -> int | None:
        """The dimension of the vectors of a response; None without vectors."""
        dimensions = (document._dimension for document in self.results)  # pyright: ignore[reportPrivateUsage]  # of this package
        return next((each for each in dimensions if each is not None), None)

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[ContextualizedEmbeddingsResult]:
        return iter(self.results)

    def __array__(self, dtype: object = None, copy: bool | None = None) -> NoReturn:
        """Raise: documents have different numbers of chunks, so there is no common matrix.

        Raises:
            TypeError: Always.
        """
        raise TypeError(
            "each document has a matrix of its own: use numpy.asarray(result.results[0]), or "
            "numpy.concatenate(list(result)) for one with the chunks of all documents"
        )

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({count_of(len(self), 'document')}, {self._origin()})"

    def _repr_html_(self) -> str:
        rows = [(one.index, one._shape(), self._first(one)) for one in self.results[:SHOWN]]  # pyright: ignore[reportPrivateUsage]  # of this package
        body = table(["document", "vectors", "begins"], rows, len(self))
        return self._card({"documents": f"{len(self):,}"}, body)

    @staticmethod
    def _first(document: ContextualizedEmbeddingsResult) -> str:
        return shortened(document.chunk_texts[0]) if document.chunk_texts else ""

    def _content(self) -> tuple[Any, ...]:
        return self.results, self.total_tokens, self.chunker_version


def _server_texts(documents: list[list[ChunkEmbedding]]) -> list[list[str]]:
    """Return the texts of the server's chunks, by document; empty if it sent none."""
    texts_by_document: list[list[str]] = []
    for place, chunks in enumerate(documents):
        texts = [text for text in map(_text, chunks) if text is not None]
        if texts and len(texts) != len(chunks):
            raise ServerError(
                f"inputs[{place}] returned a partial set of chunk texts; "
                f"{len(texts)} of {len(chunks)} chunks have one"
            )
        if texts:
            texts_by_document.append(texts)
    if texts_by_document and len(texts_by_document) != len(documents):
        raise ServerError(
            "response returned chunk texts for some documents but not others; "
            f"{len(texts_by_document)} of {len(documents)} have them"
        )
    return texts_by_document


def _text(chunk: ChunkEmbedding) -> str | None:
    text = optional_field(lambda: chunk.text)
    return text if isinstance(text, str) else None
