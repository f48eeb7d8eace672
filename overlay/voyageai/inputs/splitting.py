"""Splitting of long texts into chunks, at paragraphs, lines, sentences or words.

A text is split after the first separator that occurs in it. Pieces that are still too long are
split after the next separator, down to single characters; short neighbours are merged again. The
concatenated chunks are the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..error import ArgumentError

__all__ = ["SEPARATORS", "split"]

SEPARATORS = ("\n\n", "\n", "．", "。", "，", "、", ".", ",", " ", "\u200b", "")  # noqa: RUF001  # of CJK texts
"""Separators from the most to the least preferred; those of the official client."""


def split(text: str, size: int, separators: Sequence[str] = SEPARATORS) -> list[str]:
    """Split a text into chunks.

    Args:
        text: The text.
        size: Most characters of a chunk.
        separators: Separators, the preferred first. The last is used where none occurs.

    Raises:
        ArgumentError: `size` is less than 1.

    Example:
        >>> split("one two three", 6)
        ['one ', 'two ', 'three']
    """
    if size < 1:
        raise ArgumentError(f"chunk_size must be at least 1, not {size}", "chunk_size")
    return list(_split(text, size, separators))


def _split(text: str, size: int, separators: Sequence[str]) -> Iterator[str]:
    place = next((n for n, one in enumerate(separators) if one in text), len(separators) - 1)
    remaining = separators[place + 1 :]
    short: list[str] = []
    for piece in _pieces(text, separators[place]):
        if len(piece) < size:
            short.append(piece)
            continue
        yield from _merged(short, size)
        short = []
        if remaining:
            yield from _split(piece, size, remaining)
        else:
            yield piece
    yield from _merged(short, size)


def _pieces(text: str, separator: str) -> Iterable[str]:
    """Split a text after each separator."""
    if not separator:
        return text
    *ended, last = text.split(separator)
    return filter(None, [*(piece + separator for piece in ended), last])


def _merged(pieces: Iterable[str], size: int) -> Iterator[str]:
    """Merge neighbouring pieces into chunks of up to `size` characters."""
    chunk = ""
    for piece in pieces:
        if chunk and len(chunk) + len(piece) > size:
            yield chunk
            chunk = ""
        chunk += piece
    if chunk:
        yield chunk
