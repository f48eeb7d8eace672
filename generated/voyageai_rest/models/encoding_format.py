from typing import Literal

EncodingFormat = Literal["base64"]
"""Encoding of the vectors in the response. `base64` encodes the numbers as little-endian bytes
(float32, int8 or uint8). By default, vectors are lists of numbers. The value `float` is
rejected."""

ENCODING_FORMAT_VALUES: tuple[EncodingFormat, ...] = ("base64",)
