"""Rows into unit vectors of an embedding space.

A row is spread over its neighbours by Hadamard matrices, signed and shuffled by embedding space:
the vectors are dense, those of one space agree, those of two spaces are unrelated. Each model
tints the vectors of its space slightly. Up to the division by the length every number is whole and
exact.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from .features import Passage
from .projection import CHUNK, project

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Space", "embed", "embed_chunks", "in_context", "unit"]

Matrix: TypeAlias = "NDArray[np.float32]"

DECIMALS = 8
"""Decimal places kept of a vector's entries, so that JSON numbers and float32 say the same."""
TINT = 16
"""A model multiplies each coordinate by 1 ± 2/`TINT` at most."""
GROUP = 128
"""Rows worked on at once: they fit a processor's cache."""
CHUNK_SHARE = 3.0
"""A chunk's share of its contextualized vector, where its document's is 1."""


class Space(NamedTuple):
    """Whose vectors: those of models that share a space can be compared."""

    name: str
    model: str


def embed(passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
    """Embed each passage by itself: a (passages x dimension) float32 matrix of unit vectors."""
    return _vectors(project(passages, _width(dimension)), space, dimension)


def embed_chunks(
    documents: Sequence[Sequence[Passage]], space: Space, dimension: int
) -> list[Matrix]:
    """Embed the chunks of documents, each vector leaning a little towards its whole document."""
    width = _width(dimension)
    return in_context(
        documents,
        lambda passages: project(passages, width),
        lambda rows: _vectors(rows, space, dimension),
    )


def in_context(
    documents: Sequence[Sequence[Passage]],
    project: Callable[[Sequence[Passage]], Matrix],
    finish: Callable[[Matrix], Matrix],
) -> list[Matrix]:
    """Embed the chunks of documents, each vector leaning a little towards its whole document.

    Args:
        documents: The chunks of each.
        project: Makes rows of equal length of passages.
        finish: Makes vectors of rows.
    """
    if not documents:
        return []
    chunks = project([chunk for document in documents for chunk in document])
    wholes = project(
        [Passage("\n".join(chunk.text for chunk in document)) for document in documents]
    )
    sizes = [len(document) for document in documents]
    mixed = CHUNK_SHARE * chunks + np.repeat(wholes, sizes, axis=0)
    return np.split(finish(mixed), np.cumsum(sizes)[:-1])


def unit(rows: NDArray[np.float64]) -> Matrix:
    """Rows at length 1, in place; one of zeros becomes the first direction."""
    squares = np.einsum("ij,ij->i", rows, rows)
    rows[squares == 0, 0] = 1
    rows /= np.sqrt(np.where(squares == 0, 1, squares))[:, None]
    return rows.round(DECIMALS).astype(np.float32)


def _width(dimension: int) -> int:
    return -(-dimension // CHUNK) * CHUNK


def _vectors(rows: Matrix, space: Space, dimension: int) -> Matrix:
    return unit(_spread(rows, space.name)[:, :dimension] * _tint(space.model, dimension))


def _spread(rows: Matrix, space: str) -> Matrix:
    """Shuffle and sign each chunk of the rows, and multiply it by the Hadamard matrix.

    The product is made of additions (the fast Walsh-Hadamard transform), since a matrix product
    of NumPy may wait for threads that other work keeps busy.
    """
    order, signs = _shuffle(space, rows.shape[1])
    spread = np.empty_like(rows)
    for start in range(0, len(rows), GROUP):
        part = rows[start : start + GROUP]
        now = np.ascontiguousarray(part.T)[order] * signs[:, None]
        after = np.empty_like(now)
        half = 1
        while half < CHUNK:
            pairs, sums = (m.reshape(-1, 2, half * len(part)) for m in (now, after))
            np.add(pairs[:, 0], pairs[:, 1], out=sums[:, 0])
            np.subtract(pairs[:, 0], pairs[:, 1], out=sums[:, 1])
            now, after = after, now
            half *= 2
        spread[start : start + GROUP] = now.T
    return spread


@functools.lru_cache(maxsize=64)
def _shuffle(space: str, width: int) -> tuple[NDArray[np.int64], Matrix]:
    """A space's order of the coordinates within their chunks, and a sign for each."""
    seed = hashlib.shake_256(f"space {space}".encode()).digest(5 * width)
    chunks = np.frombuffer(seed, np.uint8).reshape(-1, 5 * CHUNK)
    keys = np.ascontiguousarray(chunks[:, : 4 * CHUNK]).view("<u4")
    order = keys.argsort(axis=1, kind="stable") + np.arange(0, width, CHUNK)[:, None]
    signs = np.where(chunks[:, 4 * CHUNK :] % 2, np.float32(1), np.float32(-1))
    return order.ravel(), signs.ravel()


@functools.lru_cache(maxsize=64)
def _tint(model: str, dimension: int) -> NDArray[np.float64]:
    seed = hashlib.shake_256(f"model {model}".encode()).digest(dimension)
    return (TINT - 2 + np.frombuffer(seed, np.uint8) % 5).astype(np.float64)
