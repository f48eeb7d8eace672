"""The memory layout of a vector, by the requested type."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen(kw_only=True)
class Dtype:
    """The memory layout of a vector; numbers are little-endian.

    Attributes:
        number: Type of one number.
        dimensions_per_number: Dimensions that each number contains; more than one are packed bits.
    """

    number: Literal["float32", "int8", "uint8"]
    dimensions_per_number: int


DTYPES: Mapping[str, Dtype] = MappingProxyType(
    {
        "float": Dtype(number="float32", dimensions_per_number=1),
        "int8": Dtype(number="int8", dimensions_per_number=1),
        "uint8": Dtype(number="uint8", dimensions_per_number=1),
        "binary": Dtype(number="int8", dimensions_per_number=8),
        "ubinary": Dtype(number="uint8", dimensions_per_number=8),
    }
)
