"""Long texts into chunks of tokens, for requests that leave the chunking to the server."""

from __future__ import annotations

import re
from bisect import bisect_left

from .tokens import count, spans, truncate

__all__ = ["VERSION", "split"]

VERSION = "emulator-2"
"""Changes when the same text may come out in other chunks."""

# Where a chunk may end, the better places first.
_ENDS = (
    re.compile(r"\n\s*\n"),  # after a paragraph
    re.compile(r"\n|[.!?…]+[\"')\]]*(?=\s)|[。！？]"),  # noqa: RUF001 - full-width signs end too
    re.compile(r"(?<=\S)(?=\s)"),  # after a word
)


def split(text: str, size: int, overlap: int, most: int | None = None) -> list[str]:
    """Cut a text into chunks of at most `size` tokens, neighbours sharing up to `overlap` of them.

    A chunk is a stretch of the text as it stands, and all of the text is in one. In its second
    half it ends after a paragraph, else a line or sentence, else a word; what it shares with the
    next begins with a word, if one begins there. A single character of more than `size` tokens is
    a chunk all the same.

    Args:
        text: What to cut.
        size: Most tokens of a chunk, at least 1.
        overlap: Most tokens that neighbours share, less than `size`.
        most: Chunks after which to leave off; by default never.

    >>> split("one two three four five", 3, 1)
    ['one two three', ' three four five']
    >>> split("It is late. We go home now.", 6, 0)
    ['It is late.', ' We go home now.']
    """
    if most is not None and most < 1:
        return []
    if count(text) <= size:
        return [text]
    begins = [begin for begin, _ in spans(text)]
    chunks: list[str] = []
    start = end = 0
    while end < len(text) and len(chunks) != most:
        beyond = bisect_left(begins, start) + size
        reach = begins[beyond] if beyond < len(begins) else len(text)
        chunk = truncate(text[start:reach], size) or text[start]
        if start + len(chunk) < len(text):
            chunk = _end_well(text, start, chunk, size, overlap)
        if start + len(chunk) <= end:  # brings nothing that the chunk before does not have
            start = end
            continue
        chunks.append(chunk)
        end = start + len(chunk)
        start = max(end - _shared(chunk, overlap), start + 1)
    return chunks


def _end_well(text: str, start: int, chunk: str, size: int, overlap: int) -> str:
    """A chunk that begins at `start`, or the most of it that ends at a better place."""
    tokens = spans(chunk)
    # More than it shares with the next chunk, or there would be no end to them.
    fewest = max(size // 2, overlap + 1)
    least = start + tokens[min(fewest, len(tokens)) - 1][1]
    most = start + len(chunk)
    for ends in _ENDS:
        places = [found.end() for found in ends.finditer(text, start, most + 1)]
        best = max((place for place in places if least <= place <= most), default=None)
        if best is not None:
            return truncate(text[start:best], size) or chunk
    return chunk


def _shared(chunk: str, overlap: int) -> int:
    """How many characters at the end of a chunk the next one repeats."""
    tokens = spans(chunk)
    tail = range(max(len(tokens) - overlap, 1), len(tokens))
    # A token that is a part of a character has the span of all of it.
    places = [tokens[at][0] for at in tail if tokens[at - 1][1] <= tokens[at][0]]
    words = [place for place in places if chunk[place - 1].isspace() or chunk[place].isspace()]
    for place in words or places:
        if count(chunk[place:]) <= overlap:
            return len(chunk) - place
    return 0
