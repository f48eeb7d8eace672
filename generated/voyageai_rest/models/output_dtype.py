from typing import Literal

OutputDtype = Literal["binary", "float", "int8", "ubinary", "uint8"]
"""Type of a vector's numbers. `float` is float32; `int8` and `uint8` are one byte per dimension;
`binary` and `ubinary` pack eight dimensions into one signed or unsigned byte, the first
dimension in the highest bit. The signed byte is the unsigned one minus 128. Types other than
`float` need a model that supports them."""

OUTPUT_DTYPE_VALUES: tuple[OutputDtype, ...] = ("binary", "float", "int8", "ubinary", "uint8")
