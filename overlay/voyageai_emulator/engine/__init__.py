"""The emulator's stand-in for the models: from texts to vectors and scores.

`Engine` is what the endpoints need of it. `lexical.Lexical` is the one that is always there:
words and character n-grams are hashed and projected; texts that share them are near each other.
No network, no clock, no randomness, no state that shows: a text's vector is a function of the
text, its role, the model and the dimension alone, the same in every process and on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .features import Passage
    from .relevance import Scores
    from .vectors import Matrix, Space

__all__ = ["Engine"]


class Engine(Protocol):
    """Makes vectors and scores. Safe to share between threads."""

    def embed(self, passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
        """Embed each passage by itself: a (passages x dimension) float32 matrix of unit vectors."""
        ...

    def embed_chunks(
        self, documents: Sequence[Sequence[Passage]], space: Space, dimension: int
    ) -> list[Matrix]:
        """Embed the chunks of documents in the light of each document: a matrix for each."""
        ...

    def relevance(self, query: str, documents: Sequence[str], model: str) -> Scores:
        """Score each document's relevance to the query from 0 to 1, in the documents' order."""
        ...
