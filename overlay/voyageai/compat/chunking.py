"""Functions that cut documents into chunks, as the official client has them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..inputs.contextualized import ChunkFunction, apply_chunking, check_chunking, check_documents
from ..inputs.splitting import SEPARATORS as _SEPARATORS
from ..inputs.splitting import split

__all__ = [
    "DEFAULT_CHUNK_SIZE",
    "SEPARATORS",
    "apply_chunking",
    "default_chunk_fn",
    "validate_and_normalize_contextualized_inputs",
]

DEFAULT_CHUNK_SIZE = 2048
SEPARATORS = list(_SEPARATORS)


def default_chunk_fn(chunk_size: int = DEFAULT_CHUNK_SIZE) -> Callable[[str], list[str]]:
    """Return a function that cuts texts at paragraphs, lines, sentences or words.

    Args:
        chunk_size: Most characters of a chunk.

    Returns:
        A function from a text to its chunks, for `chunk_fn=` of `contextualized_embed`.

    Raises:
        ArgumentError: The size is less than 1.

    Example:
        >>> default_chunk_fn(10)("Hello world. Foo bar,baz qux")
        ['Hello ', 'world.', ' Foo bar,', 'baz qux']
    """
    split("", chunk_size)  # a wrong size is an error now, not at the first text
    return partial(split, size=chunk_size)


def validate_and_normalize_contextualized_inputs(
    inputs: list[list[str]] | list[str],
    input_type: str | None,
    chunk_fn: ChunkFunction | None,
    enable_auto_chunking: bool,
    chunk_size: int | None,
    chunk_overlap: int | None,
) -> tuple[list[list[str]], dict[str, Any]]:
    """Check inputs of `contextualized_embed` before they are chunked.

    Returns:
        Documents as lists of texts, and the arguments of auto-chunking that are set.

    Raises:
        ArgumentError: They contradict each other.
    """
    fields = check_chunking(
        chunk_fn,
        {
            "enable_auto_chunking": enable_auto_chunking,
            "chunk_size": chunk_size,
            "chunk_overlap": chunk_overlap,
        },
    )
    documents = check_documents(inputs, input_type, None, enable_auto_chunking)
    return documents, {name: value for name, value in fields.items() if value is not None}
