"""The tokenizer that the emulator counts by: its own, as the models' are not part of it.

A byte-level BPE of 16,384 tokens, which comes to about 1.4 per word of English prose. It
normalises nothing and adds no special tokens, so the ids of a text are as many as its tokens. The
README.md beside it says what it was trained on.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from tokenizers import Tokenizer

__all__ = ["content", "load"]


@cache
def content() -> bytes:
    """The file, ``tokenizer.json``, in the form of the library `tokenizers`."""
    return files(__name__).joinpath("tokenizer.json").read_bytes()


@cache
def load() -> Tokenizer:
    """The tokenizer, read when it is first asked for.

    >>> load().encode("a lighthouse").ids == load().encode("a").ids
    False
    """
    return Tokenizer.from_buffer(content())
