"""The operations that the emulator answers: a checked body in, a response model out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from .contextualized import embed_documents
from .embeddings import embed_texts
from .multimodal import embed_inputs
from .reranking import rank
from .rules import Served

__all__ = ["HANDLERS", "Answer", "Handler"]


class Answer(Protocol):
    """A response model."""

    def to_dict(self) -> dict[str, Any]:
        """The body as JSON has it."""
        ...


Handler: TypeAlias = Callable[[dict[str, Any], Served], Answer]

HANDLERS: Mapping[str, Handler] = {
    "createEmbeddings": embed_texts,
    "createContextualizedEmbeddings": embed_documents,
    "createMultimodalEmbeddings": embed_inputs,
    "rerank": rank,
}
"""By operation id. Operations without a handler are checked and then answered with 501."""
