"""Quality of a search on your own data: by model, dimension, dtype and reranker, with its price.

Labelled queries are asked of an index of your documents, once per combination, so that questions
like "are 256 numbers of int8 good enough for me, and what do they save?" have an answer:

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

from ..error import ArgumentError
from ..limits import check_blocking
from ..prices import check_max_cost, cost, dollars, list_price
from ..ratelimit.tokens import estimate_tokens
from ..vectors import DEFAULT
from .rows import Answers, Evaluation, EvaluationEstimate, Row, Scores, check_k, scores, total
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
    """Return what `evaluate` will take with the same arguments, before anything is sent.

    Args:
        documents, queries, models, dimensions, dtypes, rerankers, candidates: As in `evaluate`.
    """
    plan = planned(models, dimensions, dtypes, rerankers, candidates)
    _, texts, gains = checked(documents, queries)
    return _estimated(plan, texts, [*gains])


def _estimated(plan: Plan, texts: list[str], asked: list[str]) -> EvaluationEstimate:
    each = estimate_tokens(texts) + estimate_tokens(asked)
    tokens: dict[str, int] = {}
    for model, _, _ in plan.asked():
        tokens[model] = tokens.get(model, 0) + each
    count = min(plan.candidates, len(texts))
    usual = count * estimate_tokens(texts) // len(texts)
    reranked = sum(estimate_tokens([query]) * count + usual for query in asked)
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
    """Score every combination of models, dimensions, dtypes and rerankers on labelled queries.

    Documents are embedded once per model, and once more for each dimension of int8 and uint8.

    Args:
        client: A `Client`, not an `AsyncClient`.
        documents: Texts by id.
        queries: For each query the ids of the documents that answer it, or a mapping of them to
            how well they do.
        models: Embedding models.
        dimensions: Dimensions of the vectors; None is each model's default.
        dtypes: Dtypes of the vectors.
        rerankers: Rerankers; None is none.
        k: How many results count for recall and nDCG.
        candidates: How many of the nearest documents are reranked.
        max_cost: US dollars. An evaluation that is estimated to cost more is refused.

    Returns:
        A row per combination: scores, bytes of a vector, tokens and list price.

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
    asked = [*gains]
    expected = _estimated(plan, texts, asked)
    if max_cost is not None and (expected.cost is None or expected.cost > max_cost):
        raise ArgumentError(
            f"max_cost is {dollars(max_cost)}, but it would take {expected}", "max_cost"
        )
    run = Run(client, texts, asked, candidates)
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
        queries=len(asked),
        candidates=candidates,
        tokens=run.tokens,
    )
