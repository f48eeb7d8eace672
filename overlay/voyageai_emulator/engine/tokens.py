"""How the emulator counts tokens: by its own tokenizer, with a memory for words.

Prompts added for ``input_type`` are not counted.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ..tokenizer import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenizers import Encoding

__all__ = ["beginning", "count", "counts", "spans", "truncate"]

# A space between two visible characters of ASCII always begins a token, and what is before it
# does not bear on what is after it (see the pattern in `tokenizer.json`). So a text has as many
# tokens as its parts, and most parts are words that were counted before: several times faster
# than the library, without its threads, of which it complains after a fork.
_PARTS = re.compile("(?<=[!-~])(?= [!-~])")
_LONGEST_WORD = 32
_WORDS = 1 << 16


def count(text: str) -> int:
    """Number of tokens of a text.

    >>> count("The sun rose at 06:30.")
    8
    """
    return sum(
        _count_word(part) if len(part) <= _LONGEST_WORD else len(_encode(part))
        for part in _PARTS.split(text)
    )


def counts(texts: Iterable[str], limit: int | None = None) -> list[int]:
    """Number of tokens of each text; some number beyond the limit where it is well beyond that.

    >>> counts(["one", "one two"])
    [1, 2]
    """
    return [count(beginning(text, limit)) for text in texts]


def beginning(text: str, limit: int | None) -> str:
    """A text, or a beginning of it that has well over `limit` tokens.

    What follows would make no difference, but take time, and hundreds of bytes for each token.

    >>> len(beginning("one " * 1_000, 10))
    80
    """
    if limit is None:
        return text
    # The beginning may have more tokens at its end than it has there within the text.
    length = max(limit, 1)
    enough = 2 * length
    while length < len(text):
        if count(text[:length]) > enough:
            return text[:length]
        length *= 2
    return text


def spans(text: str) -> list[tuple[int, int]]:
    """Where each token begins and ends, in characters.

    Tokens that are parts of one character all have that character's span.

    >>> spans("one two")
    [(0, 3), (3, 7)]
    """
    return _encode(text).offsets


def truncate(text: str, limit: int) -> str:
    """A text, or its beginning up to the end of a token if it has more than `limit` tokens.

    Counted by itself, the beginning has at most that many.

    >>> truncate("one two three", 2)
    'one two'
    """
    text = beginning(text, limit)
    if count(text) <= limit:
        return text
    tokens = spans(text)
    for kept in range(limit, 0, -1):
        end = tokens[kept - 1][1]
        # A beginning that ends inside a word may have more tokens than it had in the whole.
        if end <= tokens[kept][0] and count(text[:end]) <= limit:
            return text[:end]
    return ""


@lru_cache(maxsize=_WORDS)
def _count_word(word: str) -> int:
    return len(_encode(word))


def _encode(text: str) -> Encoding:
    if not text.isascii():
        # JSON can hold lone surrogates, which the library refuses; each becomes a question mark.
        text = text.encode("utf-8", "replace").decode()
    return load().encode(text)
