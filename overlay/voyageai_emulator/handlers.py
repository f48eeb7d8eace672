"""The handlers of the model endpoints, and what a handler of another operation receives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from .embeddings import embed_documents, embed_inputs, embed_texts
from .reranking import rerank

if TYPE_CHECKING:
    from .model_limits import ModelContext

__all__ = ["MODEL_HANDLERS", "QUICK_HANDLERS", "Answer", "CheckedRequest"]


class Answer(Protocol):
    """A response model of the contract."""

    def to_dict(self) -> dict[str, Any]:
        """Return the body as a JSON object."""
        ...


class CheckedRequest(NamedTuple):
    """A request that follows the contract and has a valid key."""

    body: Any
    """The body with its defaults filled in, or the fields of a form; None where there is none."""
    path: Mapping[str, str]
    """The path's parameters, by name."""
    query: Mapping[str, Any]
    """The query's parameters with their defaults, by name."""
    owner: str
    """`fingerprint` of the API key: the files and batches of one owner are hidden from others."""
    platform: str | None = None
    """Name of the host that the request is for."""
    method: str = "GET"
    headers: Mapping[str, str] = MappingProxyType({})
    """Headers, by name in lower case."""


ModelHandler: TypeAlias = Callable[[dict[str, Any], "ModelContext"], Answer]

QUICK_HANDLERS: Mapping[str, ModelHandler] = {
    "createEmbeddings": embed_texts,
    "rerank": rerank,
}
"""By operation id: those whose time depends on the body's size alone."""
MODEL_HANDLERS: Mapping[str, ModelHandler] = {
    **QUICK_HANDLERS,
    # Chunks that overlap are many times as long as their text.
    "createContextualizedEmbeddings": embed_documents,
    "createMultimodalEmbeddings": embed_inputs,
}
"""By operation id: those of all model endpoints."""
