"""The arguments of the methods, checked, as tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from voyageai_rest.types import UNSET, Unset

from ...error import ArgumentError
from ...inputs.contextualized import ChunkFunction, check_chunking
from ...limits import check_embedding, check_flag, check_model, check_number
from .tasks import Contextualize, Embed, Rerank

if TYPE_CHECKING:
    from voyageai_rest.models import InputType, OutputDtype

    from ...flow import AsyncSender, Sender

__all__ = ["contextualize_task", "embed_task", "rerank_task"]

V = TypeVar("V")


def embed_task(
    sender: Sender | AsyncSender,
    model: str,
    input_type: InputType | str | None,
    truncation: bool | None,
    output_dtype: OutputDtype | str | None,
    output_dimension: int | None,
) -> Embed:
    """The task of `embed`, its arguments checked."""
    from voyageai_rest.models.batch_embeddings_params import BatchEmbeddingsParams

    given = input_type or sender.input_types.get("embed")
    role, dtype = check_embedding(model, given, output_dtype, output_dimension)
    check_flag("truncation", truncation)
    return Embed(
        BatchEmbeddingsParams(
            model=model,
            input_type=_given(role),
            truncation=_given(truncation),
            output_dtype=_given(dtype),
            output_dimension=_given(output_dimension),
            encoding_format="base64",
        )
    )


def contextualize_task(
    sender: Sender | AsyncSender,
    model: str,
    input_type: InputType | str | None,
    output_dtype: OutputDtype | str | None,
    output_dimension: int | None,
    chunk_fn: ChunkFunction | None,
    enable_auto_chunking: bool,
    chunk_size: int | None,
    chunk_overlap: int | None,
) -> Contextualize:
    """The task of `contextualized_embed`, its arguments checked."""
    from voyageai_rest.models.batch_contextualized_embeddings_params import (
        BatchContextualizedEmbeddingsParams,
    )

    given = input_type or sender.input_types.get("contextualized_embed")
    check_flag("enable_auto_chunking", enable_auto_chunking)
    check_chunking(chunk_fn, enable_auto_chunking, chunk_size, chunk_overlap)
    if enable_auto_chunking and given != "document":
        raise ArgumentError(
            "enable_auto_chunking=True requires input_type='document'", "enable_auto_chunking"
        )
    role, dtype = check_embedding(model, given, output_dtype, output_dimension)
    params = BatchContextualizedEmbeddingsParams(
        model=model,
        input_type=_given(role),
        output_dtype=_given(dtype),
        output_dimension=_given(output_dimension),
        encoding_format="base64",
        enable_auto_chunking=enable_auto_chunking or UNSET,
        chunk_size=_given(chunk_size),
        chunk_overlap=_given(chunk_overlap),
    )
    return Contextualize(params, chunk_fn)


def rerank_task(model: str, top_k: int | None, truncation: bool | None) -> Rerank:
    """The task of `rerank`, its arguments checked."""
    from voyageai_rest.models.batch_rerank_params import BatchRerankParams

    check_model(model)
    check_flag("truncation", truncation)
    check_number("RerankRequest", "top_k", top_k)
    return Rerank(
        BatchRerankParams(model=model, top_k=_given(top_k), truncation=_given(truncation))
    )


def _given(value: V | None) -> V | Unset:
    return UNSET if value is None else value
