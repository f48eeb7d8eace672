"""Text into features: the words of a text and what is known of each.

A text is cut into *tokens* (runs of letters and digits), a token into *units*: case-folded words,
with ``read_lines``, ``readLines`` and ``readlines`` sharing the unit ``readlines`` and the first
two also giving ``read`` and ``lines``. Scripts that are written without spaces give pairs of
characters. A unit is described by a fixed number of features, each a 64-bit hash with an integer
amplitude: the word itself, twice, and its character 4-grams, which make ``compress``,
``compressed`` and ``compression`` near each other. Amplitudes follow a prior of how much a word
tells: function words next to nothing, short and common words less than long and rare ones.

Nothing here depends on what was seen before; the vocabulary is a cache of pure results.
"""

from __future__ import annotations

import threading
import zlib
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import numpy as np

from .words import letters_of, tokens_of, units_of, weight_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["AMPLITUDE", "FEATURES", "Lexicon", "Units", "hashes", "mix"]

AMPLITUDE = 512
"""Amplitude of a word of full weight: the root of the summed squares of its features."""

WORD_FEATURES = 2
GRAM_FEATURES = 8
FEATURES = WORD_FEATURES + GRAM_FEATURES
GRAM = 4
GRAM_SHARE = 0.5
"""Share of a word's energy that lies in its character n-grams."""

MAX_UNITS = 100_000
"""Units remembered before the vocabulary starts afresh (about 40 MB)."""

Hashes: TypeAlias = "NDArray[np.uint64]"
Numbers: TypeAlias = "NDArray[np.int64]"
Row = TypeVar("Row", np.int64, np.uint64)


class Units(NamedTuple):
    """The units of several texts, laid end to end in reading order."""

    text: Numbers
    """Index of the text each unit stands in."""
    unit: Numbers
    """Row of each unit in `hashes` and `amplitudes`."""
    hashes: Hashes
    """One row of `FEATURES` hashes per unit of the vocabulary."""
    amplitudes: Numbers
    """The features' amplitudes, in the same places; 0 where a short word has fewer."""
    weight: Numbers
    """How much each unit of the vocabulary tells; `AMPLITUDE` is a word of full weight."""


def mix(x: Hashes) -> Hashes:
    """Scramble 64-bit values so that every bit of the result depends on every bit of `x`."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def hashes(values: Sequence[bytes]) -> Hashes:
    """One 64-bit hash per byte string, the same in every process."""
    raw = np.fromiter((zlib.crc32(v) | len(v) << 32 for v in values), np.uint64, len(values))
    return mix(raw + np.uint64(0x9E3779B97F4A7C15))


class Lexicon:
    """The vocabulary: every unit met so far with its features. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._tokens: dict[str, tuple[int, ...]] = {}
        self._ids: dict[str, int] = {}
        self._described = 0
        # With room for more, so that a new word does not copy all that are known.
        self._hashes: Hashes = np.empty((0, FEATURES), np.uint64)
        self._amplitudes: Numbers = np.empty((0, FEATURES), np.int64)
        self._weight: Numbers = np.empty(0, np.int64)

    def read(self, texts: Sequence[str]) -> Units:
        """Cut texts into units; a text without any word is cut into its characters."""
        cut = [tokens_of(text) for text in texts]
        with self._lock:
            if len(self._ids) > MAX_UNITS or len(self._tokens) > 2 * MAX_UNITS:
                self._forget()
            flat: list[int] = []
            ends: list[int] = []
            for tokens in cut:
                flat.extend(self._look_up(tokens))
                ends.append(len(flat))
            self._describe()
            counts = np.diff([0, *ends])
            return Units(
                text=np.repeat(np.arange(len(texts)), counts),
                unit=np.array(flat, np.int64),
                hashes=self._hashes[: self._described],
                amplitudes=self._amplitudes[: self._described],
                weight=self._weight[: self._described],
            )

    def _look_up(self, tokens: list[str]) -> list[int]:
        known = self._tokens
        try:
            return list(chain.from_iterable(map(known.__getitem__, tokens)))
        except KeyError:
            ids = self._ids
            for token in tokens:
                if token not in known:
                    units = units_of(token)
                    known[token] = tuple(ids.setdefault(unit, len(ids)) for unit in units)
            return list(chain.from_iterable(map(known.__getitem__, tokens)))

    def _describe(self) -> None:
        """Work out the features of the units met for the first time."""
        known = self._described
        if known == len(self._ids):
            return
        new = list(islice(self._ids, known, None))
        weight = np.array([weight_of(unit) for unit in new]) * AMPLITUDE
        words = hashes([unit.encode("utf-8", "surrogatepass") for unit in new])
        size = GRAM_FEATURES + GRAM - 1
        letters = np.array([b"<%b>" % letters_of(unit) for unit in new], f"S{size}")
        table = letters.view(np.uint8).reshape(len(new), size)
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
        self._hashes = _extended(self._hashes, known, np.concatenate([twice, grams], axis=1))
        self._amplitudes = _extended(self._amplitudes, known, np.rint(amplitudes).astype(np.int64))
        self._weight = _extended(self._weight, known, np.rint(weight).astype(np.int64))
        self._described = known + len(new)


def _extended(table: NDArray[Row], known: int, rows: NDArray[Row]) -> NDArray[Row]:
    """A table with more rows after those that are known; who holds those sees no difference."""
    needed = known + len(rows)
    if needed > len(table):
        larger = np.empty((2 * needed, *table.shape[1:]), table.dtype)
        larger[:known] = table[:known]
        table = larger
    table[known:needed] = rows
    return table
