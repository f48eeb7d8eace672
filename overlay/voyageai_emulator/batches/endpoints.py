"""What a job's endpoint says of its parameters and of its lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.catalogue import MODELS
from voyageai_rest.models import (
    BatchContextualizedEmbeddingsBody,
    BatchContextualizedEmbeddingsParams,
    BatchEmbeddingsBody,
    BatchEmbeddingsParams,
    BatchRerankBody,
    BatchRerankParams,
)

from ..tokenizer import counts

if TYPE_CHECKING:
    from voyageai_rest.types import Model

    from ..contract import Contract, Operation

__all__ = ["Endpoint", "endpoint_of", "schema_of"]


def schema_of(model: type[Model]) -> str:
    """Where in the contract the schema of a model stands."""
    return f"#/components/schemas/{model.__name__}"


LONGEST = max(
    model.auto_chunking_context_length or model.context_length or 0 for model in MODELS.values()
)
"""Tokens of a text from well over which on they are not counted: no model takes more of them."""


def _sum(texts: list[str]) -> int:
    return sum(counts(texts, LONGEST))


def _of_input(body: Mapping[str, Any]) -> int:
    texts = body["input"]
    return _sum([texts] if isinstance(texts, str) else texts)


def _of_inputs(body: Mapping[str, Any]) -> int:
    documents: list[str | list[str]] = body["inputs"]
    return sum(_sum([item] if isinstance(item, str) else item) for item in documents)


def _of_ranking(body: Mapping[str, Any]) -> int:
    documents: list[str] = body["documents"]
    return _sum([body["query"]]) * len(documents) + _sum(documents)


class Endpoint(NamedTuple):
    """An endpoint that jobs may be for."""

    params: type[Model]
    """Model of the parameters that all lines of a job share."""
    body: type[Model]
    """Model of what differs from line to line."""
    tokens: Callable[[Mapping[str, Any]], int]
    """Counts the tokens of such a body, whether or not they will be cut."""


ENDPOINTS = {
    "createEmbeddings": Endpoint(BatchEmbeddingsParams, BatchEmbeddingsBody, _of_input),
    "createContextualizedEmbeddings": Endpoint(
        BatchContextualizedEmbeddingsParams, BatchContextualizedEmbeddingsBody, _of_inputs
    ),
    "rerank": Endpoint(BatchRerankParams, BatchRerankBody, _of_ranking),
}
"""By operation id."""


def endpoint_of(contract: Contract, path: str) -> tuple[Operation, Endpoint]:
    """The operation at a path, such as ``/v1/embeddings``, and what jobs for it are made of."""
    operation = contract.find("POST", path)
    if operation is None:
        raise LookupError(f"the contract has no operation at {path}")
    return operation, ENDPOINTS[operation.id]
