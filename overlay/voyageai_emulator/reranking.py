"""Handler of the reranking endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voyageai_rest.models import RerankRequest, RerankResponse, RerankResult, TokenUsage
from voyageai_rest.types import UNSET

from . import model_limits, tokenizer

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model

    from .model_limits import ModelContext


__all__ = ["rerank"]


def rerank(body: dict[str, Any], context: ModelContext) -> RerankResponse:
    """Answer a request to rerank documents."""
    request = RerankRequest.from_dict(body)
    model = model_limits.find(request.model, context.models)
    truncation = bool(request.truncation)
    query = _fit_query(model, request.query, truncation=truncation)
    query_tokens = tokenizer.count(query, start_token=bool(model.start_token))
    documents, tokens = _fit_documents(
        model, request.documents, query_tokens, truncation=truncation
    )
    total = query_tokens * len(documents) + sum(tokens)
    model_limits.check_request_tokens(model, total)
    scores = context.engine.relevance(query, documents, model.name).tolist()
    best = sorted(range(len(scores)), key=lambda index: -scores[index])
    if isinstance(request.top_k, int):
        best = best[: max(request.top_k, 0)]
    return RerankResponse(
        object="list",
        data=[
            RerankResult(
                index=index,
                relevance_score=scores[index],
                document=request.documents[index] if request.return_documents else UNSET,
            )
            for index in best
        ],
        model=request.model,
        usage=TokenUsage(total_tokens=total),
    )


def _fit_query(model: Model, query: str, *, truncation: bool) -> str:
    """Return a query truncated to the tokens that the model accepts.

    Raises:
        ApiError: The query is too long, and `truncation` is false.
    """
    limit, start_token = model.max_query_tokens, bool(model.start_token)
    if limit is None or tokenizer.count(query, limit, start_token=start_token) <= limit:
        return query
    if not truncation:
        raise model_limits.failed(
            model,
            f"The query has too many tokens and does not fit into the model's limit of {limit} "
            "tokens. Please lower the number of tokens in the query or use truncation.",
        )
    return tokenizer.truncate(query, limit, start_token=start_token)


def _fit_documents(
    model: Model, documents: list[str], query_tokens: int, *, truncation: bool
) -> tuple[list[str], list[int]]:
    """Return documents truncated to fit with the query, and the tokens of each.

    Raises:
        ApiError: A document is too long, and `truncation` is false.
    """
    start_token = bool(model.start_token)
    limit = None if model.context_length is None else model.context_length - query_tokens
    tokens = tokenizer.counts(documents, limit, start_token=start_token)
    if limit is None or max(tokens) <= limit:
        return documents, tokens
    if not truncation:
        raise model_limits.too_long(
            model, next(i for i, number in enumerate(tokens) if number > limit)
        )
    return [tokenizer.truncate(text, limit, start_token=start_token) for text in documents], [
        min(number, limit) for number in tokens
    ]
