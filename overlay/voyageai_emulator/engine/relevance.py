"""Relevance of documents to a query, as a number between 0 and 1.

A document scores by how much of the query's words and character n-grams it holds, each counted by
how much it tells and levelling off as it recurs (BM25 with a fixed average length and the
lexicon's prior in place of counted document frequencies), and by the cosine of the two vectors,
which knows about neighbouring words. A pair's score never depends on the other documents, so
scores of different requests can be merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .features import LEXICON, Passage, frequencies
from .vectors import Space, embed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["relevance"]

Scores: TypeAlias = "NDArray[np.float64]"

K1 = 1.2
B = 0.5
AVERAGE_LENGTH = 60.0
"""Length, in words, of the document whose words count in full."""
COSINE_DIMENSION = 512
COSINE_SHARE = 0.2
STEEPNESS = 6.0
MIDDLE = 0.5
"""Where a score is 0.5."""
DECIMALS = 8


def relevance(query: str, documents: Sequence[str], model: str) -> Scores:
    """Score each document's relevance to the query, in the documents' order."""
    space = Space("relevance", model)
    passages = [Passage(query), *map(Passage, documents)]
    vectors = embed(passages, space, COSINE_DIMENSION)
    cosine = np.einsum("ij,j->i", vectors[1:], vectors[0], dtype=np.float64)
    held = _coverage(query, documents)
    mixed = (1 - COSINE_SHARE) * held + COSINE_SHARE * cosine
    scores: Scores = 1 / (1 + np.exp(-STEEPNESS * (mixed - MIDDLE)))
    return scores.round(DECIMALS)


def _coverage(query: str, documents: Sequence[str]) -> Scores:
    """Share of what the query says that each document says too."""
    units = LEXICON.read([query, *documents])
    text, unit, counts = frequencies(units)
    asked = unit[text == 0]
    if not len(asked):
        return np.zeros(len(documents))
    sought, place = np.unique(units.hashes[asked], return_inverse=True)
    energy = np.bincount(place.ravel(), np.square(units.amplitudes[asked]).ravel().astype(float))

    rows, of_row = np.unique(unit, return_inverse=True)
    known = units.hashes[rows]
    where = np.searchsorted(sought, known).clip(max=len(sought) - 1)
    hit = (sought[where] == known) & (units.amplitudes[rows] > 0)
    pair, column = np.nonzero(hit[of_row])
    cell = text[pair] * len(sought) + where[of_row[pair], column]
    often = np.bincount(cell, counts[pair], len(documents) * len(sought) + len(sought))
    often = often.reshape(-1, len(sought))[1:]
    length = np.bincount(units.text, minlength=len(documents) + 1)[1:, None]
    level = often * (K1 + 1) / (often + K1 * (1 - B + B * length / AVERAGE_LENGTH))
    held: Scores = (np.minimum(level, K1 + 1) * energy).sum(axis=1) / energy.sum()
    return held
