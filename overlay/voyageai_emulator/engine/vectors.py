"""Convert features to unit vectors of an embedding space, and these to the output dtypes.

First, features are *projected* to rows of integers. Each feature adds its amplitude, with a
sign, at one coordinate of every *block*. Blocks end at 256, 512, 1024, 2048, … coordinates and hold
equal shares of a passage's features, so every prefix of a row is itself a projection of the passage
(Matryoshka).

Then each 256 coordinates are *rotated* by a randomized Hadamard transform that depends on the
embedding space: vectors become dense, comparable within a space, and unrelated across spaces. Each
model scales the coordinates slightly, and rows are normalized.

Before the division by the norm all numbers are integers, small enough to be exact in floating
point. So a text's vector is the same to the last bit on every machine, whichever texts are sent
with it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from .features import Features, Passage, features

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from voyageai_rest.dtypes import Dtype

__all__ = [
    "BLOCK",
    "DECIMALS",
    "Matrix",
    "Space",
    "embed",
    "embed_chunks",
    "embed_in_context",
    "normalize",
    "quantize",
    "to_base64",
    "to_lists",
]

Matrix: TypeAlias = "NDArray[np.float32]"

BLOCK = 256
"""Width of the first block and of the Hadamard matrix; other blocks are multiples of it."""
RESOLUTION = 2.0**14
"""Approximate norm of a row in each block, before rounding."""
MIN_FACTOR = 61
"""Smallest of the eight factors by which the amplitudes of features vary."""
GROUP = 128
"""Number of rows processed together: their sums fit into a processor's cache."""
DECIMALS = 8
"""Decimal places of a vector's entries, so that JSON numbers and float32 give the same values."""
SCALE = 16
"""A model multiplies each coordinate by a factor between 1 - 2/`SCALE` and 1 + 2/`SCALE`."""
CHUNK_SHARE = 3.0
"""Weight of a chunk in its contextualized vector; the document's weight is 1."""
STEPS = 32.0
"""Steps of an 8-bit scale per standard deviation of a vector's entries."""


class Space(NamedTuple):
    """An embedding space, and the model of the vectors in it.

    Vectors of models that share a space can be compared.
    """

    name: str
    model: str


