"""The operations that the emulator answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from starlette.responses import Response

from .contextualized import embed_documents
from .embeddings import embed_texts
from .multimodal import embed_inputs
from .reranking import rank

if TYPE_CHECKING:
    from .engine import Engine
    from .media import Media
    from .rules import Served
    from .world import World

__all__ = ["MODEL_HANDLERS", "STORE_HANDLERS", "Answer", "Asked", "Serving"]


class Answer(Protocol):
    """A response model."""

    def to_dict(self) -> dict[str, Any]:
        """The body as JSON has it."""
        ...


class Serving(NamedTuple):
    """What a model endpoint answers with."""

    served: Served
    """Its models, by name."""
    engine: Engine
    media: Media


class Asked(NamedTuple):
    """A request that has been checked."""

    body: Any
    """The body with its defaults filled in; None where there is none."""
    path: Mapping[str, str]
    """The path's parameters, by name."""
    query: Mapping[str, Any]
    """The query's parameters with their defaults, by name."""
    owner: str
    """`fingerprint` of the API key: the files and batches of one owner are hidden from others."""


ModelHandler: TypeAlias = Callable[[dict[str, Any], Serving], Answer]
StoreHandler: TypeAlias = Callable[[Asked, "World"], Answer | Response]

MODEL_HANDLERS: Mapping[str, ModelHandler] = {
    "createEmbeddings": embed_texts,
    "createContextualizedEmbeddings": embed_documents,
    "createMultimodalEmbeddings": embed_inputs,
    "rerank": rank,
}
"""By operation id: those that a model answers."""
STORE_HANDLERS: Mapping[str, StoreHandler] = {}
"""By operation id: those about files and batches."""
