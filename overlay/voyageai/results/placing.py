"""Entries of an answer in the order of their inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from voyageai_rest.errors import ShapeError

if TYPE_CHECKING:
    from voyageai_rest.models import ChunkEmbedding, DocumentEmbeddings, Embedding

    Entry = Embedding | DocumentEmbeddings | ChunkEmbedding

T = TypeVar("T", bound="Entry")


def placed(data: Sequence[T], expected: int | None, path: str = "data") -> list[T]:
    """Return the entries of an answer in the order of their inputs.

    Args:
        data: The entries, in any order.
        expected: How many there must be; None for any number.
        path: Their path in the answer, for errors.

    Raises:
        ShapeError: An entry is missing, there twice, or of no input.
    """
    if expected is not None and len(data) != expected:
        raise ShapeError(f"expected {expected} entries, found {len(data)}", path)
    try:
        indexes = [entry.index for entry in data]
    except AttributeError:  # entries that tests make by hand may have none
        return list(data)
    if callable(indexes[0] if indexes else None):  # of a tuple, made by hand too, it is a method
        return list(data)
    if indexes == list(range(len(data))):
        return list(data)
    ordered: list[T | None] = [None] * len(data)
    for entry, index in zip(data, indexes, strict=True):
        if not 0 <= index < len(data):
            raise ShapeError(
                f"index {index} does not belong to any input; there are {len(data)}", path
            )
        if ordered[index] is not None:
            raise ShapeError(f"index {index} appears twice", path)
        ordered[index] = entry
    return [entry for entry in ordered if entry is not None]
