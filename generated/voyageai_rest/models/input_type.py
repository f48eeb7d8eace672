from typing import Literal

InputType = Literal["document", "query"]
"""Purpose of the input. The server prepends a prompt to it. The prompts for queries and for
documents differ, so that queries match the documents that answer them."""

INPUT_TYPE_VALUES: tuple[InputType, ...] = ("document", "query")
