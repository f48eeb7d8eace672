"""Convert terms to features, by feature hashing.

Each term has the same number of features, each a 64-bit hash with an integer amplitude: the term
itself, twice, and its character 4-grams, which make ``compress``, ``compressed`` and
``compression`` near each other. The amplitudes are proportional to the term's weight.

The vocabulary is only a cache: results do not depend on earlier texts.
"""

from __future__ import annotations

import threading
import zlib
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import numpy as np

from .words import single_byte_letters, terms_of, tokenize, weight_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["AMPLITUDE", "FEATURES", "Terms", "Vocabulary", "hash_all", "mix"]

AMPLITUDE = 512
"""Amplitude of a term of weight 1: the root of the sum of squares of its features."""

WORD_FEATURES = 2
GRAM_FEATURES = 8
FEATURES = WORD_FEATURES + GRAM_FEATURES
"""Number of features of a term."""
GRAM = 4
"""Characters of an n-gram."""
GRAM_SHARE = 0.5
"""Share of a term's energy in its n-grams."""

MAX_TERMS = 100_000
"""Maximum of cached terms, after which the cache is cleared (about 40 MB)."""

Hashes: TypeAlias = "NDArray[np.uint64]"
Integers: TypeAlias = "NDArray[np.int64]"
Row = TypeVar("Row", np.int64, np.uint64)


class Terms(NamedTuple):
    """Terms of several texts, concatenated in reading order, and the vocabulary they index."""

    text: Integers
    """Index of the text of each term, shape (terms,)."""
    term: Integers
    """Row of each term in the tables below, shape (terms,)."""
    hashes: Hashes
    """Shape (vocabulary, `FEATURES`)."""
    amplitudes: Integers
    """Shape (vocabulary, `FEATURES`); 0 for features that a short term lacks."""
    weight: Integers
    """Weight of each term of the vocabulary times `AMPLITUDE`, shape (vocabulary,)."""


def mix(x: Hashes) -> Hashes:
    """Mix the bits of 64-bit values of any shape, so that each bit of `x` affects all others."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def hash_all(values: Sequence[bytes]) -> Hashes:
    """Hash byte strings to 64 bits, the same in every process: shape (values,)."""
    raw = np.fromiter((zlib.crc32(v) | len(v) << 32 for v in values), np.uint64, len(values))
    return mix(raw + np.uint64(0x9E3779B97F4A7C15))


class Vocabulary:
    """A cache of terms and their features. Safe to share between threads.

    Args:
        max_terms: Maximum of cached terms, after which the cache is cleared.
    """

    def __init__(self, max_terms: int = MAX_TERMS) -> None:
        self._max_terms = max_terms
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._tokens: dict[str, tuple[int, ...]] = {}  # the rows of each token's terms
        self._rows: dict[str, int] = {}  # the row of each term
        # The tables have spare rows, so that a new term does not copy them.
        self._filled = 0
        self._hashes: Hashes = np.empty((0, FEATURES), np.uint64)
        self._amplitudes: Integers = np.empty((0, FEATURES), np.int64)
        self._weight: Integers = np.empty(0, np.int64)

    def read(self, texts: Sequence[str]) -> Terms:
        """Return the terms of texts."""
        tokenized = [tokenize(text) for text in texts]
        with self._lock:
            if len(self._rows) > self._max_terms or len(self._tokens) > 2 * self._max_terms:
                self._clear()
            rows: list[int] = []
            ends: list[int] = []
            for tokens in tokenized:
                rows.extend(self._look_up(tokens))
                ends.append(len(rows))
            self._fill()
            counts = np.diff([0, *ends])
            return Terms(
                text=np.repeat(np.arange(len(texts)), counts),
                term=np.array(rows, np.int64),
                hashes=self._hashes[: self._filled],
                amplitudes=self._amplitudes[: self._filled],
                weight=self._weight[: self._filled],
            )

    def _look_up(self, tokens: list[str]) -> list[int]:
        """Return the rows of the terms of tokens, and assign rows to new terms."""
        known = self._tokens
        try:
            return list(chain.from_iterable(map(known.__getitem__, tokens)))
        except KeyError:
            rows = self._rows
            for token in tokens:
                if token not in known:
                    terms = terms_of(token)
                    known[token] = tuple(rows.setdefault(term, len(rows)) for term in terms)
            return list(chain.from_iterable(map(known.__getitem__, tokens)))

    def _fill(self) -> None:
        """Compute the features of new terms, and append them to the tables."""
        filled = self._filled
        if filled == len(self._rows):
            return
        new = list(islice(self._rows, filled, None))
        weight = np.array([weight_of(term) for term in new]) * AMPLITUDE
        words = hash_all([term.encode("utf-8", "surrogatepass") for term in new])
        size = GRAM_FEATURES + GRAM - 1
        letters = np.array([b"<%b>" % single_byte_letters(term) for term in new], f"S{size}")
        table = letters.view(np.uint8).reshape(len(new), size)
        # Shape (new, GRAM_FEATURES, GRAM); bytes beyond the end of a term are 0.
        windows = np.lib.stride_tricks.sliding_window_view(table, GRAM, axis=1)
        present = windows.all(axis=2)
        grams = mix(np.ascontiguousarray(windows).view("<u4")[..., 0].astype(np.uint64) + 1)
        count = present.sum(axis=1)
        share = np.where(count > 0, GRAM_SHARE, 0.0)
        word = weight * np.sqrt((1 - share) / WORD_FEATURES)
        gram = weight * np.sqrt(share / np.maximum(count, 1))
        twice = np.stack([words, mix(words)], axis=1)
        amplitudes = np.concatenate(
            [
                np.repeat(word[:, None], WORD_FEATURES, axis=1),
                gram[:, None] * present,
            ],
            axis=1,
        )
        self._hashes = _append(self._hashes, filled, np.concatenate([twice, grams], axis=1))
        self._amplitudes = _append(self._amplitudes, filled, np.rint(amplitudes).astype(np.int64))
        self._weight = _append(self._weight, filled, np.rint(weight).astype(np.int64))
        self._filled = filled + len(new)


def _append(table: NDArray[Row], filled: int, rows: NDArray[Row]) -> NDArray[Row]:
    """Return a table with rows added after the filled ones; views of those do not change."""
    needed = filled + len(rows)
    if needed > len(table):
        larger = np.empty((2 * needed, *table.shape[1:]), table.dtype)
        larger[:filled] = table[:filled]
        table = larger
    table[filled:needed] = rows
    return table
