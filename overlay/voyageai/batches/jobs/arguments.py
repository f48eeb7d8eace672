"""The arguments of the methods that make jobs: checked, and sorted into tasks and options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ...calls import fill
from ...error import ArgumentError
from ...inputs.contextualized import ChunkFunction, check_chunking
from .preparing import JobOptions
from .tasks import Contextualize, Embed, Rerank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...flow import AsyncSender, Sender

__all__ = ["contextualize_task", "embed_task", "rerank_task"]

OPTIONS = frozenset(JobOptions.__annotations__)


def embed_task(
    sender: Sender | AsyncSender, function: str, model: str, options: Mapping[str, Any]
) -> tuple[Embed, JobOptions]:
    """Return the task of a job of embeddings, and the options of the job.

    Args:
        sender: The client's, for its default input types.
        function: Name of the method that was called, for errors.
        model: The model.
        options: The method's `**options`: fields of the requests, and options of the job.

    Raises:
        TypeError: There is no such argument.
        ArgumentError: An argument is wrong.
    """
    from voyageai_rest.models.batch_embeddings_params import BatchEmbeddingsParams

    fields, own = _sorted(options, sender.input_types.get("embed"))
    params = BatchEmbeddingsParams(model=model, encoding_format="base64")
    return Embed(fill(params, function, {"truncation": True, **fields}, OPTIONS)), own


def contextualize_task(
    sender: Sender | AsyncSender,
    function: str,
    model: str,
    chunk_fn: ChunkFunction | None,
    options: Mapping[str, Any],
) -> tuple[Contextualize, JobOptions]:
    """Return the task of a job of contextualized embeddings, and the options of the job.

    Args:
        sender, function, model, options: As in `embed_task`.
        chunk_fn: Splits each text into chunks.

    Raises:
        TypeError, ArgumentError: As in `embed_task`.
    """
    from voyageai_rest.models.batch_contextualized_embeddings_params import (
        BatchContextualizedEmbeddingsParams,
    )

    fields, own = _sorted(options, sender.input_types.get("contextualized_embed"))
    fields = check_chunking(chunk_fn, fields)
    if fields["enable_auto_chunking"] and fields.get("input_type") != "document":
        raise ArgumentError(
            "enable_auto_chunking=True requires input_type='document'", "enable_auto_chunking"
        )
    params = BatchContextualizedEmbeddingsParams(model=model, encoding_format="base64")
    return Contextualize(fill(params, function, fields, OPTIONS), chunk_fn), own


def rerank_task(function: str, model: str, options: Mapping[str, Any]) -> tuple[Rerank, JobOptions]:
    """Return the task of a job of rerankings, and the options of the job.

    Args:
        function, model, options: As in `embed_task`.

    Raises:
        TypeError, ArgumentError: As in `embed_task`.
    """
    from voyageai_rest.models.batch_rerank_params import BatchRerankParams

    fields, own = _sorted(options)
    params = BatchRerankParams(model=model)
    return Rerank(fill(params, function, {"truncation": True, **fields}, OPTIONS)), own


def _sorted(
    options: Mapping[str, Any], input_type: str | None = None
) -> tuple[dict[str, Any], JobOptions]:
    """Return the fields of the requests, with a default input type, and the options of the job."""
    own = {name: options[name] for name in options if name in OPTIONS}
    fields = {name: options[name] for name in options if name not in OPTIONS}
    if input_type and not fields.get("input_type"):
        fields["input_type"] = input_type
    return fields, cast("JobOptions", own)
