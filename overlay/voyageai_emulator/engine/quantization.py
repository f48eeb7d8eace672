"""Unit vectors into the output dtypes, as numbers or base64.

Packed types follow the documented rule: a value above 0 is a 1, the first value is the most
significant bit, and the signed form is the unsigned one less 128. How the service scales to 8
bits is not documented; here one standard deviation of a vector's entries is an eighth of the
range, the same for every vector, so that products of 8-bit vectors rank as those of floats do.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from voyageai_rest.dtypes import Dtype

__all__ = ["quantize", "to_base64", "to_lists"]

Matrix: TypeAlias = "NDArray[np.float32]"

STEPS = 32.0
"""Steps of an 8-bit scale per standard deviation of a vector's entries."""
DECIMALS = 8
"""Decimal places of numbers in JSON; vectors have no more."""


def quantize(vectors: Matrix, dtype: Dtype) -> NDArray[Any]:
    """Quantize unit vectors, one per row.

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
    """Each row's little-endian memory as base64."""
    little = np.ascontiguousarray(vectors, vectors.dtype.newbyteorder("<"))
    return [base64.b64encode(row).decode("ascii") for row in little]


def to_lists(vectors: NDArray[Any]) -> list[list[float]]:
    """Each row as a list of numbers, floats in decimals that read back as the same float32."""
    if vectors.dtype.kind == "f":
        vectors = vectors.astype(np.float64).round(DECIMALS)
    lists: list[list[float]] = vectors.tolist()
    return lists
