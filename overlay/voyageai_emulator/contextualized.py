"""Embeddings of chunks in the light of their documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voyageai_rest.models import (
    ChunkEmbedding,
    ContextualizedEmbeddingsRequest,
    ContextualizedEmbeddingsResponse,
    DocumentEmbeddings,
    TokenUsage,
)
from voyageai_rest.types import UNSET

from . import rules
from .engine import chunking
from .engine.tokens import counts
from .error_messages import invalid_argument

if TYPE_CHECKING:
    from .rules import ModelContext

__all__ = ["embed_documents"]

ADVICE = (
    "Contextualized chunk embeddings do not support truncation. Either lower the number of tokens "
    'in the listed example(s), or pass `enable_auto_chunking=true` with `input_type="document"` '
    "and one string per input to have the server split oversize documents."
)
CHUNKED_ADVICE = "Please lower the number of tokens in the listed example(s)."


def embed_documents(
    body: dict[str, Any], context: ModelContext
) -> ContextualizedEmbeddingsResponse:
    """Answer a request for the embeddings of chunks."""
    request = ContextualizedEmbeddingsRequest.from_dict(body)
    chunked = bool(request.enable_auto_chunking)
    _check_arguments(request)
    model = rules.find(request.model, context.models)
    form = rules.output(
        model, request.output_dimension, request.output_dtype, request.encoding_format
    )
    documents = [[item] if isinstance(item, str) else item for item in request.inputs]
    limit = model.auto_chunking_context_length if chunked else model.context_length
    tokens = [sum(counts(document, limit)) for document in documents]
    for index, number in enumerate(tokens):
        if limit is not None and number > limit:
            raise rules.too_long(model, index, CHUNKED_ADVICE if chunked else ADVICE, limit)
    rules.check_request_tokens(model, sum(tokens))
    most = model.max_request_chunks
    if chunked:
        size, overlap = request.chunk_size or 1, request.chunk_overlap or 0
        # Those that overlap may be many, and take long: no more are made than are taken.
        left = None if most is None else most + 1
        for index, document in enumerate(documents):
            documents[index] = chunking.split(document[0], size, overlap, left)
            left = None if left is None else left - len(documents[index])
    number = sum(map(len, documents))
    if most is not None and number > most:
        raise rules.failed(
            model,
            f"The max allowed chunks per submitted batch is {most}. "
            f"Your batch has {f'more than {most}' if chunked else number} chunks.",
        )
    vectors = context.engine.embed_chunks(
        [[rules.passage(model, text, request.input_type) for text in texts] for texts in documents],
        rules.space(model),
        form.dimension,
    )
    return ContextualizedEmbeddingsResponse(
        object="list",
        data=[
            DocumentEmbeddings(
                object="list",
                index=index,
                data=[
                    ChunkEmbedding(
                        object="embedding",
                        embedding=vector,
                        index=place,
                        text=text if chunked else UNSET,
                    )
                    for place, (vector, text) in enumerate(
                        zip(form.write(matrix), texts, strict=True)
                    )
                ],
            )
            for index, (matrix, texts) in enumerate(zip(vectors, documents, strict=True))
        ],
        model=request.model,
        usage=TokenUsage(total_tokens=sum(tokens)),
        chunker_version=chunking.VERSION if chunked else UNSET,
    )


def _check_arguments(request: ContextualizedEmbeddingsRequest) -> None:
    """Refuse arguments that do not go together."""
    chunked, query = bool(request.enable_auto_chunking), request.input_type == "query"
    flat = all(isinstance(item, str) for item in request.inputs)
    single = flat or all(len(item) == 1 for item in request.inputs)
    if chunked and request.input_type != "document":
        raise invalid_argument("input_type", "enable_auto_chunking requires input_type 'document'")
    if chunked and not single:
        raise invalid_argument("inputs", "with enable_auto_chunking each input holds one document")
    if flat and not chunked and not query:
        raise invalid_argument(
            "inputs", "a flat list needs enable_auto_chunking or input_type 'query'"
        )
    if query and not single:
        raise invalid_argument("inputs", "with input_type 'query' each input holds one query")
    if chunked and (request.chunk_overlap or 0) >= (request.chunk_size or 1):
        raise invalid_argument("chunk_overlap", "chunk_overlap must be less than chunk_size")
