"""Inputs of `contextualized_embed`: documents as lists of chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..argument_checks import NONE, check_flag, check_list, check_number, check_texts, constraint
from ..error import ArgumentError

if TYPE_CHECKING:
    from voyageai_rest.constraints import Constraint

ChunkFunction = Callable[[str], list[str]]
REQUEST = "ContextualizedEmbeddingsRequest"


def check_chunking(chunk_fn: ChunkFunction | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Check the chunking arguments, which can contradict each other.

    Args:
        chunk_fn: Splits each text into chunks.
        fields: The optional fields of the request.

    Returns:
        The fields, with `enable_auto_chunking` None, which is not sent, in place of False.

    Raises:
        ArgumentError: `chunk_fn` is combined with auto-chunking; `chunk_size` or `chunk_overlap` is
            given without auto-chunking, is out of bounds, or the overlap is given without a size or
            is not below it. Messages and their order are the official client's.
    """
    automatic = fields.get("enable_auto_chunking")
    size, overlap = fields.get("chunk_size"), fields.get("chunk_overlap")
    check_flag("enable_auto_chunking", automatic)
    if chunk_fn is not None and automatic:
        raise ArgumentError(
            "chunk_fn cannot be combined with enable_auto_chunking=True", "chunk_fn"
        )
    if not automatic and (size is not None or overlap is not None):
        raise ArgumentError(
            "chunk_size and chunk_overlap require enable_auto_chunking=True", "chunk_size"
        )
    if size is not None and overlap is not None and overlap >= size:
        raise ArgumentError(
            f"chunk_overlap ({overlap}) must be less than chunk_size ({size})", "chunk_overlap"
        )
    check_number(REQUEST, "chunk_size", size)
    check_number(REQUEST, "chunk_overlap", overlap)
    if overlap is not None and size is None:
        raise ArgumentError("chunk_overlap requires chunk_size", "chunk_overlap")
    return {**fields, "enable_auto_chunking": automatic or None}


def check_documents(
    inputs: object,
    input_type: str | None,
    chunk_fn: ChunkFunction | None,
    enable_auto_chunking: bool,
) -> list[list[str]]:
    """Return documents as lists of chunks, from any of the forms that the endpoint takes.

    Args:
        inputs: A list of lists of chunks, or a flat list of queries or whole documents.
        input_type: `query`, `document` or None.
        chunk_fn: Splits each text into chunks.
        enable_auto_chunking: True if the server splits the documents.

    Raises:
        ArgumentError: `inputs` is neither kind of list, or breaks a rule of the endpoint.
    """
    bounds = constraint(REQUEST, "inputs")
    if type(inputs) in (list, tuple) and not inputs:
        raise ArgumentError("inputs must not be empty", "inputs")
    documents = check_list(inputs, "inputs", bounds, "lists of strings")
    if all(isinstance(document, str) for document in documents):
        if input_type != "query" and not enable_auto_chunking:
            raise ArgumentError(
                "List[str] inputs requires enable_auto_chunking=True or input_type='query'",
                "inputs",
            )
        documents = [[document] for document in documents]
    if enable_auto_chunking and input_type != "document":
        raise ArgumentError(
            "enable_auto_chunking=True requires input_type='document'", "enable_auto_chunking"
        )
    chunked = bounds.item or NONE
    if chunk_fn is None:
        checked = _check_each(documents, "inputs", chunked)
    else:  # empty texts are allowed: `chunk_fn` may drop them
        texts = _check_each(documents, "inputs", NONE)
        checked = _check_each(apply_chunking(texts, chunk_fn), "chunk_fn(inputs)", chunked)
    for place, chunks in enumerate(checked):
        if enable_auto_chunking and len(chunks) != 1:
            raise ArgumentError(
                f"inputs[{place}] has {len(chunks)} chunks; "
                "auto-chunking expects one string per document",
                f"inputs[{place}]",
            )
    return checked


def apply_chunking(inputs: Iterable[Iterable[str]], chunk_fn: ChunkFunction) -> list[list[str]]:
    """Return the chunks of each document, in the order of its texts."""
    return [[chunk for text in document for chunk in chunk_fn(text)] for document in inputs]


def _check_each(documents: Iterable[object], argument: str, bounds: Constraint) -> list[list[str]]:
    return [
        check_texts(document, f"{argument}[{place}]", bounds)
        for place, document in enumerate(documents)
    ]
