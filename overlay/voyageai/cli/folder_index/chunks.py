"""Cut a text into chunks that begin and end with a line, and say where they are."""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

from voyageai_rest.catalogue import TOKENIZATION

from ...inputs.splitting import split

__all__ = ["Chunk", "cut"]


class Chunk(NamedTuple):
    """A part of a text.

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
    """A line, or a part of one that is longer than a chunk may be."""

    line: int
    start: int
    stop: int
    weight: int
    is_blank: bool


def cut(text: str, tokens: int, overlap: int) -> list[Chunk]:
    r"""Cut a text.

    Chunks end between paragraphs or functions, where there are any, and those behind a change are
    soon what they were.

    Args:
        text: The text.
        tokens: Tokens of a chunk, at most, as `estimate_tokens` has them. A single line that is
            longer is cut.
        overlap: Tokens at the end of a chunk, at most, with which the next one begins again.

    Returns:
        The chunks in order, those of white space left out. Together they have all that is not.

    Example:
        >>> cut("one\ntwo\n", 10, 0)
        [Chunk(line=1, last_line=2, start=0, stop=8)]
    """
    most, shared = (int(count * TOKENIZATION.characters_per_token) for count in (tokens, overlap))
    pieces = _pieces(text, most)
    chunks: list[Chunk] = []
    first, count = 0, len(pieces)
    while first < count:
        weight, end = 0, first
        while end < count and (end == first or weight + pieces[end].weight <= most):
            weight += pieces[end].weight
            end += 1
        if end < count:
            end = _border(text, pieces, first, end, weight // 2)
        _add(chunks, pieces, first, end)
        if end == count:
            break
        back, again = end, 0
        while back - 1 > first and again + pieces[back - 1].weight <= shared:
            back -= 1
            again += pieces[back].weight
        first = back
    return chunks


def _pieces(text: str, most: int) -> list[_Piece]:
    """Split a text into its lines, and these where they are too long."""
    pieces: list[_Piece] = []
    start, plain = 0, text.isascii()
    for number, line in enumerate(text.split("\n"), 1):
        stop = min(start + len(line) + 1, len(text))
        length = stop - start
        weight = length if plain or line.isascii() else _weight(text[start:stop])
        if weight <= most:
            if length:
                pieces.append(_Piece(number, start, stop, weight, not line or line.isspace()))
            start = stop
            continue
        for part in split(text[start:stop], max(1, most * length // weight)):
            end = start + len(part)
            pieces.append(_Piece(number, start, end, _weight(part), part.isspace()))
            start = end
    return pieces


def _weight(text: str) -> int:
    """Characters of a text, those outside ASCII counted for more, as `estimate_tokens` does."""
    if text.isascii():
        return len(text)
    return 2 * len(text.encode("utf-8", "surrogatepass")) - len(text)


def _border(text: str, pieces: list[_Piece], first: int, end: int, half: int) -> int:
    """Return where to end a chunk: after a blank line, or else a line, of its second half.

    Among these the line that follows decides, by its checksum. So the border depends on the text
    around it, and not on how long what comes before it is.
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
    """Add a chunk, without blank lines at its beginning and end, unless nothing is left."""
    while first < end and pieces[first].is_blank:
        first += 1
    while end > first and pieces[end - 1].is_blank:
        end -= 1
    if first < end:
        here, last = pieces[first], pieces[end - 1]
        chunks.append(Chunk(here.line, last.line, here.start, last.stop))
