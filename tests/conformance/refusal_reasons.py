"""Documented reasons to refuse a request that its schema allows.

Each reason is documented, but a schema can't express it. A request that has one must be refused
for it, and a request that has none must be accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from voyageai_rest.catalogue import MODELS, Model

Body = dict[str, Any]


@dataclass(frozen=True)
class Reason:
    """A documented rule that requests can break.

    Attributes:
        operations: Ids of the operations to which it applies.
        rule: The rule in the documentation's words.
        said: Words of the refusal that distinguish it from others.
        breaks: Function that says whether a body breaks the rule; None for a rule about earlier
            requests, which no body shows to be broken.
        status: The status of the refusal.
    """

    operations: tuple[str, ...]
    rule: str
    said: str
    breaks: Callable[[Body], bool] | None = None
    status: int = 400


def _model(body: Body) -> Model:
    return MODELS[body["model"]]


def _wrong_dimension(body: Body) -> bool:
    asked, known = body.get("output_dimension"), _model(body).dimensions
    return asked is not None and known is not None and asked not in known.allowed


def _wrong_dtype(body: Body) -> bool:
    known = _model(body).dtypes
    return known is not None and (body.get("output_dtype") or "float") not in known


def _chunked(body: Body) -> bool:
    return bool(body.get("enable_auto_chunking"))


def _query(body: Body) -> bool:
    return body.get("input_type") == "query"


def _flat(body: Body) -> bool:
    return all(isinstance(document, str) for document in body["inputs"])


def _several(body: Body) -> bool:
    return not _flat(body) and any(len(document) > 1 for document in body["inputs"])


def _parts(body: Body) -> set[str]:
    return {part["type"] for item in body["inputs"] for part in item["content"]}


EMBEDDINGS = ("createEmbeddings", "createContextualizedEmbeddings", "createMultimodalEmbeddings")
CONTEXTUALIZED = ("createContextualizedEmbeddings",)
MULTIMODAL = ("createMultimodalEmbeddings",)
JOB = ("createBatch",)

REASONS = (
    Reason(EMBEDDINGS, "the dimension is one of the model's", "dimension", _wrong_dimension),
    Reason(EMBEDDINGS, "the dtype is one of the model's", "data type", _wrong_dtype),
    Reason(
        CONTEXTUALIZED,
        "with auto-chunking the input_type is document",
        "'input_type'",
        lambda body: _chunked(body) and body.get("input_type") != "document",
    ),
    Reason(
        CONTEXTUALIZED,
        "with auto-chunking each input is one document",
        "holds one document",
        lambda body: _chunked(body) and _several(body),
    ),
    Reason(
        CONTEXTUALIZED,
        "a flat list is for auto-chunking and queries",
        "flat list",
        lambda body: _flat(body) and not _chunked(body) and not _query(body),
    ),
    Reason(
        CONTEXTUALIZED,
        "a query is an input of its own",
        "holds one query",
        lambda body: _query(body) and _several(body),
    ),
    Reason(
        CONTEXTUALIZED,
        "the overlap of chunks is less than their size",
        "less than chunk_size",
        lambda body: _chunked(body) and body.get("chunk_overlap", 0) >= body.get("chunk_size", 512),
    ),
    Reason(
        MULTIMODAL,
        "images come all by URL or all as data URLs",
        "not both",
        lambda body: {"image_url", "image_base64"} <= _parts(body),
    ),
    Reason(
        JOB,
        "the dimension is one of the model's",
        "dimension",
        lambda body: _wrong_dimension(body["request_params"]),
    ),
    Reason(
        JOB,
        "the dtype is one of the model's",
        "data type",
        lambda body: _wrong_dtype(body["request_params"]),
    ),
    Reason(
        ("retrieveFile", "retrieveFileContent", "deleteFile", "listFiles", *JOB),
        "there is a file of this id",
        "File '",
        status=404,
    ),
    Reason(
        ("retrieveBatch", "cancelBatch", "listBatches"),
        "there is a job of this id",
        "Batch '",
        status=404,
    ),
    Reason(("cancelBatch",), "a job that is over cannot be cancelled", "cannot be cancelled"),
    Reason(("deleteFile",), "a job in flight needs its file", "used by a batch"),
)


def reasons(operation: str, body: Any) -> Iterator[Reason]:
    """Yield the reasons for which a request must or may be refused."""
    for reason in REASONS:
        if operation in reason.operations and (reason.breaks is None or reason.breaks(body)):
            yield reason
