"""The lexical engine, with the relevance of documents to a query as a score between 0 and 1.

A score combines two numbers. One is the share of the query's terms and character n-grams that the
document contains, weighted and saturating with their frequency (BM25 with a fixed average length,
and term weights instead of document frequencies). The other is the cosine of the two vectors, which
reflects pairs of adjacent terms. A score does not depend on the other documents, so scores of
different requests can be merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .features import VOCABULARY, Passage, term_frequencies
from .vectors import DECIMALS, Space, embed, embed_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .vectors import Matrix

__all__ = ["LexicalEngine", "Scores", "relevance"]

Scores: TypeAlias = "NDArray[np.float64]"

K1 = 1.2
B = 0.5
AVERAGE_LENGTH = 60.0
"""Average length of a document in BM25, in terms."""
COSINE_DIMENSION = 512
COSINE_SHARE = 0.2
STEEPNESS = 6.0
MIDDLE = 0.5
"""Weighted mean of coverage and cosine at which the score is 0.5."""


class LexicalEngine:
    """The `Engine` of hashed words and character n-grams."""

    def embed(self, passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
        """Embed each passage separately."""
        return embed(passages, space, dimension)

    def embed_chunks(
        self, documents: Sequence[Sequence[Passage]], space: Space, dimension: int
    ) -> list[Matrix]:
        """Embed the chunks of documents, mixed with the whole document."""
        return embed_chunks(documents, space, dimension)

    def relevance(self, query: str, documents: Sequence[str], model: str) -> Scores:
        """Score each document's relevance to the query."""
        return relevance(query, documents, model)


def relevance(query: str, documents: Sequence[str], model: str) -> Scores:
    """Score each document's relevance to the query: float64, shape (documents,)."""
    space = Space("relevance", model)
    passages = [Passage(query), *map(Passage, documents)]
    vectors = embed(passages, space, COSINE_DIMENSION)
    cosine = np.einsum("ij,j->i", vectors[1:], vectors[0], dtype=np.float64)
    coverage = _coverage(query, documents)
    mixed = (1 - COSINE_SHARE) * coverage + COSINE_SHARE * cosine
    scores: Scores = 1 / (1 + np.exp(-STEEPNESS * (mixed - MIDDLE)))
    return scores.round(DECIMALS)


def _coverage(query: str, documents: Sequence[str]) -> Scores:
    """Return the share of the query's features that each document has, shape (documents,)."""
    terms = VOCABULARY.read([query, *documents])
    text, term, counts = term_frequencies(terms)  # each of shape (distinct,); text 0 is the query
    query_terms = term[text == 0]
    if not len(query_terms):
        return np.zeros(len(documents))
    # The query's features, sorted, shape (wanted,), and the energy of each.
    wanted, column = np.unique(terms.hashes[query_terms], return_inverse=True)
    energy = np.bincount(
        column.ravel(), np.square(terms.amplitudes[query_terms]).ravel().astype(float)
    )

    # Which features of each distinct row of the vocabulary are wanted: shape (rows, FEATURES).
    rows, row_of_term = np.unique(term, return_inverse=True)
    hashes = terms.hashes[rows]
    position = np.searchsorted(wanted, hashes).clip(max=len(wanted) - 1)
    matches = (wanted[position] == hashes) & (terms.amplitudes[rows] > 0)

    # How often each text has each wanted feature: shape (documents, wanted).
    index, feature = np.nonzero(matches[row_of_term])
    cell = text[index] * len(wanted) + position[row_of_term[index], feature]
    frequency = np.bincount(cell, counts[index], len(documents) * len(wanted) + len(wanted))
    frequency = frequency.reshape(-1, len(wanted))[1:]
    length = np.bincount(terms.text, minlength=len(documents) + 1)[1:, None]
    level = frequency * (K1 + 1) / (frequency + K1 * (1 - B + B * length / AVERAGE_LENGTH))
    coverage: Scores = (np.minimum(level, K1 + 1) * energy).sum(axis=1) / energy.sum()
    return coverage
