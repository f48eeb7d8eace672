"""Which engine an emulator is told to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lexical import Lexical

if TYPE_CHECKING:
    from . import Engine

__all__ = ["choose"]

SENTENCE = "sentence-transformers"


def choose(said: str) -> Engine:
    """The engine by its setting.

    Args:
        said: ``lexical``, or ``sentence-transformers:NAME`` where NAME is a folder that holds a
            model or a model's name on the Hugging Face Hub.

    Raises:
        ImportError: The packages that run the model are not installed.
        ValueError: There is no such engine, or its model cannot be loaded.

    Example:
        >>> from voyageai_emulator.engine.features import Passage
        >>> from voyageai_emulator.engine.vectors import Space
        >>> choose("lexical").embed([Passage("hello")], Space("space", "model"), 256).shape
        (1, 256)
    """
    if said == "lexical":
        return Lexical()
    kind, _, name = said.partition(":")
    if kind == SENTENCE and name:
        from .sentence import Sentence, load

        return Sentence(load(name))
    raise ValueError(
        f"engine must be 'lexical' or '{SENTENCE}:NAME' (NAME: a model's folder, or its name on "
        f"the Hugging Face Hub), not {said!r}"
    )
