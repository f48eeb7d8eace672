"""Split long texts into chunks, at paragraphs, lines, sentences or words.

A text is cut after the first separator that occurs in it; pieces that are still too long are cut
after the next, down to single characters; short neighbours are put together again. Nothing is lost:
the chunks joined are the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..error import ArgumentError

__all__ = ["SEPARATORS", "split"]

SEPARATORS = ("\n\n", "\n", "．", "。", "，", "、", ".", ",", " ", "\u200b", "")  # noqa: RUF001  # of CJK texts
"""From the best place to cut after to the worst; those of the official client."""


def split(text: str, size: int, separators: Sequence[str] = SEPARATORS) -> list[str]:
    """Cut a text into chunks.

    Args:
        text: The text.
        size: Most characters of a chunk.
        separators: Where to cut, the best first. The last is taken where none occurs.

    Raises:
        ArgumentError: The size is less than 1.

    Example:
        >>> split("one two three", 6)
        ['one ', 'two ', 'three']
    """
    if size < 1:
        raise ArgumentError(f"chunk_size must be at least 1, not {size}", "chunk_size")
    return list(_split(text, size, separators))


def _split(text: str, size: int, separators: Sequence[str]) -> Iterator[str]:
    place = next((n for n, one in enumerate(separators) if one in text), len(separators) - 1)
    worse = separators[place + 1 :]
    short: list[str] = []
    for piece in _cut(text, separators[place]):
        if len(piece) < size:
            short.append(piece)
            continue
        yield from _together(short, size)
        short = []
        if worse:
            yield from _split(piece, size, worse)
        else:
            yield piece
    yield from _together(short, size)


def _cut(text: str, separator: str) -> Iterable[str]:
    """Split a text after each separator."""
    if not separator:
        return text
    *ended, last = text.split(separator)
    return filter(None, [*(piece + separator for piece in ended), last])


def _together(pieces: Iterable[str], size: int) -> Iterator[str]:
    """Join neighbouring pieces up to a size."""
    chunk = ""
    for piece in pieces:
        if chunk and len(chunk) + len(piece) > size:
            yield chunk
            chunk = ""
        chunk += piece
    if chunk:
        yield chunk
