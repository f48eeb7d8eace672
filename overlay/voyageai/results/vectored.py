"""The base class of results with vectors: as lists, matrices, bytes, Arrow or BSON."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Any, cast

from voyageai_rest.dtypes import DTYPES
from voyageai_rest.errors import ShapeError

from ..argument_checks import catalogue_entry
from ..error import ArgumentError
from ..extras import require
from ..html import SHOWN, heat_map
from ..vectors import DEFAULT, Vectors
from .lists import Row, Rows, rows_of

if TYPE_CHECKING:
    from weakref import ref

    import numpy.typing as npt
    from voyageai_rest.models import OutputDtype

__all__ = ["EmbeddingSpaceWarning", "Vectored"]

COLUMN = "embedding"
"""Name of the vector column of Arrow tables, as in `voyageai.tables`."""
READS = 2
"""Number of times that the lists are made before they are kept, as each takes as long."""


class EmbeddingSpaceWarning(UserWarning):
    """Vectors of different embedding spaces are compared: their similarity means nothing."""


class Vectored:
    """Vectors in a typed buffer, with lists made on demand.

    The lists are kept only once they were changed or read several times. From the first change on
    the lists are authoritative, and the buffer is dropped.

    Attributes:
        model: The model that made the vectors; None if unknown.
        output_dtype: The dtype of the request.
    """

    model: str | None = None
    output_dtype: OutputDtype = DEFAULT
    _vectors: Vectors | None = None
    _lists: list[list[float]] | None = None
    _lent: ref[Rows] | None = None
    _reads: int = 0

    def _hold(self, vectors: Vectors) -> None:
        self._vectors, self._lists, self._lent = vectors, None, None

    def _append(self, vectors: Vectors) -> None:
        held = self._vectors
        if not len(self):
            self._hold(vectors)
        elif held and self._lent_rows() is None and (joined := held.joined(vectors)):
            self._hold(joined)
        else:
            self.embeddings += vectors.tolist()

    @property
    def embeddings(self) -> list[list[float]]:
        """The vectors as lists of Python numbers; changes of the lists change the result.

        They are made on demand, and made anew once they are no longer referenced, unless they were
        changed.
        """
        vectors = self._vectors  # read before the lists, which another thread may be setting
        lists = self._lists
        if lists is not None:
            return lists
        if vectors is None:
            none: list[list[float]] = []
            self._lists = none
            return none
        lent = self._lent_rows()
        if lent is None:
            lent = rows_of(vectors, weakref.ref(self))
            self._lent = weakref.ref(lent)
            self._reads += 1
            if self._reads > READS:  # `result.embeddings[n]` in a loop, say
                self._lists = lent
        return lent

    @embeddings.setter
    def embeddings(self, value: list[list[float]]) -> None:
        self._vectors, self._lists, self._lent = None, value, None

    def _rows_changed(self, rows: Rows) -> None:
        """Make changed lists authoritative, unless other lists have replaced them."""
        if rows is self._lists or rows is self._lent_rows():
            self._lists, self._vectors = rows, None
            self._lent = None  # rows handed out earlier are no longer part of the result

    def _row_changed(self, row: Row) -> None:
        """Put a changed row into the lists, and make them authoritative."""
        if self._vectors is not None:
            rows = cast("Rows", self.embeddings)
            self._lists, self._vectors, self._lent = rows, None, weakref.ref(rows)
        lent = self._lent_rows()
        if lent is not None and lent is self._lists:
            lent.put(row)

    def _lent_rows(self) -> Rows | None:
        return None if self._lent is None else self._lent()

    @property
    def space(self) -> str | None:
        """The embedding space: vectors of one space are comparable, whatever their model.

        None if unknown. Source: `spec/catalogue.yaml`.
        """
        entry = None if self.model is None else catalogue_entry(self.model)
        return None if entry is None else entry.embedding_space

    def to_numpy(self) -> npt.NDArray[Any]:
        """Return the vectors as a matrix of shape (vectors, columns), of float32, int8 or uint8.

        The matrix shares memory with the result, so that writing to it changes the result. Once
        lists of `embeddings` have been changed, the matrix is a copy of them.

        Raises:
            ImportError: numpy is not installed.
        """
        return self._buffered().to_numpy()

    def to_bytes(self) -> list[bytes]:
        """Return each vector as little-endian bytes, as vector databases store them.

        4 bytes per dimension as `float`, 1 as `int8` and `uint8`, 1/8 as `binary` and `ubinary`.

        Example:
            >>> result = vo.embed(["a"], model="voyage-4", output_dtype="ubinary")
            >>> [len(row) for row in result.to_bytes()]
            [128]
        """
        return self._buffered().to_bytes()

    def to_arrow(self) -> Any:  # pyarrow has no types
        """Return the vectors as a `pyarrow.FixedSizeListArray`, sharing memory.

        Raises:
            ImportError: pyarrow is not installed.
        """
        pa = require("pyarrow", "arrow")
        vectors = self._buffered().narrowed()
        if not len(vectors):
            return pa.array([], pa.list_(getattr(pa, vectors.number)(), vectors.columns))
        buffers = [None, pa.py_buffer(vectors.buffer)]
        count = len(vectors) * vectors.columns
        numbers = pa.Array.from_buffers(getattr(pa, vectors.number)(), count, buffers)
        return pa.FixedSizeListArray.from_arrays(numbers, vectors.columns)

    def to_bson(self) -> list[Any]:  # of bson, whose types an extra brings
        """Return each vector as MongoDB stores it: a `bson.Binary` of the vector subtype.

        Returns:
            Binaries equal to those of pymongo's `Binary.from_vector`: FLOAT32 for `float`, INT8 for
            `int8` and PACKED_BIT for `ubinary`. Floats assigned to `embeddings` are FLOAT32.

        Raises:
            ArgumentError: The dtype is `uint8` or `binary`, which MongoDB has no vectors of.
            ImportError: pymongo is not installed.

        Example:
            >>> result = vo.embed_documents(["It rains."], model="voyage-4", output_dtype="int8")
            >>> document = {"text": "It rains.", "embedding": result.to_bson()[0]}  # to be inserted
            >>> document["embedding"].subtype, len(document["embedding"])
            (9, 1026)
        """
        from ..mongodb import binary

        vectors = self._buffered().narrowed()
        kept = vectors.number == DTYPES[self.output_dtype].number
        return binary(vectors.to_bytes(), self.output_dtype if kept else DEFAULT)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Return the matrix of `to_numpy`, for `numpy.asarray` and other array libraries.

        Args:
            dtype: Type of the numbers; None for that of the vectors.
            copy: True to copy always, False never, None where needed.

        Raises:
            ValueError: `copy` is False, and a copy is needed.
        """
        np = require("numpy", "numpy")
        matrix = self.to_numpy()
        shared = self._vectors is not None and self._vectors.number == matrix.dtype
        same = dtype is None or np.dtype(dtype) == matrix.dtype
        if copy is False and not (shared and same):
            raise ValueError(
                f"a matrix of {dtype or matrix.dtype} needs a copy, as these vectors are "
                f"{matrix.dtype if shared else 'lists'}; leave copy=False out"
            )
        made: npt.NDArray[Any] = np.array(matrix, dtype) if copy else np.asarray(matrix, dtype)
        return made

    def __dlpack__(self, **options: Any) -> Any:
        """Return the matrix as a DLPack capsule, sharing memory, for `torch.from_dlpack`."""
        return self.to_numpy().__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.to_numpy().__dlpack_device__()

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Return an Arrow array, sharing memory: for `pyarrow.array` and `polars.Series`."""
        found: tuple[object, object] = self.to_arrow().__arrow_c_array__(requested_schema)
        return found

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return an Arrow table, sharing memory: for `pyarrow.table`, DuckDB and pandas.

        Its one column is named `embedding`.
        """
        pa = require("pyarrow", "arrow")
        table = pa.table({COLUMN: self.to_arrow()})
        return table.__arrow_c_stream__(requested_schema)

    def similarity(self, documents: Vectored) -> npt.NDArray[Any]:
        """Compute the similarity of these vectors and others.

        Args:
            documents: The other vectors, of the same dtype and dimension.

        Returns:
            A matrix of shape (len(self), len(documents)); larger is more similar. For `float`
            vectors, which have unit length, it is the cosine; for `int8` and `uint8` the integer
            dot product; for packed bits the number of equal bits less the number of different ones.

        Raises:
            ArgumentError: `documents` has another dtype or dimension.
            ImportError: numpy is not installed.

        Warns:
            EmbeddingSpaceWarning: `documents` is known to be of another embedding space.

        Example:
            >>> query = vo.embed_query("Where is the cat?", model="voyage-4-lite")
            >>> documents = vo.embed_documents(["The cat sleeps.", "It rains."], model="voyage-4")
            >>> int(query.similarity(documents).argmax())
            0
        """
        from ..quantization import similarity

        if self.output_dtype != documents.output_dtype:
            raise ArgumentError(
                f"documents are {documents.output_dtype}, but these vectors are "
                f"{self.output_dtype}; embed both with the same output_dtype",
                "documents",
            )
        if self.space and documents.space and self.space != documents.space:
            warnings.warn(
                f"vectors of {self.model} and of {documents.model} are of different embedding "
                f"spaces ({self.space} and {documents.space}); their similarity means nothing. "
                "Embed both with one model, or with models of one space.",
                EmbeddingSpaceWarning,
                stacklevel=2,
            )
        return similarity(self.to_numpy(), documents.to_numpy(), self.output_dtype)

    @property
    def _dimension(self) -> int | None:
        """The dimension of the vectors of a response; None without vectors."""
        vectors = self._vectors
        if vectors is None or not len(vectors):
            return None
        return vectors.columns * DTYPES[self.output_dtype].dimensions_per_number

    def __len__(self) -> int:
        vectors = self._vectors
        if vectors is not None:
            return len(vectors)
        return 0 if self._lists is None else len(self._lists)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the lists that can be made again."""
        state = {**vars(self)}
        for name in ("_lent", "_reads", *(["_lists"] if self._vectors is not None else [])):
            state.pop(name, None)
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Restore a pickle of this or of the official client."""
        for name, value in state.items():
            setattr(self, name, value)

    def _buffered(self) -> Vectors:
        vectors = self._vectors
        if vectors is not None:
            return vectors
        # The user may have assigned other lists, or an array.
        lists = [] if self._lists is None else [*self._lists]
        try:
            found = Vectors.decode(lists, self.output_dtype)
        except ShapeError:
            found = Vectors.decode(lists, DEFAULT)
        return found.narrowed()

    def _heat_map(self) -> str:
        """Return a heat map of the similarities of 2 to `SHOWN` vectors; otherwise nothing."""
        if not 2 <= len(self) <= SHOWN:
            return ""
        try:
            matrix = self.similarity(self)
        except (ArgumentError, ImportError, ShapeError):  # no numpy, or the user's own values
            return ""
        return heat_map(matrix.tolist(), "similarity to each other")

    def _shape(self) -> str:
        vectors = self._vectors
        if vectors is not None:
            return f"{len(vectors)} x {vectors.columns} {vectors.number}"
        first: Any = self._lists[0] if self._lists is not None and len(self) else ()
        return f"{len(self)} x {len(first) if isinstance(first, Sized) else '?'}"
