"""Quantization, truncation and comparison of vectors in the dtypes of the API, with numpy.

A dimension takes 4 bytes as float, one as `int8` and `uint8`, and a bit as `binary` and `ubinary`.

    >>> import numpy as np
    >>> vectors = np.array([[-0.04, 0.01, -0.07, -0.04, 0.01, 0.01, -0.08, 0.04]], np.float32)
    >>> pack(vectors, "ubinary").tolist(), unpack(pack(vectors, "ubinary"), "ubinary").tolist()
    ([[77]], [[0, 1, 0, 0, 1, 1, 0, 1]])

There is no conversion to `int8` and `uint8`, as the API's scaling is not documented.

Source: https://docs.voyageai.com/docs/flexible-dimensions-and-quantization
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voyageai_rest.dtypes import DTYPES

from .error import ArgumentError
from .extras import require
from .vectors import DEFAULT

if TYPE_CHECKING:
    import numpy.typing as npt
    from voyageai_rest.models import OutputDtype

__all__ = ["hamming", "pack", "similarity", "truncate", "unpack"]

BITS = 8
SIGN = 128
"""The difference between an unsigned and a signed byte with the same bits (offset binary)."""


def pack(vectors: npt.ArrayLike, dtype: OutputDtype | str = "ubinary") -> npt.NDArray[Any]:
    """Quantize floats to bits, 1 for a value above 0, packed into bytes.

    Args:
        vectors: A matrix of floats of shape (vectors, dimension); the dimension is a multiple of 8.
        dtype: `ubinary` for unsigned bytes, `binary` for signed ones.

    Returns:
        A matrix of uint8 or int8 of shape (vectors, dimension / 8), equal to the API's.

    Raises:
        ArgumentError: `dtype` is not packed, or the dimension is no multiple of 8.
        ImportError: numpy is not installed.
    """
    np = require("numpy", "numpy")
    number = _packed(dtype)
    matrix = _matrix(vectors, DEFAULT)
    if matrix.shape[1] % BITS:
        raise ArgumentError(
            f"vectors must have a multiple of {BITS} columns, not {matrix.shape[1]}", "vectors"
        )
    unsigned = np.packbits(matrix > 0, axis=1)
    packed: npt.NDArray[Any] = (unsigned ^ SIGN).view(np.int8) if number == "int8" else unsigned
    return packed


def unpack(vectors: npt.ArrayLike, dtype: OutputDtype | str) -> npt.NDArray[Any]:
    """Unpack bits to one uint8 of 0 or 1 per dimension.

    Args:
        vectors: A matrix of packed bits of shape (vectors, dimension / 8).
        dtype: The dtype of the vectors, `binary` or `ubinary`.

    Returns:
        A matrix of shape (vectors, dimension).

    Raises:
        ArgumentError: `dtype` is not packed.
        ImportError: numpy is not installed.
    """
    np = require("numpy", "numpy")
    bits: npt.NDArray[Any] = np.unpackbits(_unsigned(vectors, dtype), axis=1)
    return bits


def hamming(
    queries: npt.ArrayLike, documents: npt.ArrayLike, dtype: OutputDtype | str
) -> npt.NDArray[Any]:
    """Count the bits in which packed vectors differ; fewer means more similar.

    Args:
        queries: A matrix of packed bits of shape (queries, dimension / 8).
        documents: A matrix of packed bits of shape (documents, dimension / 8).
        dtype: The dtype of the vectors, `binary` or `ubinary`.

    Returns:
        A matrix of int32 of shape (queries, documents).

    Raises:
        ArgumentError: `dtype` is not packed, or the numbers of columns differ.
        ImportError: numpy is not installed.
    """
    np = require("numpy", "numpy")
    left, is_right = _unsigned(queries, dtype, "queries"), _unsigned(documents, dtype, "documents")
    _check_columns(left, is_right)
    ones = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(
        axis=1, dtype=np.uint8
    )
    # One query at a time, as all together would need an array of three dimensions.
    rows = [ones[row ^ is_right].sum(axis=1, dtype=np.int32) for row in left]
    distances: npt.NDArray[Any] = np.array(rows, np.int32).reshape(len(left), len(is_right))
    return distances


def similarity(
    queries: npt.ArrayLike, documents: npt.ArrayLike, dtype: OutputDtype | str = "float"
) -> npt.NDArray[Any]:
    """Compute the similarity of vectors; larger is more similar.

    Args:
        queries: A matrix of shape (queries, columns).
        documents: A matrix of shape (documents, columns), of the same dtype.
        dtype: The dtype of the vectors.

    Returns:
        A matrix of shape (queries, documents). For `float` it holds the dot products, which are the
        cosines, as vectors have unit length; for `int8` and `uint8` the dot products of integers,
        after subtracting the middle of the range from `uint8`; for packed bits the number of equal
        bits less the number of different ones.

    Raises:
        ArgumentError: The numbers of columns differ.
        ImportError: numpy is not installed.
    """
    np = require("numpy", "numpy")
    left, is_right = _matrix(queries, dtype, "queries"), _matrix(documents, dtype, "documents")
    _check_columns(left, is_right)
    if _bits(dtype) > 1:
        dimensions = left.shape[1] * BITS
        similarities: npt.NDArray[Any] = dimensions - 2 * hamming(left, is_right, dtype)
        return similarities
    if DTYPES[dtype].number == "uint8":
        left, is_right = left.astype(np.int32) - SIGN, is_right.astype(np.int32) - SIGN
    elif DTYPES[dtype].number == "int8":
        left, is_right = left.astype(np.int32), is_right.astype(np.int32)
    product: npt.NDArray[Any] = left @ is_right.T
    return product


def truncate(
    vectors: npt.ArrayLike, dimension: int, dtype: OutputDtype | str = "float"
) -> npt.NDArray[Any]:
    """Keep the first dimensions of vectors (Matryoshka embeddings).

    Args:
        vectors: A matrix of shape (vectors, columns).
        dimension: Number of dimensions to keep; for packed bits a multiple of 8.
        dtype: The dtype of the vectors.

    Returns:
        A matrix with fewer columns. Floats are scaled to unit length again, other dtypes are
        unchanged.

    Raises:
        ArgumentError: The vectors have fewer dimensions, or `dimension` is no whole number of
            bytes.
        ImportError: numpy is not installed.

    Example:
        >>> import numpy as np
        >>> truncate(np.array([[0.6, 0.0, 0.8, 0.0]]), 2).tolist()
        [[1.0, 0.0]]
    """
    np = require("numpy", "numpy")
    per_number = _bits(dtype)
    matrix = _matrix(vectors, dtype)
    if not isinstance(dimension, int):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may pass anything
        raise ArgumentError(f"dimension must be an integer, not {dimension!r}", "dimension")
    columns, left_over = divmod(dimension, per_number)
    if not 1 <= columns <= matrix.shape[1] or left_over:
        raise ArgumentError(
            f"dimension must be from {per_number} to {matrix.shape[1] * per_number}"
            f"{f' and a multiple of {per_number}' if per_number > 1 else ''}, not {dimension}",
            "dimension",
        )
    kept: npt.NDArray[Any] = matrix[:, :columns]
    if DTYPES[dtype].number != "float32":
        return kept
    lengths = np.linalg.norm(kept, axis=1, keepdims=True)
    unit: npt.NDArray[Any] = kept / np.where(lengths > 0, lengths, 1)
    return unit.astype(matrix.dtype, copy=False)


def _bits(dtype: OutputDtype | str) -> int:
    if dtype not in DTYPES:
        raise ArgumentError(f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}", "dtype")
    return DTYPES[dtype].dimensions_per_number


def _packed(dtype: OutputDtype | str) -> str:
    if _bits(dtype) != BITS:
        packed = [name for name, kind in DTYPES.items() if kind.dimensions_per_number == BITS]
        raise ArgumentError(f"dtype must be {' or '.join(packed)}, not {dtype!r}", "dtype")
    return DTYPES[dtype].number


def _matrix(
    vectors: npt.ArrayLike, dtype: OutputDtype | str, argument: str = "vectors"
) -> npt.NDArray[Any]:
    """Return vectors of a dtype as a matrix of its number type.

    With another number type, arithmetic would silently overflow or lose fractions.
    """
    np = require("numpy", "numpy")
    _bits(dtype)
    try:
        given = np.asarray(vectors)
    except ValueError as error:  # rows of different lengths
        raise ArgumentError(f"{argument} must be a matrix: {error}", argument) from None
    number = DTYPES[dtype].number
    is_right = given.dtype.kind == "f" if number == "float32" else given.dtype == number
    whole = not isinstance(vectors, np.ndarray) and given.dtype.kind in "iu"
    if whole:  # from lists, for which numpy has chosen a dtype
        numbers = given.astype(float if number == "float32" else number)
        given, is_right = numbers, bool((numbers == given).all())
    if given.ndim != 2 or not is_right:
        raise ArgumentError(
            f"{argument} must be a matrix of {number}, as vectors of dtype {dtype!r} are, not of "
            f"shape {given.shape} and {np.asarray(vectors).dtype}",
            argument,
        )
    matrix: npt.NDArray[Any] = given
    return matrix


def _unsigned(
    vectors: npt.ArrayLike, dtype: OutputDtype | str, argument: str = "vectors"
) -> npt.NDArray[Any]:
    np = require("numpy", "numpy")
    number = _packed(dtype)
    matrix = _matrix(vectors, dtype, argument)
    unsigned: npt.NDArray[Any] = matrix.view(np.uint8) ^ SIGN if number == "int8" else matrix
    return unsigned


def _check_columns(left: npt.NDArray[Any], is_right: npt.NDArray[Any]) -> None:
    if left.shape[1] != is_right.shape[1]:
        raise ArgumentError(
            f"queries and documents must have the same number of columns, not {left.shape[1]} and "
            f"{is_right.shape[1]}",
            "documents",
        )
