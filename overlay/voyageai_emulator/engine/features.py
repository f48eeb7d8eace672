"""Passages into features: what a vector is made of, before it is a vector.

A passage's features are its words (`lexicon`), its pairs of neighbouring words, the exact text,
and what is known by name alone: the prompt and the media. Every feature is a 64-bit hash with a
whole-number amplitude, and every passage's features are its own: nothing is learned or counted
across texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .lexicon import AMPLITUDE, FEATURES, Lexicon, hashes, mix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .lexicon import Hashes, Numbers, Units

__all__ = ["LEXICON", "Features", "Passage", "features", "frequencies"]

PAIR_WEIGHT = 0.3
"""Weight of two neighbouring words, relative to the lesser of them: word order matters a little."""
TEXT_WEIGHT = 2.5
"""Largest weight, in words, of the exact text. Texts that differ in anything differ in their
vectors, and a short text is not near every other that shares a word with it."""
TEXT_ENERGY = 0.5
"""Largest energy of the exact text, relative to that of its words."""
ROLE_WEIGHT = {"query": 0.5, "document": 2.0}
"""Largest weight of the prompt, in words; the document's is heavier for the same reason."""
ROLE_ENERGY = 0.4
"""Largest energy of the prompt, relative to that of the words after it."""
MEDIUM_WEIGHT = 3.0
"""Weight of one picture or video, in words; its names share it."""
SPREAD = 8
"""Number of features that make up a text, a prompt or a medium."""

_FREQUENCY = np.rint(16 * 2.2 * np.arange(256) / (np.arange(256) + 1.2)).astype(np.int64)
"""A word's weight in sixteenths by the number of times it occurs, levelling off (BM25's k1)."""
_ONCE = int(_FREQUENCY[1])

LEXICON = Lexicon()
"""The vocabulary of this process."""


class Passage(NamedTuple):
    """What one vector stands for."""

    text: str
    role: str = ""
    """``"query"`` or ``"document"`` where the server puts a prompt in front of the text."""
    media: tuple[tuple[str, ...], ...] = ()
    """Pictures and videos, each as the names that it is known by; some are shared by several."""


class Features(NamedTuple):
    """Features of several passages, in order of the passages."""

    owner: Numbers
    """Index of the passage each feature belongs to."""
    hashes: Hashes
    amplitudes: Numbers


def features(passages: Sequence[Passage]) -> list[Features]:
    """Every feature of every passage, one `Features` per kind."""
    units = LEXICON.read([passage.text for passage in passages])
    words = _words(units)
    energy = np.bincount(words.owner, np.square(words.amplitudes.astype(np.float64)), len(passages))
    named = list(_named(passages, np.sqrt(energy) / (AMPLITUDE * _ONCE)))
    return [words, _pairs(units), _spread(named)]


def frequencies(units: Units) -> tuple[Numbers, Numbers, Numbers]:
    """Each text's distinct units: index of the text, the unit, how often it occurs there."""
    vocabulary = len(units.weight)
    keys, counts = np.unique(units.text * vocabulary + units.unit, return_counts=True)
    text, unit = np.divmod(keys, vocabulary)
    return text, unit, counts


def _words(units: Units) -> Features:
    text, unit, counts = frequencies(units)
    often = _FREQUENCY[np.minimum(counts, len(_FREQUENCY) - 1)]
    return Features(
        np.repeat(text, FEATURES),
        units.hashes[unit].ravel(),
        (units.amplitudes[unit] * often[:, None]).ravel(),
    )


def _pairs(units: Units) -> Features:
    first = np.flatnonzero(units.text[1:] == units.text[:-1])
    one, two, text = units.unit[first], units.unit[first + 1], units.text[first]
    pairs = mix(units.hashes[one, 0] * np.uint64(3) + units.hashes[two, 0])
    weight = np.minimum(units.weight[one], units.weight[two]) * (PAIR_WEIGHT * _ONCE)
    _, kept = np.unique(mix(pairs + text.astype(np.uint64)), return_index=True)
    kept.sort()
    return Features(text[kept], pairs[kept], np.rint(weight[kept]).astype(np.int64))


def _named(
    passages: Sequence[Passage], lengths: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Iterator[tuple[int, str, float]]:
    """What is known by name alone: owner, name and weight in words."""
    for owner, (passage, length) in enumerate(zip(passages, lengths.tolist(), strict=True)):
        if passage.role:
            weight = min(ROLE_WEIGHT.get(passage.role, 1.0), length * ROLE_ENERGY**0.5)
            yield owner, f"role {passage.role}", weight
        yield owner, f"text {passage.text}", min(TEXT_WEIGHT, length * TEXT_ENERGY**0.5)
        for names in passage.media:
            for name in names:
                yield owner, f"medium {name}", MEDIUM_WEIGHT / len(names) ** 0.5


def _spread(named: Sequence[tuple[int, str, float]]) -> Features:
    codes = hashes([name.encode("utf-8", "surrogatepass") for _, name, _ in named])
    steps = np.arange(1, SPREAD + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    weights = np.array([weight for *_, weight in named]) * (AMPLITUDE * _ONCE / SPREAD**0.5)
    return Features(
        np.repeat(np.array([owner for owner, *_ in named], np.int64), SPREAD),
        mix(codes[:, None] + steps).ravel(),
        np.repeat(np.rint(weights).astype(np.int64), SPREAD),
    )
