"""What calls return. The names are the official client's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from attrs import field, frozen
from voyageai_rest.errors import ShapeError

from .error import ServerError
from .vectors import Vectors, import_numpy

if TYPE_CHECKING:
    import numpy.typing as npt

T = TypeVar("T")


def placed(data: Sequence[T], expected: int | None, path: str = "data") -> list[T]:
    """Entries of an answer in the order of their inputs.

    Args:
        data: The entries, in any order.
        expected: How many there must be; None if any number is right.
        path: Where they stand in the answer.

    Raises:
        ShapeError: An entry is missing, doubled, or of no input.
    """
    if expected is not None and len(data) != expected:
        raise ShapeError(f"expected {expected} entries, found {len(data)}", path)
    indexes = [getattr(entry, "index", place) for place, entry in enumerate(data)]
    if indexes == list(range(len(data))):
        return list(data)
    ordered: list[T | None] = [None] * len(data)
    for entry, index in zip(data, indexes, strict=True):
        if not 0 <= index < len(data):
            raise ShapeError(f"index {index} is of no input; there are {len(data)}", path)
        if ordered[index] is not None:
            raise ShapeError(f"index {index} comes twice", path)
        ordered[index] = entry
    return [entry for entry in ordered if entry is not None]


class _Vectored:
    """Vectors that are a typed buffer until lists are asked for, and lists from then on."""

    _vectors: Vectors | None
    _lists: list[list[float]] | None

    def _hold(self, vectors: Vectors) -> None:
        self._vectors, self._lists = vectors, None

    @property
    def embeddings(self) -> list[list[float]]:
        """The vectors as lists of Python numbers; the same lists each time, free to be changed."""
        if self._lists is None:
            self._lists = self._vectors.tolist() if self._vectors is not None else []
            self._vectors = None
        return self._lists

    @embeddings.setter
    def embeddings(self, value: list[list[float]]) -> None:
        self._vectors, self._lists = None, value

    def numpy(self) -> npt.NDArray[Any]:
        """The vectors as a matrix, one row each, of float32, int8 or uint8.

        Nothing is copied, and the matrix may be written to, which changes this result. Once
        `embeddings` was used the lists are what counts, and the matrix is a float32 copy of them.

        Raises:
            ImportError: numpy is not installed.
        """
        if self._vectors is not None:
            return self._vectors.numpy()
        np = import_numpy()
        matrix: npt.NDArray[Any] = np.asarray(self._lists or [], dtype=np.float32)
        return matrix

    def __len__(self) -> int:
        return len(self._vectors if self._vectors is not None else self._lists or ())

    def _shape(self) -> str:
        if self._vectors is not None:
            return f"{len(self)} x {self._vectors.columns} {self._vectors.number}"
        return f"{len(self)} x {len(self._lists[0]) if self._lists else 0}"


class Result:
    """What all results share."""

    total_tokens: int
    model: str | None
    request_id: str | None
    usage: Any

    def __init__(self) -> None:
        self.total_tokens = 0
        self.model = None
        self.request_id = None
        self.usage = None

    def _account(self, response: Any) -> None:
        self.usage = response.usage
        self.total_tokens += response.usage.total_tokens
        model = getattr(response, "model", None)
        self.model = model if isinstance(model, str) else self.model

    def _origin(self) -> str:
        return f"model={self.model!r}, total_tokens={self.total_tokens}"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._content() == other._content()

    __hash__ = None  # type: ignore[assignment]  # results can be changed

    def _content(self) -> tuple[Any, ...]:
        raise NotImplementedError("each result says what it is compared by")


class EmbeddingsObject(_Vectored, Result):
    """Vectors of texts.

    Attributes:
        embeddings: One list of numbers per text, in the order of the texts.
        total_tokens: Tokens of all texts.
        model: The model that answered.
        usage: What the request is billed for, as the API says it.
        request_id: What the server calls the request.

    Example:
        >>> result = vo.embed(["a", "b"], model="voyage-4")
        >>> len(result), len(result.embeddings[0])
        (2, 1024)
    """

    def __init__(
        self,
        response: Any = None,
        *,
        dtype: str | None = None,
        dimension: int | None = None,
        expected: int | None = None,
    ) -> None:
        super().__init__()
        self._hold(Vectors(bytearray(), "float32", 0))
        if response:
            self.update(response, dtype=dtype, dimension=dimension, expected=expected)

    def update(
        self,
        response: Any,
        *,
        dtype: str | None = None,
        dimension: int | None = None,
        expected: int | None = None,
    ) -> None:
        """Append the vectors of another response and add its tokens."""
        entries = placed(response.data, expected)
        try:
            vectors = Vectors.decode([entry.embedding for entry in entries], dtype, dimension)
        except ShapeError as error:
            raise error.within("data") from None
        self._account(response)
        if len(self):
            self.embeddings += vectors.tolist()
        else:
            self._hold(vectors)

    def __iter__(self) -> Iterator[list[float]]:
        return iter(self.embeddings)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shape()}, {self._origin()})"

    def _content(self) -> tuple[Any, ...]:
        return self.embeddings, self.total_tokens


class MultimodalEmbeddingsObject(EmbeddingsObject):
    """Vectors of multimodal inputs.

    Attributes:
        embeddings: One list of numbers per input, in the order of the inputs.
        text_tokens: Tokens of the texts.
        image_pixels: Pixels of the images.
        video_pixels: Pixels of the videos; 0 if the API does not say.
        total_tokens: Tokens of texts, images and videos.
        model, usage, request_id: As in `EmbeddingsObject`.
    """

    def __init__(
        self,
        response: Any = None,
        *,
        dtype: str | None = None,
        dimension: int | None = None,
        expected: int | None = None,
    ) -> None:
        self.text_tokens: int = 0
        self.image_pixels: int = 0
        self.video_pixels: int = 0
        super().__init__(response, dtype=dtype, dimension=dimension, expected=expected)

    def _account(self, response: Any) -> None:
        super()._account(response)
        self.text_tokens += getattr(response.usage, "text_tokens", 0) or 0
        self.image_pixels += getattr(response.usage, "image_pixels", 0) or 0
        self.video_pixels += getattr(response.usage, "video_pixels", 0) or 0


class ContextualizedEmbeddingsResult(_Vectored):
    """Vectors of one document's chunks.

    Attributes:
        index: Position of the document.
        embeddings: One list of numbers per chunk, in order.
        chunk_texts: The chunks' texts, where the client or the server split the document.
    """

    def __init__(
        self,
        index: int,
        embeddings: list[list[float]] | Vectors,
        chunk_texts: list[str] | None = None,
    ) -> None:
        self.index = index
        self.chunk_texts = chunk_texts
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

    def __repr__(self) -> str:
        return f"{type(self).__name__}(index={self.index}, {self._shape()})"


class ContextualizedEmbeddingsObject(Result):
    """Vectors of chunks, by document.

    Attributes:
        results: One `ContextualizedEmbeddingsResult` per document, in the order of the documents.
        chunk_texts: The chunks' texts by document, where they are known.
        chunker_version: Version of the server's chunker, with auto-chunking.
        total_tokens, model, usage, request_id: As in `EmbeddingsObject`.
    """

    def __init__(
        self,
        response: Any = None,
        chunk_texts: list[list[str]] | None = None,
        *,
        dtype: str | None = None,
        dimension: int | None = None,
        expected: list[int] | int | None = None,
    ) -> None:
        super().__init__()
        self.results: list[ContextualizedEmbeddingsResult] = []
        self.chunk_texts = chunk_texts
        self.chunker_version: str | None = None
        if response:
            self.update(response, dtype=dtype, dimension=dimension, expected=expected)

    def update(
        self,
        response: Any,
        *,
        dtype: str | None = None,
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
        version = getattr(response, "chunker_version", None)
        self.chunker_version = version if isinstance(version, str) else None
        if texts := _server_texts(chunks):
            self.chunk_texts = [*(self.chunk_texts or []), *texts]
        start = 0
        for part in chunks:
            place = len(self.results)
            own = self.chunk_texts[place] if self.chunk_texts is not None else None
            rows = vectors.rows(start, start + len(part))
            self.results.append(ContextualizedEmbeddingsResult(place, rows, own))
            start += len(part)

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[ContextualizedEmbeddingsResult]:
        return iter(self.results)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} documents, {self._origin()})"

    def _content(self) -> tuple[Any, ...]:
        return self.results, self.total_tokens, self.chunker_version


def _server_texts(documents: list[list[Any]]) -> list[list[str]]:
    """The texts of chunks that the server made; an empty list where it made none."""
    found: list[list[str]] = []
    for place, chunks in enumerate(documents):
        texts = [text for chunk in chunks if isinstance(text := getattr(chunk, "text", None), str)]
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


@frozen(kw_only=True)
class RawResponse(Generic[T]):
    """An answer as it came.

    Attributes:
        status_code: HTTP status.
        headers: Headers of the response, names in lower case.
        content: The body.
        request_id: What the server calls the request.
        parse: Gives the result that the method would have given; raises `VoyageError` if it makes
            no sense.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    request_id: str | None
    parse: Callable[[], T] = field(repr=False)


