"""Convert passages to features: hashes with integer amplitudes, which are projected to vectors.

A passage's features are its terms, its pairs of adjacent terms, the exact text, the prompt, and the
images and videos. No feature depends on other passages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .vocabulary import AMPLITUDE, FEATURES, Vocabulary, hash_all, mix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .vocabulary import Hashes, Integers, Terms

__all__ = ["VOCABULARY", "Features", "Passage", "features", "term_frequencies"]

PAIR_WEIGHT = 0.3
"""Weight of a pair of adjacent terms, relative to the smaller of their weights."""
TEXT_WEIGHT = 2.5
"""Maximum weight of the exact text, in terms. It makes the vectors of all different texts differ,
and keeps a short text from being near to every text that shares a word with it."""
TEXT_ENERGY = 0.5
"""Maximum energy of the exact text, relative to that of its terms."""
ROLE_WEIGHT = {"query": 0.5, "document": 2.0}
"""Maximum weight of the prompt, in terms; that of documents is larger, to keep short ones apart."""
ROLE_ENERGY = 0.4
"""Maximum energy of the prompt, relative to that of the terms, images and videos after it."""
MEDIA_WEIGHT = 3.0
"""Weight of an image or video, in terms, divided among its visual words."""
SPREAD = 8
"""Number of features of a text, a prompt or a visual word."""

_FREQUENCY = np.rint(16 * 2.2 * np.arange(256) / (np.arange(256) + 1.2)).astype(np.int64)
"""A term's weight in sixteenths by its frequency in the text, levelling off (BM25 with k1=1.2)."""
_ONCE = int(_FREQUENCY[1])

VOCABULARY = Vocabulary()
"""The vocabulary of this process."""


class Passage(NamedTuple):
    """The input of one vector."""

    text: str
    role: str = ""
    """``"query"`` or ``"document"`` if the server puts a prompt before the text, else empty."""
    media: tuple[tuple[str, ...], ...] = ()
    """The visual words of each image and video; similar ones share words."""


class Features(NamedTuple):
    """Features of several passages, in order of the passages. All arrays: shape (features,)."""

    passage: Integers
    """Index of the passage of each feature."""
    hashes: Hashes
    amplitudes: Integers


def features(passages: Sequence[Passage]) -> list[Features]:
    """Return three groups of features: of terms, of pairs of terms, and all others."""
    terms = VOCABULARY.read([passage.text for passage in passages])
    single = _of_terms(terms)
    energy = np.bincount(
        single.passage, np.square(single.amplitudes.astype(np.float64)), len(passages)
    )
    named = list(_named(passages, np.sqrt(energy) / (AMPLITUDE * _ONCE)))
    return [single, _of_pairs(terms), _of_names(named)]


def term_frequencies(terms: Terms) -> tuple[Integers, Integers, Integers]:
    """Return the distinct terms of each text: the text's index, the term's row, its frequency.

    Each of shape (distinct,), ordered by text, then by row.
    """
    vocabulary = len(terms.weight)
    keys, counts = np.unique(terms.text * vocabulary + terms.term, return_counts=True)
    text, term = np.divmod(keys, vocabulary)
    return text, term, counts


def _of_terms(terms: Terms) -> Features:
    text, term, counts = term_frequencies(terms)
    frequency = _FREQUENCY[np.minimum(counts, len(_FREQUENCY) - 1)]
    return Features(
        np.repeat(text, FEATURES),
        terms.hashes[term].ravel(),
        (terms.amplitudes[term] * frequency[:, None]).ravel(),
    )


def _of_pairs(terms: Terms) -> Features:
    first = np.flatnonzero(terms.text[1:] == terms.text[:-1])
    one, two, text = terms.term[first], terms.term[first + 1], terms.text[first]
    pairs = mix(terms.hashes[one, 0] * np.uint64(3) + terms.hashes[two, 0])
    weight = np.minimum(terms.weight[one], terms.weight[two]) * (PAIR_WEIGHT * _ONCE)
    # Each pair once per text, in reading order.
    _, kept = np.unique(mix(pairs + text.astype(np.uint64)), return_index=True)
    kept.sort()
    return Features(text[kept], pairs[kept], np.rint(weight[kept]).astype(np.int64))


def _named(
    passages: Sequence[Passage], lengths: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Iterator[tuple[int, str, float]]:
    """Yield the named features: index of the passage, name, weight in terms.

    Args:
        passages: The passages.
        lengths: Square root of the energy of each passage's terms, in terms, shape (passages,).
    """
    for index, (passage, length) in enumerate(zip(passages, lengths.tolist(), strict=True)):
        if passage.role:
            whole = (length**2 + len(passage.media) * MEDIA_WEIGHT**2) ** 0.5
            weight = min(ROLE_WEIGHT.get(passage.role, 1.0), whole * ROLE_ENERGY**0.5)
            yield index, f"role {passage.role}", weight
        yield index, f"text {passage.text}", min(TEXT_WEIGHT, length * TEXT_ENERGY**0.5)
        for words in passage.media:
            for word in words:
                yield index, f"medium {word}", MEDIA_WEIGHT / len(words) ** 0.5


def _of_names(named: Sequence[tuple[int, str, float]]) -> Features:
    """Return `SPREAD` features for each name, among which its weight is divided."""
    hashes = hash_all([name.encode("utf-8", "surrogatepass") for _, name, _ in named])
    steps = np.arange(1, SPREAD + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    weights = np.array([weight for *_, weight in named]) * (AMPLITUDE * _ONCE / SPREAD**0.5)
    return Features(
        np.repeat(np.array([index for index, *_ in named], np.int64), SPREAD),
        mix(hashes[:, None] + steps).ravel(),
        np.repeat(np.rint(weights).astype(np.int64), SPREAD),
    )