def embed(passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
    """Embed each passage separately: unit vectors, float32, shape (passages, dimension)."""
    return _rows_to_vectors(_project(passages, _padded(dimension)), space, dimension)


def embed_chunks(
    documents: Sequence[Sequence[Passage]], space: Space, dimension: int
) -> list[Matrix]:
    """Embed the chunks of documents, each vector mixed with that of its document.

    Returns:
        For each document, float32 of shape (chunks, dimension).
    """
    return embed_in_context(
        documents,
        lambda passages: _project(passages, _padded(dimension)),
        lambda rows: _rows_to_vectors(rows, space, dimension),
    )


def embed_in_context(
    documents: Sequence[Sequence[Passage]],
    to_rows: Callable[[Sequence[Passage]], Matrix],
    to_vectors: Callable[[Matrix], Matrix],
) -> list[Matrix]:
    """Embed the chunks of documents by mixing the row of each with that of its document.

    Args:
        documents: The chunks of each document.
        to_rows: Converts passages to rows of shape (passages, width).
        to_vectors: Converts rows of shape (n, width) to vectors of shape (n, dimension).

    Returns:
        For each document, float32 of shape (chunks, dimension).
    """
    if not documents:
        return []
    chunks = to_rows([chunk for document in documents for chunk in document])
    wholes = to_rows(
        [Passage("\n".join(chunk.text for chunk in document)) for document in documents]
    )
    sizes = [len(document) for document in documents]
    mixed = CHUNK_SHARE * chunks + np.repeat(wholes, sizes, axis=0)
    return np.split(to_vectors(mixed), np.cumsum(sizes)[:-1])


def normalize(rows: NDArray[np.float64]) -> Matrix:
    """Scale rows to norm 1, in place; a row of zeros becomes the first unit vector."""
    squares = np.einsum("ij,ij->i", rows, rows)
    rows[squares == 0, 0] = 1
    rows /= np.sqrt(np.where(squares == 0, 1, squares))[:, None]
    return rows.round(DECIMALS).astype(np.float32)


def _padded(dimension: int) -> int:
    """Round a dimension up to a multiple of `BLOCK`."""
    return -(-dimension // BLOCK) * BLOCK


def _project(passages: Sequence[Passage], width: int) -> Matrix:
    """Project passages to their first `width` coordinates, a multiple of `BLOCK`.

    Returns:
        Integers as float32, shape (passages, width). A row is a prefix of the same passage's wider
        row.
    """
    rows = np.empty((len(passages), width), np.float32)
    kinds = features(passages)
    for start in range(0, len(passages), GROUP):
        stop = min(start + GROUP, len(passages))
        group = [_of_passages(kind, start, stop) for kind in kinds]
        row = np.concatenate([kind.passage for kind in group]) - start
        hashes = np.concatenate([kind.hashes for kind in group])
        amplitudes = np.concatenate([kind.amplitudes for kind in group]).astype(np.float64)
        # Unequal amplitudes keep the few features of a short text from cancelling out.
        amplitudes *= MIN_FACTOR + ((hashes >> np.uint64(52)) & np.uint64(7))
        energy = np.bincount(row, amplitudes * amplitudes, stop - start)
        scale = (RESOLUTION / np.sqrt(np.maximum(energy, 1)))[:, None]
        for number, begin, size, shift in _blocks(width):
            column = (hashes >> np.uint64(shift)) & np.uint64(size - 1)
            sign = 1.0 - 2.0 * ((hashes >> np.uint64(63 - number)) & np.uint64(1))
            # Index into the block of shape (rows, size), laid out row by row.
            cell = row * size + column.astype(np.int64)
            sums = np.bincount(cell, amplitudes * sign, (stop - start) * size)
            end = min(begin + size, width)
            sums = sums.reshape(-1, size)[:, : end - begin]
            rows[start:stop, begin:end] = np.rint(sums * scale)
    return rows


def _of_passages(kind: Features, start: int, stop: int) -> Features:
    """Return the features of the passages from `start` up to `stop`."""
    low, high = np.searchsorted(kind.passage, [start, stop])
    return Features(kind.passage[low:high], kind.hashes[low:high], kind.amplitudes[low:high])


def _blocks(width: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, first coordinate, size and first hash bit of each block up to `width`."""
    number, begin, size, shift = 0, 0, BLOCK, 0
    while begin < width:
        yield number, begin, size, shift
        number += 1
        shift += size.bit_length() - 1
        begin += size
        size = begin


def _rows_to_vectors(rows: Matrix, space: Space, dimension: int) -> Matrix:
    """Convert rows of shape (n, width) to unit vectors of shape (n, dimension)."""
    rotated = _rotate(rows, space.name)[:, :dimension]
    return normalize(rotated * _model_scale(space.model, dimension))


def _rotate(rows: Matrix, space: str) -> Matrix:
    """Permute, sign and Hadamard-transform each `BLOCK` coordinates of rows of shape (n, width).

    It uses additions only (the fast Walsh-Hadamard transform), as a matrix product of NumPy may
    have to wait for busy threads.
    """
    order, signs = _permutation(space, rows.shape[1])
    rotated = np.empty_like(rows)
    for start in range(0, len(rows), GROUP):
        part = rows[start : start + GROUP]
        # Both of shape (width, group): coordinates first, so that additions run along memory.
        now = np.ascontiguousarray(part.T)[order] * signs[:, None]
        after = np.empty_like(now)
        half = 1
        while half < BLOCK:
            pairs, sums = (m.reshape(-1, 2, half * len(part)) for m in (now, after))
            np.add(pairs[:, 0], pairs[:, 1], out=sums[:, 0])
            np.subtract(pairs[:, 0], pairs[:, 1], out=sums[:, 1])
            now, after = after, now
            half *= 2
        rotated[start : start + GROUP] = now.T
    return rotated


@functools.lru_cache(maxsize=64)
def _permutation(space: str, width: int) -> tuple[NDArray[np.int64], Matrix]:
    """Return a space's permutation of the coordinates within blocks, and signs: shape (width,)."""
    seed = hashlib.shake_256(f"space {space}".encode()).digest(5 * width)
    # For each block: 4 bytes per coordinate as its sort key, then 1 byte per sign.
    blocks = np.frombuffer(seed, np.uint8).reshape(-1, 5 * BLOCK)
    keys = np.ascontiguousarray(blocks[:, : 4 * BLOCK]).view("<u4")
    order = keys.argsort(axis=1, kind="stable") + np.arange(0, width, BLOCK)[:, None]
    signs = np.where(blocks[:, 4 * BLOCK :] % 2, np.float32(1), np.float32(-1))
    return order.ravel(), signs.ravel()


@functools.lru_cache(maxsize=64)
def _model_scale(model: str, dimension: int) -> NDArray[np.float64]:
    """Return a model's factor for each coordinate, shape (dimension,)."""
    seed = hashlib.shake_256(f"model {model}".encode()).digest(dimension)
    return (SCALE - 2 + np.frombuffer(seed, np.uint8) % 5).astype(np.float64)


# Output dtypes. Packed types follow the documented rule: a value above 0 is a 1, the first value is
# the most significant bit, and the signed form is the unsigned one less 128. How the service scales
# to 8 bits is not documented; here one standard deviation of a vector's entries is an eighth of the
# range, the same for every vector, so that products of 8-bit vectors rank as those of floats do.


def quantize(vectors: Matrix, dtype: Dtype) -> NDArray[Any]:
    """Quantize unit vectors of shape (n, dimension).

    Returns:
        The dtype's numbers, shape (n, dimension), or (n, dimension / 8) where 8 values are packed
        into one.

    >>> from voyageai_rest.dtypes import DTYPES
    >>> vector = np.array([[-0.04, 0.01, -0.07, -0.04, 0.01, 0.01, -0.08, 0.04]], np.float32)
    >>> quantize(vector, DTYPES["ubinary"]).tolist(), quantize(vector, DTYPES["binary"]).tolist()
    ([[77]], [[-51]])
    """
    if dtype.number == "float32":
        return vectors
    if dtype.dimensions_per_number > 1:
        unsigned = np.packbits(vectors > 0, axis=1)
    else:
        scale = np.float32(STEPS * vectors.shape[1] ** 0.5)
        unsigned = (np.clip(np.rint(vectors * scale), -128, 127) + 128).astype(np.uint8)
    return unsigned if dtype.number == "uint8" else (unsigned ^ np.uint8(128)).view(np.int8)


def to_base64(vectors: NDArray[Any]) -> list[str]:
    """Encode the little-endian memory of each row as base64."""
    little = np.ascontiguousarray(vectors, vectors.dtype.newbyteorder("<"))
    return [base64.b64encode(row).decode("ascii") for row in little]


def to_lists(vectors: NDArray[Any]) -> list[list[float]]:
    """Return each row as a list of numbers; floats read back as the same float32."""
    if vectors.dtype.kind == "f":
        vectors = vectors.astype(np.float64).round(DECIMALS)
    lists: list[list[float]] = vectors.tolist()
    return lists
