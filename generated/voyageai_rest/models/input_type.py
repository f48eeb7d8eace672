from typing import Literal

InputType = Literal["document", "query"]
"""What the input is for. The server puts a prompt before it, another for queries than for
documents, so that the two are compared as question and answer."""

INPUT_TYPE_VALUES: tuple[InputType, ...] = ("document", "query")
