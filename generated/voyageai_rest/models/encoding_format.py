from typing import Literal

EncodingFormat = Literal["base64"]
"""How vectors are written. `base64` is the little-endian memory of the numbers (float32, int8 or
uint8); without it, lists of numbers. `float` is refused."""

ENCODING_FORMAT_VALUES: tuple[EncodingFormat, ...] = ("base64",)
