"""Cut a text into chunks of whole lines, and give their places."""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

from voyageai_rest.catalogue import TOKENIZATION

from ...inputs.splitting import split

__all__ = ["Chunk", "cut"]


class Chunk(NamedTuple):
    """Place of a part of a text.

    Attributes:
        line: Number of its first line, from 1.
        last_line: Number of its last line.
        start: Number of its first character, from 0.
        stop: Number of the character after its last.
    """

    line: int
    last_line: int
    start: int
    stop: int


class _Piece(NamedTuple):
    """A line, or a part of a line that is longer than a chunk."""

    line: int
    start: int
    stop: int
    weight: int
    is_blank: bool


def cut(text: str, tokens: int, overlap: int) -> list[Chunk]:
    r"""Cut a text into chunks.

    Chunks end between paragraphs or functions where possible. After a change in the text, chunks
    soon are the same as before it.

    Args:
        text: The text.
        tokens: Most tokens of a chunk, by `estimate_tokens`. A longer line is cut.
        overlap: Most tokens that the next chunk repeats from the end of a chunk.

    Returns:
        The chunks in order, without those of white space. Together they hold all other text.

    Example:
        >>> cut("one\ntwo\n", 10, 0)
        [Chunk(line=1, last_line=2, start=0, stop=8)]
    """
    max_weight, max_overlap = (
        int(count * TOKENIZATION.characters_per_token) for count in (tokens, overlap)
    )
    pieces = _pieces(text, max_weight)
    chunks: list[Chunk] = []
    first, count = 0, len(pieces)
    while first < count:
        weight, end = 0, first
        while end < count and (end == first or weight + pieces[end].weight <= max_weight):
            weight += pieces[end].weight
            end += 1
        if end < count:
            end = _border(text, pieces, first, end, weight // 2)
        _add(chunks, pieces, first, end)
        if end == count:
            break
        back, again = end, 0
        while back - 1 > first and again + pieces[back - 1].weight <= max_overlap:
            back -= 1
            again += pieces[back].weight
        first = back
    return chunks


def _pieces(text: str, max_weight: int) -> list[_Piece]:
    """Split a text into its lines, and lines that are too long into parts."""
    pieces: list[_Piece] = []
    start, plain = 0, text.isascii()
    for number, line in enumerate(text.split("\n"), 1):
        stop = min(start + len(line) + 1, len(text))
        length = stop - start
        weight = length if plain or line.isascii() else _weight(text[start:stop])
        if weight <= max_weight:
            if length:
                pieces.append(_Piece(number, start, stop, weight, not line or line.isspace()))
            start = stop
            continue
        for part in split(text[start:stop], max(1, max_weight * length // weight)):
            end = start + len(part)
            pieces.append(_Piece(number, start, end, _weight(part), part.isspace()))
            start = end
    return pieces


def _weight(text: str) -> int:
    """Return the length of a text; characters outside ASCII count more, as in `estimate_tokens`."""
    if text.isascii():
        return len(text)
    return 2 * len(text.encode("utf-8", "surrogatepass")) - len(text)


def _border(text: str, pieces: list[_Piece], first: int, end: int, half: int) -> int:
    """Return the piece to end a chunk before: after a blank line of its second half, else any line.

    Among these places, the least checksum of the line that follows decides. So the border depends
    on the text around it, and not on the length of the text before.
    """
    left, places = 0, [end]
    for place in range(end - 1, first, -1):
        left += pieces[place].weight
        if left > half:
            break
        places.append(place)
    blank = [place for place in places if pieces[place - 1].is_blank]
    return min(
        blank or places,
        key=lambda place: crc32(text[pieces[place].start : pieces[place].stop].encode()),
    )


def _add(chunks: list[Chunk], pieces: list[_Piece], first: int, end: int) -> None:
    """Add a chunk without blank lines at its beginning and end, unless it is empty then."""
    while first < end and pieces[first].is_blank:
        first += 1
    while end > first and pieces[end - 1].is_blank:
        end -= 1
    if first < end:
        here, last = pieces[first], pieces[end - 1]
        chunks.append(Chunk(here.line, last.line, here.start, last.stop))
