"""Vectors in one typed buffer, converted to lists or a matrix only on demand."""

from __future__ import annotations

import array
import binascii
import sys
from collections.abc import Callable, Sequence, Sized
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Self, cast

from attrs import define
from voyageai_rest.dtypes import DTYPES
from voyageai_rest.errors import ShapeError

from .extras import require

if TYPE_CHECKING:
    import numpy.typing as npt
    from voyageai_rest.models import OutputDtype

FORMATS = {"float32": "f", "float64": "d", "int8": "b", "uint8": "B"}
"""Format characters of `array` and `memoryview`, by the type of a number."""
DEFAULT: Final[OutputDtype] = "float"
LITTLE = sys.byteorder == "little"
FIELD = b'"embedding":'
"""The key of a vector in a response. JSON has these bytes at such keys only: within a string, the
quotes would be escaped."""
WORTH_CUTTING = 1024
"""Characters of a vector from which cutting it out is faster than parsing it as JSON."""


def cut_out(body: bytes) -> tuple[bytes, dict[str, memoryview]]:
    """Cut the base64 vectors out of a response, so that the JSON parser need not scan them.

    Args:
        body: The response, as JSON.

    Returns:
        The response with a placeholder for each vector, and the vectors by placeholder. After the
        first vector in another form than the API's, the response is unchanged.

    Example:
        >>> from voyageai.vectors import cut_out
        >>> rest, vectors = cut_out(b'{"embedding": "' + b"A" * 1368 + b'", "index": 0}')
        >>> rest, len(vectors["#0"])
        (b'{"embedding": "#0", "index": 0}', 1368)
    """
    view = memoryview(body)
    kept: list[bytes | memoryview] = []
    vectors: dict[str, memoryview] = {}
    done = 0
    while (found := body.find(FIELD, done)) >= 0:
        start = found + len(FIELD)
        start += body.startswith(b" ", start)
        end = body.find(b'"', start + 1)
        if not body.startswith(b'"', start) or end - start < WORTH_CUTTING:
            break
        if body.find(b"\\", start, end) >= 0:  # base64 needs no escapes
            break
        mark = f"#{len(vectors)}"
        kept += view[done : start + 1], mark.encode()
        vectors[mark] = view[start + 1 : end]
        done = end
    kept.append(view[done:])
    return b"".join(kept), vectors


def _decoder() -> Callable[[str | memoryview], bytes]:
    try:
        import pybase64
    except ImportError:  # no wheel for this platform: the standard library, ten times slower
        return partial(binascii.a2b_base64, strict_mode=True)
    return partial(pybase64.b64decode, validate=True)


