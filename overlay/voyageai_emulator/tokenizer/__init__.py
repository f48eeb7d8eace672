"""The emulator's tokenizer: count tokens, truncate texts and split them into chunks.

It is a byte-level BPE tokenizer without normalization, which replaces the models' own. README.md in
this folder names its training data; docs/emulator.md compares its counts with recorded ones.

Tokenizers of older models put a start token before each text, which counts too; `start_token` is
true for these. Prompts added for ``input_type`` are not counted.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer
from tokenizers.models import BPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenizers import Encoding

__all__ = [
    "CHUNKER_VERSION",
    "content",
    "count",
    "counts",
    "load",
    "spans",
    "split_into_chunks",
    "truncate",
]

CHUNKER_VERSION = "emulator-3"
"""Version of the chunker, to be changed if the same text may be split into other chunks."""

FIRST = "<s>"
"""The start token; text that looks like it is not read as that token."""

# A space between two visible ASCII characters always begins a token, and the text before it does
# not affect the tokens after it (by the pattern in `tokenizer.json`). So the parts of a text can be
# counted separately, and most of them are words whose count is cached. This is several times faster
# than the library, and avoids its threads, about which it warns after a fork.
_PARTS = re.compile("(?<=[!-~])(?= [!-~])")
_LONGEST_CACHED = 32
_CACHED = 1 << 16
_LONGEST_TOKEN = 31
"""Bytes of the longest token. Split in two, it may become as many tokens."""

# Where a chunk may end, best places first.
_ENDS = (
    re.compile(r"\n\s*\n"),  # after a paragraph
    re.compile(r"\n|[.!?…]+[\"')\]]*(?=\s)|[。！？]"),  # noqa: RUF001 - full-width signs end too
    re.compile(r"(?<=\S)(?=\s)"),  # after a word
)


@cache
def content(*, start_token: bool = False) -> bytes:
    """Return the content of ``tokenizer.json`` in the format of the library `tokenizers`.

    Args:
        start_token: Put a start token before each text.
    """
    data, tokens = _kept()
    data["model"]["vocab"] = tokens
    if start_token:
        data["post_processor"] = _before_each_text(len(tokens))
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def load() -> Tokenizer:
    """Return the tokenizer without a start token, which is loaded on the first call.

    >>> load().encode("a lighthouse").ids == load().encode("a").ids
    False
    """
    data, tokens = _kept()
    model = data["model"]
    merges = [tuple(merge.split(" ")) for merge in model["merges"]]
    model["merges"] = []  # the library loads them faster as an argument than from JSON
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.model = BPE(vocab=tokens, merges=merges)
    return tokenizer


def _kept() -> tuple[dict[str, Any], dict[str, int]]:
    """Return the content of ``tokenizer.json``, and the number of each token.

    The file lists only the tokens of single bytes; each other token is the result of a merge.
    """
    data: dict[str, Any] = json.loads(files(__name__).joinpath("tokenizer.json").read_bytes())
    tokens: dict[str, int] = dict(data["model"]["vocab"])
    for merge in data["model"]["merges"]:
        tokens.setdefault(merge.replace(" ", ""), len(tokens))
    return data, tokens


def _before_each_text(number: int) -> dict[str, Any]:
    """Return the part of a ``tokenizer.json`` that puts the start token before each text."""
    start = {"SpecialToken": {"id": FIRST, "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    return {
        "type": "TemplateProcessing",
        "single": [start, first],
        "pair": [start, first, start, second],
        "special_tokens": {FIRST: {"id": FIRST, "ids": [number], "tokens": [FIRST]}},
    }


def count(text: str, limit: int | None = None, *, start_token: bool = False) -> int:
    """Count the tokens of a text.

    Args:
        text: The text.
        limit: Stop counting well above this number, and return some number above it.
        start_token: Count a start token too.

    >>> count("The sun rose at 06:30.")
    11
    """
    return start_token + sum(
        _count_part(part) if len(part) <= _LONGEST_CACHED else len(_encode(part))
        for part in _PARTS.split(_head(text, limit))
    )


def counts(
    texts: Iterable[str], limit: int | None = None, *, start_token: bool = False
) -> list[int]:
    """Count the tokens of each text; the arguments are those of `count`.

    >>> counts(["one", "one two"])
    [1, 2]
    """
    return [count(text, limit, start_token=start_token) for text in texts]


def spans(text: str) -> list[tuple[int, int]]:
    """Return the first character, and the one after the last, of each token.

    Tokens that are parts of the same character have that character's span.

    >>> spans("one two")
    [(0, 3), (3, 7)]
    """
    return _encode(text).offsets


def truncate(text: str, limit: int, *, start_token: bool = False) -> str:
    """Truncate a text to at most `limit` tokens, at the end of a token.

    The result has at most `limit` tokens by `count` with the same `start_token`.

    >>> truncate("one two three", 2)
    'one two'
    """
    limit -= start_token
    text = _head(text, limit)
    if count(text) <= limit:
        return text
    tokens = spans(text)
    for kept in range(limit, 0, -1):
        end = tokens[kept - 1][1]
        # A prefix that ends inside a word may have more tokens than it had in the whole.
        if end <= tokens[kept][0] and count(text[:end]) <= limit:
            return text[:end]
    return ""


def split_into_chunks(
    text: str, size: int, overlap: int, max_chunks: int | None = None
) -> list[str]:
    """Split a text into chunks of at most `size` tokens, which overlap by up to `overlap` tokens.

    Chunks are substrings of the text that together cover it. In its second half a chunk ends after
    a paragraph if possible, else after a line or sentence, else after a word. The overlap begins
    with a word, if one begins there. A single character of more than `size` tokens is a chunk of
    its own.

    Args:
        text: The text to split.
        size: Maximum of tokens of a chunk, at least 1.
        overlap: Maximum of tokens that adjacent chunks share, less than `size`.
        max_chunks: Maximum of chunks to make; None for all.

    >>> split_into_chunks("one two three four five", 3, 1)
    ['one two three', ' three four five']
    >>> split_into_chunks("It is late. We go home now.", 6, 0)
    ['It is late.', ' We go home now.']
    """
    if max_chunks is not None and max_chunks < 1:
        return []
    if count(text) <= size:
        return [text]
    starts = [start for start, _ in spans(text)]
    chunks: list[str] = []
    start = end = 0
    while end < len(text) and len(chunks) != max_chunks:
        # Index of the token at which a chunk of `size` tokens has ended.
        after = bisect_left(starts, start) + size
        stop = starts[after] if after < len(starts) else len(text)
        chunk = truncate(text[start:stop], size) or text[start]
        if start + len(chunk) < len(text):
            chunk = _end_well(text, start, chunk, size, overlap)
        if start + len(chunk) <= end:  # within the previous chunk
            start = end
            continue
        chunks.append(chunk)
        end = start + len(chunk)
        start = max(end - _overlap_length(chunk, overlap), start + 1)
    return chunks


def _end_well(text: str, start: int, chunk: str, size: int, overlap: int) -> str:
    """Shorten the chunk that begins at `start` to the best place to end, if there is one."""
    tokens = spans(chunk)
    # More than the overlap with the next chunk, or the chunks would make no progress.
    min_tokens = max(size // 2, overlap + 1)
    first = start + tokens[min(min_tokens, len(tokens)) - 1][1]
    last = start + len(chunk)
    for pattern in _ENDS:
        ends = [match.end() for match in pattern.finditer(text, start, last + 1)]
        best = max((end for end in ends if first <= end <= last), default=None)
        if best is not None:
            return truncate(text[start:best], size) or chunk
    return chunk


def _overlap_length(chunk: str, overlap: int) -> int:
    """Return the number of characters at the end of a chunk that the next chunk repeats."""
    tokens = spans(chunk)
    tail = range(max(len(tokens) - overlap, 1), len(tokens))
    # A token that is a part of a character has the whole character's span.
    starts = [tokens[i][0] for i in tail if tokens[i - 1][1] <= tokens[i][0]]
    words = [start for start in starts if chunk[start - 1].isspace() or chunk[start].isspace()]
    for start in words or starts:
        if count(chunk[start:]) <= overlap:
            return len(chunk) - start
    return 0


def _head(text: str, limit: int | None) -> str:
    """Return a text, or a prefix of it with well over `limit` tokens.

    Encoding the rest would only take time, and hundreds of bytes for each token.

    >>> len(_head("one " * 1_000, 10))
    320
    """
    if limit is None:
        return text
    # A prefix may have more tokens at its end than the text has at the same place.
    length = max(limit, 1)
    enough = 2 * length + _LONGEST_TOKEN
    while length < len(text):
        if count(text[:length]) > enough:
            return text[:length]
        length *= 2
    return text


@lru_cache(maxsize=_CACHED)
def _count_part(part: str) -> int:
    return len(_encode(part))


def _encode(text: str) -> Encoding:
    if not text.isascii():
        # JSON can contain lone surrogates, which the library refuses; each becomes a question mark.
        text = text.encode("utf-8", "replace").decode()
    return load().encode(text)
