"""The official client's functions that split documents into chunks."""

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
    """Return a function that splits texts at paragraphs, lines, sentences or words.

    Args:
        chunk_size: Most characters of a chunk.

    Returns:
        A function from a text to its chunks, for `chunk_fn=` of `contextualized_embed`.

    Raises:
        ArgumentError: `chunk_size` is less than 1.

    Example:
        >>> default_chunk_fn(10)("Hello world. Foo bar,baz qux")
        ['Hello ', 'world.', ' Foo bar,', 'baz qux']
    """
    split("", chunk_size)  # raises now for a wrong size
    return partial(split, size=chunk_size)


def validate_and_normalize_contextualized_inputs(
    inputs: list[list[str]] | list[str],
    input_type: str | None,
    chunk_fn: ChunkFunction | None,
    enable_auto_chunking: bool,
    chunk_size: int | None,
    chunk_overlap: int | None,
) -> tuple[list[list[str]], dict[str, Any]]:
    """Check the inputs of `contextualized_embed` before they are chunked.

    Returns:
        Documents as lists of texts, and the auto-chunking arguments that are set.

    Raises:
        ArgumentError: The arguments contradict each other, or `inputs` has a wrong form.
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
