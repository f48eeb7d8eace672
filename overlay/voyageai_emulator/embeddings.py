"""Embeddings of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voyageai_rest.models import Embedding, EmbeddingsRequest, EmbeddingsResponse, TokenUsage

from . import rules

if TYPE_CHECKING:
    from .rules import ModelContext

__all__ = ["embed_texts"]


def embed_texts(body: dict[str, Any], context: ModelContext) -> EmbeddingsResponse:
    """Answer a request for the embeddings of texts."""
    request = EmbeddingsRequest.from_dict(body)
    model = rules.find(request.model, context.models)
    form = rules.output(
        model, request.output_dimension, request.output_dtype, request.encoding_format
    )
    texts = [request.input] if isinstance(request.input, str) else request.input
    texts, tokens = rules.fit(model, texts, truncation=bool(request.truncation))
    rules.check_request_tokens(model, sum(tokens))
    passages = [rules.passage(model, text, request.input_type) for text in texts]
    vectors = form.write(context.engine.embed(passages, rules.space(model), form.dimension))
    return EmbeddingsResponse(
        object="list",
        data=[
            Embedding(object="embedding", embedding=vector, index=index)
            for index, vector in enumerate(vectors)
        ],
        model=request.model,
        usage=TokenUsage(total_tokens=sum(tokens)),
    )
