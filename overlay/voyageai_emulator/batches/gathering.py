"""Making the vectors of many lines at once, which takes a fraction of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..engine import Engine, Passage, Space
    from ..engine.lexical import Scores
    from ..engine.vectors import Matrix

__all__ = ["BatchingEngine", "Deferred"]


class Deferred(Exception):
    """It was noted what is asked; the answer comes later."""


class BatchingEngine:
    """An engine for many requests, each of which is made twice.

    At first it only notes what it is asked for. Once `complete` is set it answers, and makes the
    vectors of all texts that it has noted when it is asked for the first of them.

    Args:
        engine: The engine that does the work.

    Attributes:
        size: Passages and documents that it was asked for.
        complete: Whether all has been asked for once.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._noted: dict[tuple[Space, int], dict[Passage, int]] = {}
        self._made: dict[tuple[Space, int], Matrix] = {}
        self.size = 0
        self.complete = False

    def embed(self, passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
        """Embed each passage by itself."""
        rows = self._noted.setdefault((space, dimension), {})
        if not self.complete:
            for passage in passages:
                rows.setdefault(passage, len(rows))
            raise self._note(len(passages))
        if (space, dimension) not in self._made:
            self._made[space, dimension] = self._engine.embed(list(rows), space, dimension)
        return self._made[space, dimension][[rows[passage] for passage in passages]]

    def embed_chunks(
        self, documents: Sequence[Sequence[Passage]], space: Space, dimension: int
    ) -> list[Matrix]:
        """Embed the chunks of documents, those of each request by themselves."""
        if not self.complete:
            raise self._note(sum(map(len, documents)))
        return self._engine.embed_chunks(documents, space, dimension)

    def relevance(self, query: str, documents: Sequence[str], model: str) -> Scores:
        """Score documents, those of each request by themselves."""
        if not self.complete:
            raise self._note(len(documents))
        return self._engine.relevance(query, documents, model)

    def _note(self, size: int) -> Deferred:
        self.size += size
        return Deferred()
