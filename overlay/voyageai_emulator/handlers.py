"""The operations that the emulator answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from starlette.responses import Response

from .batches import handlers as batches
from .embeddings import embed_documents, embed_inputs, embed_texts
from .files import handlers as files
from .reranking import rerank

if TYPE_CHECKING:
    from .rules import ModelContext
    from .state import EmulatorState

__all__ = ["MODEL_HANDLERS", "QUICK_HANDLERS", "STORE_HANDLERS", "Answer", "CheckedRequest"]


class Answer(Protocol):
    """A response model."""

    def to_dict(self) -> dict[str, Any]:
        """The body as JSON has it."""
        ...


class CheckedRequest(NamedTuple):
    """A request that has been checked."""

    body: Any
    """The body with its defaults filled in, or the fields of a form; None where there is none."""
    path: Mapping[str, str]
    """The path's parameters, by name."""
    query: Mapping[str, Any]
    """The query's parameters with their defaults, by name."""
    owner: str
    """`fingerprint` of the API key: the files and batches of one owner are hidden from others."""
    platform: str | None = None
    """Name of the host that is asked."""
    method: str = "GET"
    headers: Mapping[str, str] = MappingProxyType({})
    """Headers, by name in lower case."""


ModelHandler: TypeAlias = Callable[[dict[str, Any], "ModelContext"], Answer]
StoreHandler: TypeAlias = Callable[[CheckedRequest, "EmulatorState"], Answer | Response]

QUICK_HANDLERS: Mapping[str, ModelHandler] = {
    "createEmbeddings": embed_texts,
    "rerank": rerank,
}
"""By operation id: those that a model answers in a time that the body's size tells."""
MODEL_HANDLERS: Mapping[str, ModelHandler] = {
    **QUICK_HANDLERS,
    # Chunks that overlap are many times as long as their text.
    "createContextualizedEmbeddings": embed_documents,
    "createMultimodalEmbeddings": embed_inputs,
}
"""By operation id: those that a model answers."""
STORE_HANDLERS: Mapping[str, StoreHandler] = {
    "uploadFile": files.upload_file,
    "listFiles": files.list_files,
    "deleteFiles": files.delete_files,
    "retrieveFile": files.retrieve_file,
    "deleteFile": files.delete_file,
    "retrieveFileContent": files.retrieve_content,
    "createBatch": batches.create_batch,
    "listBatches": batches.list_batches,
    "retrieveBatch": batches.retrieve_batch,
    "cancelBatch": batches.cancel_batch,
}
"""By operation id: those about files and batches."""
