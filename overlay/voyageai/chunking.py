"""The official client's name for `voyageai.compat.chunking`."""

from .compat.chunking import (
    DEFAULT_CHUNK_SIZE,
    SEPARATORS,
    apply_chunking,
    default_chunk_fn,
    validate_and_normalize_contextualized_inputs,
)

__all__ = [
    "DEFAULT_CHUNK_SIZE",
    "SEPARATORS",
    "apply_chunking",
    "default_chunk_fn",
    "validate_and_normalize_contextualized_inputs",
]
