"""The engines that replace the models: they make vectors and scores of texts.

`LexicalEngine` is the default and needs no network, clock or randomness: words and character
n-grams are hashed and projected, so texts that share them are near each other. A text's vector
depends only on the text, its role, the model and the dimension, and is the same in every process
and on every machine. `SentenceTransformersEngine` runs a real model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .features import Passage
from .lexical import LexicalEngine
from .vectors import Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .lexical import Scores
    from .vectors import Matrix

__all__ = ["Engine", "LexicalEngine", "Passage", "Space", "create_engine"]

SENTENCE_TRANSFORMERS = "sentence-transformers"


class Engine(Protocol):
    """Makes vectors and scores. Safe to share between threads."""

    def embed(self, passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
        """Embed each passage separately: unit vectors, float32, shape (passages, dimension)."""
        ...

    def embed_chunks(
        self, documents: Sequence[Sequence[Passage]], space: Space, dimension: int
    ) -> list[Matrix]:
        """Embed the chunks of documents, each in the context of its document.

        Returns:
            For each document, unit vectors, float32, shape (chunks, dimension).
        """
        ...

    def relevance(self, query: str, documents: Sequence[str], model: str) -> Scores:
        """Score each document's relevance to the query from 0 to 1: float64, shape (documents,)."""
        ...


def create_engine(setting: str) -> Engine:
    """Create the engine of a setting.

    Args:
        setting: ``lexical``, or ``sentence-transformers:NAME`` where NAME is a folder that holds
            a model or a model's name on the Hugging Face Hub.

    Raises:
        ImportError: The packages that run the model are not installed.
        ValueError: `setting` has another format, or the model cannot be loaded.

    Example:
        >>> create_engine("lexical").embed([Passage("hello")], Space("space", "model"), 256).shape
        (1, 256)
    """
    if setting == "lexical":
        return LexicalEngine()
    kind, _, name = setting.partition(":")
    if kind == SENTENCE_TRANSFORMERS and name:
        from .sentence_transformers import SentenceTransformersEngine, load_model

        return SentenceTransformersEngine(load_model(name))
    raise ValueError(
        f"engine must be 'lexical' or '{SENTENCE_TRANSFORMERS}:NAME' (NAME: a model's folder, or "
        f"its name on the Hugging Face Hub), not {setting!r}"
    )
