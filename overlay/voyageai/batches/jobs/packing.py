"""Filling lines with rows, and batches with lines, each as far as it may be."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Load", "Size"]


class Size(NamedTuple):
    """How much something is, in all that is limited.

    Attributes:
        rows: Texts, documents, or queries with their documents.
        inputs: Texts or documents, of which a batch takes so many.
        tokens: Tokens, as far as they are known.
        most_tokens: Tokens that it can be billed for, at most.
        chunks: Chunks of documents; 0 where there are none.
        bytes: Bytes of a line.
    """

    rows: int = 0
    inputs: int = 0
    tokens: int = 0
    most_tokens: int = 0
    chunks: int = 0
    bytes: int = 0

    def plus(self, other: Size) -> Size:
        """Both together."""
        return Size(*(one + more for one, more in zip(self, other, strict=True)))


class Load:
    """What has been put into something that holds only so much.

    Args:
        most: The most of each; what is left out has no limit.
    """

    def __init__(self, **most: int | None) -> None:
        self._most = [most.get(name) for name in Size._fields]
        self.size = Size()

    def takes(self, more: Size) -> bool:
        """Whether more fits in. What is too large by itself fits where nothing is yet."""
        if self.size == Size():
            return True
        return all(
            most is None or amount <= most
            for most, amount in zip(self._most, self.size.plus(more), strict=True)
        )

    def add(self, more: Size) -> None:
        """Put more in."""
        self.size = self.size.plus(more)

    def clear(self) -> Size:
        """Take all out, and tell how much it was."""
        size, self.size = self.size, Size()
        return size
