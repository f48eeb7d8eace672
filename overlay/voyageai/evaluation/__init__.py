"""Quality of search on your own data, by model, dimension, dtype and reranker, with its price.

Labelled queries are run against an index of your documents, once per combination, to answer
questions such as "are 256 numbers of int8 good enough for my data, and what do they save?"

    >>> documents = {"cat": "A cat sleeps on the mat.", "rain": "It will rain in May."}
    >>> queries = {"where does the cat sleep?": ["cat"], "will it rain?": ["rain"]}
    >>> sizes = {"dimensions": [1024, 256], "dtypes": ["float", "int8"]}
    >>> found = evaluate(vo, documents, queries, models="voyage-4", **sizes)
    >>> [(row.dimension, row.dtype, row.bytes) for row in found]
    [(1024, 'float', 4096), (1024, 'int8', 1024), (256, 'float', 1024), (256, 'int8', 256)]
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, TypeVar

from voyageai_rest.dtypes import DTYPES

from ..argument_checks import check_blocking
from ..error import ArgumentError
from ..prices import check_max_cost, cost, dollars, list_price
from ..ratelimit.tokens import estimate_tokens
from ..vectors import DEFAULT
from .metrics import Answers, Evaluation, EvaluationEstimate, Row, Scores, check_k, scores, total
from .running import Plan, Run, Searcher, check_served, checked, nearest, planned

if TYPE_CHECKING:
    from voyageai_rest.models import OutputDtype

__all__ = ["Evaluation", "EvaluationEstimate", "Row", "Scores", "estimate", "evaluate", "scores"]

K = TypeVar("K", bound=Hashable)


def estimate(
    documents: Mapping[K, str],
    queries: Mapping[str, Answers[K]],
    *,
    models: Sequence[str] | str,
    dimensions: Sequence[int | None] | int | None = (None,),
    dtypes: Sequence[OutputDtype | str] | str = (DEFAULT,),
    rerankers: Sequence[str | None] | str | None = (None,),
    candidates: int = 30,
) -> EvaluationEstimate:
    """Estimate the tokens and the cost of `evaluate` with the same arguments; nothing is sent.

    Args:
        documents, queries, models, dimensions, dtypes, rerankers, candidates: As in `evaluate`.
    """
    plan = planned(models, dimensions, dtypes, rerankers, candidates)
    _, texts, gains = checked(documents, queries)
    return _estimated(plan, texts, [*gains])


def _estimated(plan: Plan, texts: list[str], query_texts: list[str]) -> EvaluationEstimate:
    each = estimate_tokens(texts) + estimate_tokens(query_texts)
    tokens: dict[str, int] = {}
    for model, _, _ in plan.needed():
        tokens[model] = tokens.get(model, 0) + each
    count = min(plan.candidates, len(texts))
    candidate_tokens = count * estimate_tokens(texts) // len(texts)
    reranked = sum(estimate_tokens([query]) * count + candidate_tokens for query in query_texts)
    combinations = len(plan.models) * len(plan.dimensions) * len(plan.dtypes)
    for reranker in plan.rerankers:
        if reranker is not None:
            tokens[reranker] = combinations * reranked
    return EvaluationEstimate(tokens=tokens)


def evaluate(
    client: Searcher,
    documents: Mapping[K, str],
    queries: Mapping[str, Answers[K]],
    *,
    models: Sequence[str] | str,
    dimensions: Sequence[int | None] | int | None = (None,),
    dtypes: Sequence[OutputDtype | str] | str = (DEFAULT,),
    rerankers: Sequence[str | None] | str | None = (None,),
    k: int = 10,
    candidates: int = 30,
    max_cost: float | None = None,
) -> Evaluation:
    """Score each combination of models, dimensions, dtypes and rerankers on labelled queries.

    Documents are embedded once per model, and again for each dimension of int8 and uint8.

    Args:
        client: A `Client`, not an `AsyncClient`.
        documents: Texts by id.
        queries: For each query, the ids of the documents that answer it, or a mapping from these
            ids to gains, which grade how well they answer.
        models: Names of embedding models.
        dimensions: Dimensions of the vectors; None for a model's default.
        dtypes: Dtypes of the vectors.
        rerankers: Names of rerankers; None for no reranker.
        k: Number of results that count for recall and nDCG.
        candidates: Number of nearest documents that are reranked.
        max_cost: Highest cost in US dollars, compared with the estimate.

    Returns:
        A row per combination: scores, bytes per vector, tokens and list price.

    Raises:
        ArgumentError: An argument is wrong, or the estimate is above `max_cost`. Nothing was sent.
        ImportError: numpy is not installed.
        VoyageError: A request failed.
    """
    plan = planned(models, dimensions, dtypes, rerankers, candidates)
    check_k(k)
    check_max_cost(max_cost)
    check_blocking(client)
    check_served(client, plan)
    ids, texts, gains = checked(documents, queries)
    query_texts = [*gains]
    expected = _estimated(plan, texts, query_texts)
    if max_cost is not None and (expected.cost is None or expected.cost > max_cost):
        raise ArgumentError(
            f"max_cost is {dollars(max_cost)}, but the evaluation would take {expected}", "max_cost"
        )
    run = Run(client, texts, query_texts, candidates)
    rows: list[Row] = []
    for model, dimension, dtype in product(plan.models, plan.dimensions, plan.dtypes):
        vectors, tokens = run.vectors(plan, model, dimension, dtype)
        order = nearest(*vectors, dtype)
        for reranker in plan.rerankers:
            ranked, reranked = run.reranked(order, reranker)
            rankings = [[ids[place] for place in ranking] for ranking in ranked]
            prices = [cost(list_price(model), tokens)]
            if reranker is not None:
                prices.append(cost(list_price(reranker), reranked))
            columns = vectors[1].shape[1]
            rows.append(
                Row(
                    model=model,
                    dimension=columns * DTYPES[dtype].dimensions_per_number,
                    dtype=dtype,
                    reranker=reranker,
                    scores=scores(rankings, [*gains.values()], k),
                    bytes=columns * vectors[1].itemsize,
                    tokens=tokens,
                    rerank_tokens=reranked,
                    cost=total(prices),
                )
            )
    return Evaluation(
        rows=tuple(rows),
        k=k,
        documents=len(ids),
        queries=len(query_texts),
        candidates=candidates,
        tokens=run.tokens,
    )
