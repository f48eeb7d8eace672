"""Quantize, truncate and compare vectors in the dtypes of the API, with numpy.

Floats are 4 bytes a dimension, `int8` and `uint8` one, `binary` and `ubinary` an eighth.

    >>> import numpy as np
    >>> vectors = np.array([[-0.04, 0.01, -0.07, -0.04, 0.01, 0.01, -0.08, 0.04]], np.float32)
    >>> pack(vectors, "ubinary").tolist(), unpack(pack(vectors, "ubinary"), "ubinary").tolist()
    ([[77]], [[0, 1, 0, 0, 1, 1, 0, 1]])

How the API scales to `int8` and `uint8` is not documented, so those are not made here.

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
"""The difference between the unsigned and the signed byte of the same bits (offset binary)."""


def pack(vectors: npt.ArrayLike, dtype: OutputDtype | str = "ubinary") -> npt.NDArray[Any]:
    """Quantize floats to bits, 1 for a value above 0, packed eight to a byte.

    Args:
        vectors: A (vectors x dimensions) matrix of floats; dimensions a multiple of 8.
        dtype: `ubinary` for unsigned bytes, `binary` for signed ones.

    Returns:
        A (vectors x dimensions / 8) matrix of uint8 or int8, as the API would have sent it.

    Raises:
        ArgumentError: The dtype is no packed one, or the dimensions are no multiple of 8.
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
        vectors: A (vectors x dimensions / 8) matrix.
        dtype: `binary` or `ubinary`, as they were asked for.

    Returns:
        A (vectors x dimensions) matrix.

    Raises:
        ArgumentError: The dtype is no packed one.
        ImportError: numpy is not installed.
    """
    np = require("numpy", "numpy")
    bits: npt.NDArray[Any] = np.unpackbits(_unsigned(vectors, dtype), axis=1)
    return bits


def hamming(
    queries: npt.ArrayLike, documents: npt.ArrayLike, dtype: OutputDtype | str
) -> npt.NDArray[Any]:
    """Count the bits in which packed vectors differ: fewer are more similar.

    Args:
        queries: A (queries x dimensions / 8) matrix of packed bits.
        documents: A (documents x dimensions / 8) matrix of packed bits.
        dtype: `binary` or `ubinary`, as they were asked for.

    Returns:
        A (queries x documents) matrix of int32.

    Raises:
        ArgumentError: The dtype is no packed one, or the columns differ in number.
        ImportError: numpy is not installed.
    """
    np = require("numpy", "numpy")
    left, right = _unsigned(queries, dtype, "queries"), _unsigned(documents, dtype, "documents")
    _check_columns(left, right)
    ones = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(
        axis=1, dtype=np.uint8
    )
    # A query at a time: all at once would be a cube.
    rows = [ones[row ^ right].sum(axis=1, dtype=np.int32) for row in left]
    distances: npt.NDArray[Any] = np.array(rows, np.int32).reshape(len(left), len(right))
    return distances


def similarity(
    queries: npt.ArrayLike, documents: npt.ArrayLike, dtype: OutputDtype | str = "float"
) -> npt.NDArray[Any]:
    """Compute the similarity of vectors; larger is more similar.

    Args:
        queries: A (queries x columns) matrix.
        documents: A (documents x columns) matrix of the same dtype.
        dtype: As they were asked for.

    Returns:
        A (queries x documents) matrix. For `float` it holds the products, which are the cosines, as
        vectors have unit length; for `int8` and `uint8` the products of integers, `uint8` less the
        middle of its range; for packed bits the number of bits that agree less the number that
        differ.

    Raises:
        ArgumentError: The columns differ in number.
        ImportError: numpy is not installed.
    """
    np = require("numpy", "numpy")
    left, right = _matrix(queries, dtype, "queries"), _matrix(documents, dtype, "documents")
    _check_columns(left, right)
    if _bits(dtype) > 1:
        dimensions = left.shape[1] * BITS
        agreeing: npt.NDArray[Any] = dimensions - 2 * hamming(left, right, dtype)
        return agreeing
    if DTYPES[dtype].number == "uint8":
        left, right = left.astype(np.int32) - SIGN, right.astype(np.int32) - SIGN
    elif DTYPES[dtype].number == "int8":
        left, right = left.astype(np.int32), right.astype(np.int32)
    product: npt.NDArray[Any] = left @ right.T
    return product


def truncate(
    vectors: npt.ArrayLike, dimension: int, dtype: OutputDtype | str = "float"
) -> npt.NDArray[Any]:
    """Keep the first dimensions of vectors, which are vectors themselves (Matryoshka).

    Args:
        vectors: A matrix with a row per vector.
        dimension: Dimensions to keep; for packed bits a multiple of 8.
        dtype: As they were asked for.

    Returns:
        A matrix with fewer columns: floats of unit length again, other dtypes as they were.

    Raises:
        ArgumentError: There are not so many dimensions, or they are no whole number of bytes.
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
    """Return vectors of a dtype as a matrix of its numbers.

    With numbers of another dtype the arithmetic would silently overflow or lose the fractions.
    """
    np = require("numpy", "numpy")
    _bits(dtype)
    try:
        given = np.asarray(vectors)
    except ValueError as error:  # rows of different lengths
        raise ArgumentError(f"{argument} must be a matrix: {error}", argument) from None
    number = DTYPES[dtype].number
    right = given.dtype.kind == "f" if number == "float32" else given.dtype == number
    whole = not isinstance(vectors, np.ndarray) and given.dtype.kind in "iu"
    if whole:  # of lists, for which numpy has chosen a dtype
        numbers = given.astype(float if number == "float32" else number)
        given, right = numbers, bool((numbers == given).all())
    if given.ndim != 2 or not right:
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


def _check_columns(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> None:
    if left.shape[1] != right.shape[1]:
        raise ArgumentError(
            f"queries and documents must have the same number of columns, not {left.shape[1]} and "
            f"{right.shape[1]}",
            "documents",
        )