@define(eq=False, repr=False)
class Vectors:
    """Vectors of one length in one buffer: a matrix of shape (rows, columns), row after row.

    Attributes:
        buffer: The numbers, in native byte order.
        number: Type of the numbers: float32, float64, int8 or uint8.
        columns: Numbers per vector.
    """

    buffer: bytearray | memoryview
    number: str
    columns: int

    @classmethod
    def decode(
        cls,
        vectors: Sequence[str | memoryview | list[float]],
        dtype: str | None,
        dimension: int | None = None,
    ) -> Self:
        """Read vectors as the API writes them.

        Args:
            vectors: Base64, as text or bytes, or lists of numbers, all of one kind and length.
            dtype: The `output_dtype` of the request; None is the API's default.
            dimension: The `output_dimension` of the request; None for any.

        Raises:
            ShapeError: A vector is neither base64 nor a list, differs from the first in kind or
                length, has another dimension, or holds NaN or infinity; the path says where.
        """
        asked = DTYPES[dtype or DEFAULT]
        number = asked.number
        if not vectors:
            return cls(bytearray(), number, 0)
        if isinstance(vectors[0], (str, memoryview)):
            found = cls._from_base64(vectors, number)
        else:
            # Numbers in a list may have more digits than float32, and keep them.
            found = cls._from_lists(vectors, "float64" if number == "float32" else number)
        if not found.columns:
            raise ShapeError("there are no numbers", "[0]")
        if dimension is not None and found.columns * asked.dimensions_per_number != dimension:
            raise ShapeError(
                f"{found.columns} numbers of {number} are not the dimension {dimension}", "[0]"
            )
        found._check_finite()
        return found

    @classmethod
    def _from_base64(cls, vectors: Sequence[str | memoryview | list[float]], number: str) -> Self:
        decode = _decoder()
        item_size = array.array(FORMATS[number]).itemsize
        size = -1
        buffer = bytearray()
        view = memoryview(buffer)
        for row, text in enumerate(vectors):
            if not isinstance(text, (str, memoryview)):
                raise ShapeError(
                    "expected base64 like the vectors before it, found a list", f"[{row}]"
                )
            try:
                data = decode(text)
            except ValueError as error:
                raise ShapeError(f"not base64 ({error})", f"[{row}]") from None
            if size == -1:
                size = len(data)
                if size % item_size:
                    raise ShapeError(f"{size} bytes are no whole number of {number}", f"[{row}]")
                buffer = bytearray(size * len(vectors))
                view = memoryview(buffer)
            if len(data) != size:
                raise ShapeError(f"{len(data)} bytes, but the first vector has {size}", f"[{row}]")
            view[row * size : (row + 1) * size] = data
        if sys.byteorder == "big":
            numbers: array.array[Any] = array.array(FORMATS[number], bytes(buffer))
            numbers.byteswap()
            buffer = bytearray(numbers.tobytes())
        return cls(buffer, number, size // item_size)

    @classmethod
    def _from_lists(cls, vectors: Sequence[str | memoryview | list[float]], number: str) -> Self:
        columns = -1
        numbers: array.array[Any] = array.array(FORMATS[number])
        for row, vector in enumerate(vectors):
            if isinstance(vector, (str, memoryview)):
                raise ShapeError(
                    "expected a list like the vectors before it, found base64", f"[{row}]"
                )
            if not isinstance(vector, Sized):  # pyright: ignore[reportUnnecessaryIsInstance]  # the JSON may hold anything
                raise ShapeError(f"expected a list, found {vector!r}", f"[{row}]")
            if columns == -1:
                columns = len(vector)
            if len(vector) != columns:
                raise ShapeError(
                    f"{len(vector)} numbers, but the first vector has {columns}", f"[{row}]"
                )
            try:
                numbers.extend(array.array(FORMATS[number], vector))
            except (TypeError, OverflowError) as error:
                raise ShapeError(f"not all of it is {number} ({error})", f"[{row}]") from None
        return cls(bytearray(numbers.tobytes()), number, columns)

    def _check_finite(self) -> None:
        """Raise on NaN and infinity; looks at the high bytes first, and mostly only at those."""
        if not self.number.startswith("float"):
            return
        size = array.array(FORMATS[self.number]).itemsize
        exponents = bytes(self.buffer[size - 1 :: size] if LITTLE else self.buffer[::size])
        if b"\x7f" not in exponents and b"\xff" not in exponents:
            return  # all are finite
        numbers = array.array(FORMATS[self.number], bytes(self.buffer))
        for place, value in enumerate(numbers):
            if not isfinite(value):
                row, column = divmod(place, self.columns)
                raise ShapeError(f"number {column} is {value}", f"[{row}]")

    def __len__(self) -> int:
        row_size = self.columns * array.array(FORMATS[self.number]).itemsize
        return len(self.buffer) // row_size if row_size else 0

    def numbers(self) -> memoryview:
        """Return all numbers as one flat view of shape (rows * columns,)."""
        return cast("memoryview", memoryview(self.buffer).cast("B").cast(FORMATS[self.number]))  # type: ignore[call-overload]  # one of its formats

    def joined(self, other: Vectors) -> Vectors | None:
        """Return these vectors and others in one new buffer; None if number or columns differ."""
        if (self.number, self.columns) != (other.number, other.columns):
            return None
        return Vectors(bytearray().join((self.buffer, other.buffer)), self.number, self.columns)

    def rows(self, start: int, stop: int) -> Vectors:
        """Return the vectors from `start` to `stop`, without a copy."""
        size = self.columns * array.array(FORMATS[self.number]).itemsize
        view = memoryview(self.buffer)[start * size : stop * size]
        return Vectors(view, self.number, self.columns)

    def tolist(self) -> list[list[float]]:
        """Return the vectors as new lists of Python numbers."""
        if not len(self):
            return []
        shape = (len(self), self.columns)
        nested = memoryview(self.buffer).cast("B").cast(FORMATS[self.number], shape).tolist()  # type: ignore[call-overload]  # `cast` takes such a shape
        return cast("list[list[float]]", nested)

    def narrowed(self) -> Vectors:
        """Return float64 vectors as a float32 copy, and all others unchanged."""
        if self.number != "float64":
            return self
        numbers = array.array("f", memoryview(self.buffer).cast("B").cast("d").tolist())
        return Vectors(bytearray(numbers.tobytes()), "float32", self.columns)

    def to_bytes(self) -> list[bytes]:
        """Return each vector as little-endian bytes; float64 is narrowed to float32."""
        narrow = self.narrowed()
        numbers = array.array(FORMATS[narrow.number], bytes(narrow.buffer))
        if not LITTLE:
            numbers.byteswap()
        raw = numbers.tobytes()
        size = narrow.columns * numbers.itemsize
        return [raw[start : start + size] for start in range(0, len(raw), size or 1)]

    def to_numpy(self) -> npt.NDArray[Any]:
        """Return a matrix of shape (rows, columns) over the same memory; float64 becomes float32.

        Raises:
            ImportError: numpy is not installed.
        """
        np = require("numpy", "numpy")
        matrix: npt.NDArray[Any] = np.frombuffer(self.buffer, dtype=self.number).reshape(
            len(self), self.columns
        )
        return matrix.astype("float32") if self.number == "float64" else matrix

    def __reduce__(self) -> tuple[Any, ...]:
        return Vectors, (bytearray(self.buffer), self.number, self.columns)
