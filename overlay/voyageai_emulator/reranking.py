"""Ranking documents by their relevance to a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voyageai_rest.models import RerankRequest, RerankResponse, RerankResult, TokenUsage
from voyageai_rest.types import UNSET

from . import rules
from .engine.tokens import beginning, count, counts, truncate

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model

    from .rules import ModelContext

__all__ = ["rank"]


def rank(body: dict[str, Any], context: ModelContext) -> RerankResponse:
    """Answer a request to rank documents."""
    request = RerankRequest.from_dict(body)
    model = rules.find(request.model, context.models)
    truncation = bool(request.truncation)
    query = _fit_query(model, request.query, truncation=truncation)
    asked = count(query)
    documents, tokens = _fit_documents(model, request.documents, asked, truncation=truncation)
    total = asked * len(documents) + sum(tokens)
    rules.check_request_tokens(model, total)
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
    limit = model.max_query_tokens
    if limit is None or count(beginning(query, limit)) <= limit:
        return query
    if not truncation:
        raise rules.failed(
            model,
            f"The query has too many tokens and does not fit into the model's limit of {limit} "
            "tokens. Please lower the number of tokens in the query or use truncation.",
        )
    return truncate(query, limit)


def _fit_documents(
    model: Model, documents: list[str], asked: int, *, truncation: bool
) -> tuple[list[str], list[int]]:
    """Documents cut so that each fits beside the query, and the tokens of each."""
    if model.context_length is None:
        return documents, counts(documents)
    limit = model.context_length - asked
    numbers = counts(documents, limit)
    if max(numbers) <= limit:
        return documents, numbers
    if not truncation:
        raise rules.too_long(model, next(i for i, tokens in enumerate(numbers) if tokens > limit))
    return [truncate(text, limit) for text in documents], [min(tokens, limit) for tokens in numbers]
