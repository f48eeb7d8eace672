"""Vectors of chunks, by document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from voyageai_rest.errors import ShapeError

from .._utils import safe_repr
from ..error import ServerError
from ..html import SHOWN, card, shortened, table
from ..vectors import DEFAULT, Vectors
from .result import Result, counted, placed, told
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
        index: Position of the document.
        embeddings: One list of numbers per chunk, in order.
        chunk_texts: The chunks' texts, where the client or the server split the document.
        model: The model that answered.
        output_dtype: The dtype that was asked for.
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
        chunk_texts: The chunks' texts by document, where they are known.
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
            dtype: The type that was asked for.
            dimension: The dimension that was asked for, if one was.
            expected: How many documents it must have, or how many chunks each of them.
        """
        counts = expected if isinstance(expected, list) else None
        documents = placed(response.data, len(counts) if counts else expected)  # type: ignore[arg-type]  # a list is counted
        chunks = [
            placed(document.data, counts[place] if counts else None, f"data[{place}].data")
            for place, document in enumerate(documents)
        ]
        try:
            vectors = Vectors.decode(
                [c.embedding for part in chunks for c in part], dtype, dimension
            )
        except ShapeError as error:
            raise error.within("data, all chunks in order") from None
        self._account(response)
        version = told(lambda: response.chunker_version)
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
        """The dimension of the vectors that an answer brought; None if there are none."""
        found = (document._dimension for document in self.results)  # pyright: ignore[reportPrivateUsage]  # of this package
        return next((each for each in found if each is not None), None)

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[ContextualizedEmbeddingsResult]:
        return iter(self.results)

    def __array__(self, dtype: object = None, copy: bool | None = None) -> NoReturn:
        """Refuse: documents have different numbers of chunks, and no common matrix."""
        raise TypeError(
            "each document has a matrix of its own: use numpy.asarray(result.results[0]), or "
            "numpy.concatenate(list(result)) for one with the chunks of all documents"
        )

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({counted(len(self), 'document')}, {self._origin()})"

    def _repr_html_(self) -> str:
        rows = [(one.index, one._shape(), self._first(one)) for one in self.results[:SHOWN]]  # pyright: ignore[reportPrivateUsage]  # of this room
        body = table(["document", "vectors", "begins"], rows, len(self))
        return self._card({"documents": f"{len(self):,}"}, body)

    @staticmethod
    def _first(document: ContextualizedEmbeddingsResult) -> str:
        return shortened(document.chunk_texts[0]) if document.chunk_texts else ""

    def _content(self) -> tuple[Any, ...]:
        return self.results, self.total_tokens, self.chunker_version


def _server_texts(documents: list[list[ChunkEmbedding]]) -> list[list[str]]:
    """Return the texts of chunks that the server made, by document; empty if it made none."""
    found: list[list[str]] = []
    for place, chunks in enumerate(documents):
        texts = [text for text in map(_text, chunks) if text is not None]
        if texts and len(texts) != len(chunks):
            raise ServerError(
                f"inputs[{place}] returned a partial set of chunk texts; "
                f"{len(texts)} of {len(chunks)} chunks have one"
            )
        if texts:
            found.append(texts)
    if found and len(found) != len(documents):
        raise ServerError(
            "response returned chunk texts for some documents but not others; "
            f"{len(found)} of {len(documents)} have them"
        )
    return found


def _text(chunk: ChunkEmbedding) -> str | None:
    text = told(lambda: chunk.text)
    return text if isinstance(text, str) else None
