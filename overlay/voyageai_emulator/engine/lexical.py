"""The engine that knows words by their letters alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .relevance import relevance
from .vectors import embed, embed_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .features import Passage
    from .relevance import Scores
    from .vectors import Matrix, Space

__all__ = ["Lexical"]


class Lexical:
    """The `Engine` of this package's pure functions."""

    def embed(self, passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
        """Embed each passage by itself."""
        return embed(passages, space, dimension)

    def embed_chunks(
        self, documents: Sequence[Sequence[Passage]], space: Space, dimension: int
    ) -> list[Matrix]:
        """Embed the chunks of documents, leaning towards the whole document."""
        return embed_chunks(documents, space, dimension)

    def relevance(self, query: str, documents: Sequence[str], model: str) -> Scores:
        """Score each document's relevance to the query."""
        return relevance(query, documents, model)