class RerankingResult(NamedTuple):
    """The relevance of one document.

    Attributes:
        index: Position of the document among those sent.
        document: Its text.
        relevance_score: Its relevance to the query; higher is better.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, as in the official client
    document: str
    relevance_score: float


class RerankingObject(Result):
    """Documents by relevance.

    Attributes:
        results: One `RerankingResult` per document, best first.
        total_tokens, model, usage, request_id: As in `EmbeddingsObject`.
    """

    def __init__(
        self, documents: Sequence[str], response: Any, *, expected: int | None = None
    ) -> None:
        super().__init__()
        if expected is not None and len(response.data) != expected:
            raise ShapeError(f"expected {expected} entries, found {len(response.data)}", "data")
        seen: set[int] = set()
        self.results: list[RerankingResult] = []
        for place, entry in enumerate(response.data):
            index, score = int(entry.index), entry.relevance_score
            if not 0 <= index < len(documents):
                raise ShapeError(
                    f"index {index} is of no document; there are {len(documents)}", "data"
                )
            if index in seen:
                raise ShapeError(f"index {index} comes twice", "data")
            if not isfinite(score):
                raise ShapeError(f"the relevance_score is {score}", f"data[{place}]")
            seen.add(index)
            self.results.append(RerankingResult(index, documents[index], score))
        self._account(response)

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[RerankingResult]:
        return iter(self.results)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} documents, {self._origin()})"

    def _content(self) -> tuple[Any, ...]:
        return self.results, self.total_tokens
