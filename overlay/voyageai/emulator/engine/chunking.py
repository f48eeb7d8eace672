"""Long texts into chunks of tokens, for requests that leave the chunking to the server."""

from __future__ import annotations

from .tokens import spans

__all__ = ["VERSION", "split"]

VERSION = "emulator-1"
"""Changes when the same text may come out in other chunks."""


def split(text: str, size: int, overlap: int) -> list[str]:
    """Cut a text into chunks of at most `size` tokens, neighbours sharing `overlap` of them.

    A chunk is a stretch of the text as it stands, from its first token to its last.

    >>> split("one two three four five", 3, 1)
    ['one two three', 'three four five']
    """
    tokens = spans(text)
    chunks: list[str] = []
    for start in range(0, max(len(tokens) - overlap, 1), size - overlap):
        inside = tokens[start : start + size]
        chunks.append(text[inside[0][0] : inside[-1][1]] if inside else text)
    return chunks
