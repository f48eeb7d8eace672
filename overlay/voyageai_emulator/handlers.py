"""The handlers of the model endpoints, and the request that other handlers receive."""

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
    """A request that matches the contract and has a valid key."""

    body: Any
    """The body with defaults added, or the fields of a form; None if there is no body."""
    path: Mapping[str, str]
    """Path parameters, by name."""
    query: Mapping[str, Any]
    """Query parameters with defaults added, by name."""
    owner: str
    """`fingerprint` of the API key: the files and batches of one owner are hidden from others."""
    platform: str | None = None
    """Name of the host of the request; None if the emulator combines all hosts."""
    method: str = "GET"
    headers: Mapping[str, str] = MappingProxyType({})
    """Headers, by name in lower case."""


ModelHandler: TypeAlias = Callable[[dict[str, Any], "ModelContext"], Answer]

QUICK_HANDLERS: Mapping[str, ModelHandler] = {
    "createEmbeddings": embed_texts,
    "rerank": rerank,
}
"""Handlers whose time depends only on the size of the body, by operation id."""
MODEL_HANDLERS: Mapping[str, ModelHandler] = {
    **QUICK_HANDLERS,
    # Overlapping chunks can be many times as long as their text.
    "createContextualizedEmbeddings": embed_documents,
    "createMultimodalEmbeddings": embed_inputs,
}
"""Handlers of all model endpoints, by operation id."""
