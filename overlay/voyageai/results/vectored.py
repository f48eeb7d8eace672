"""Vectors as lists, matrices or bytes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from voyageai_rest.errors import ShapeError

from ..error import ArgumentError
from ..extras import require
from ..limits import known
from ..vectors import DEFAULT, Vectors

if TYPE_CHECKING:
    import numpy.typing as npt
    from voyageai_rest.models import OutputDtype

__all__ = ["EmbeddingSpaceWarning", "Vectored"]


class EmbeddingSpaceWarning(UserWarning):
    """Vectors are compared that are of different embedding spaces: the numbers mean nothing."""


class Vectored:
    """Vectors that are a typed buffer until lists are asked for, and lists from then on.

    Attributes:
        model: The model that made them; None if it is not known.
        output_dtype: The dtype that was asked for.
    """

    model: str | None = None
    output_dtype: OutputDtype = DEFAULT
    _vectors: Vectors | None = None
    _lists: list[list[float]] | None = None

    def _hold(self, vectors: Vectors) -> None:
        self._vectors, self._lists = vectors, None

    @property
    def embeddings(self) -> list[list[float]]:
        """The vectors as lists of Python numbers; the same lists each time, free to be changed."""
        vectors = self._vectors  # before the lists: another thread may be making them
        lists = self._lists
        if lists is None:
            self._lists = lists = vectors.tolist() if vectors is not None else []
            self._vectors = None
        return lists

    @embeddings.setter
    def embeddings(self, value: list[list[float]]) -> None:
        self._vectors, self._lists = None, value

    @property
    def space(self) -> str | None:
        """The embedding space: vectors of one space can be compared, whatever their model.

        None where it is not known. Source: `spec/catalogue.yaml`.
        """
        entry = None if self.model is None else known(self.model)
        return None if entry is None else entry.embedding_space

    def to_numpy(self) -> npt.NDArray[Any]:
        """The vectors as a matrix, one row each, of float32, int8 or uint8.

        Nothing is copied, and the matrix may be written to, which changes this result. Once
        `embeddings` was used the lists are what counts, and the matrix is a copy of them.

        Raises:
            ImportError: numpy is not installed.
        """
        return self._buffered().to_numpy()

    def to_bytes(self) -> list[bytes]:
        """Each vector's numbers in little-endian order, as vector databases store them.

        4 bytes per dimension as `float`, 1 as `int8` and `uint8`, 1/8 as `binary` and `ubinary`.

        Example:
            >>> result = vo.embed(["a"], model="voyage-4", output_dtype="ubinary")
            >>> [len(row) for row in result.to_bytes()]
            [128]
        """
        return self._buffered().to_bytes()

    def to_arrow(self) -> Any:  # pyarrow has no types
        """The vectors as a `pyarrow.FixedSizeListArray`, sharing memory.

        Raises:
            ImportError: pyarrow is not installed.
        """
        pa = require("pyarrow", "arrow")
        vectors = self._buffered().narrowed()
        buffers = [None, pa.py_buffer(vectors.buffer)]
        count = len(vectors) * vectors.columns
        numbers = pa.Array.from_buffers(getattr(pa, vectors.number)(), count, buffers)
        return pa.FixedSizeListArray.from_arrays(numbers, vectors.columns)

    def similarity(self, documents: Vectored) -> npt.NDArray[Any]:
        """Compute the similarity of these vectors and others.

        Args:
            documents: The others, of the same dtype and dimension.

        Returns:
            A matrix of shape (these, others); larger is more alike. Of `float` vectors, which have
            unit length, it is the cosine; of `int8` and `uint8` the product in whole numbers; of
            packed bits the number of bits that agree less the number that do not.

        Raises:
            ArgumentError: The others are of another dtype or dimension.
            ImportError: numpy is not installed.

        Warns:
            EmbeddingSpaceWarning: They are known to be of another embedding space.

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
                f"{self.output_dtype}; ask for both with one output_dtype",
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

    def __len__(self) -> int:
        vectors = self._vectors
        return len(vectors if vectors is not None else self._lists or ())

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Restore a pickle, also one that the official client wrote."""
        for name, value in state.items():
            setattr(self, name, value)

    def _buffered(self) -> Vectors:
        vectors = self._vectors
        if vectors is not None:
            return vectors
        lists = self._lists or []
        try:
            found = Vectors.decode(lists, self.output_dtype)
        except ShapeError:  # lists that the user has put there
            found = Vectors.decode(lists, DEFAULT)
        return found.narrowed()

    def _shape(self) -> str:
        vectors = self._vectors
        if vectors is not None:
            return f"{len(vectors)} x {vectors.columns} {vectors.number}"
        return f"{len(self)} x {len(self._lists[0]) if self._lists else 0}"
