"""Scores of rankings, and the results of an evaluation."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from math import isfinite, log2
from numbers import Real
from typing import Any, TypeAlias, TypeVar, cast

from attrs import field, frozen

from ..error import ArgumentError
from ..html import card, scatter, table
from ..prices import cost, dollars, list_price

__all__ = [
    "Answers",
    "Evaluation",
    "EvaluationEstimate",
    "Row",
    "Scores",
    "check_k",
    "gains_of",
    "scores",
    "total",
]

K = TypeVar("K", bound=Hashable)
Answers: TypeAlias = "Collection[K] | Mapping[K, float]"
"""Ids of the documents that answer a query, or a mapping from ids to gains, 0 for no answer."""


@frozen(kw_only=True)
class Scores:
    """Averages over queries, each from 0 to 1.

    Attributes:
        queries: Number of queries.
        recall: Share of a query's answers among the first `k` results.
        mrr: Mean reciprocal rank: 1, 1/2, 1/3, … if the first answer is at rank 1, 2, 3, …; 0
            without one.
        ndcg: Normalized discounted cumulative gain of the first `k` results: the sum of gains, each
            divided by the logarithm of its rank, relative to the best order.
    """

    queries: int
    recall: float
    mrr: float
    ndcg: float


def scores(rankings: Sequence[Sequence[K]], answers: Sequence[Answers[K]], k: int = 10) -> Scores:
    """Score rankings.

    Args:
        rankings: For each query the ids of documents, the best first. If a search over parts of
            documents finds one several times, keep only the first.
        answers: For each query the ids of its answers, or a mapping from ids to gains.
        k: Number of results that count for recall and nDCG.

    Raises:
        ArgumentError: There are no rankings, not as many as answers, a duplicate document in a
            ranking, or a query without an answer.

    Example:
        >>> scores([["a", "b", "c"]], [["b"]], k=2)
        Scores(queries=1, recall=1.0, mrr=0.5, ndcg=0.6309297535714575)
    """
    if len(rankings) != len(answers) or not rankings:
        raise ArgumentError(
            f"rankings and answers must have the same length, at least 1, not {len(rankings)} and "
            f"{len(answers)}",
            "rankings",
        )
    check_k(k)
    recall = mrr = ndcg = 0.0
    for place, (ranking, given) in enumerate(zip(rankings, answers, strict=True)):
        gains = gains_of(given, f"answers[{place}]", "answers")
        if not gains:
            raise ArgumentError(
                f"answers[{place}] is empty; each query needs at least one", "answers"
            )
        if len(set(ranking)) != len(ranking):
            twice = next(name for name in ranking if ranking.count(name) > 1)
            raise ArgumentError(
                f"rankings[{place}] has {twice!r} more than once; keep only the first",
                "rankings",
            )
        recall += sum(1 for name in ranking[:k] if name in gains) / len(gains)
        mrr += next((1 / rank for rank, name in enumerate(ranking, 1) if name in gains), 0.0)
        best = sorted(gains.values(), reverse=True)[:k]
        ndcg += _discounted([gains.get(name, 0.0) for name in ranking[:k]]) / _discounted(best)
    count = len(rankings)
    return Scores(queries=count, recall=recall / count, mrr=mrr / count, ndcg=ndcg / count)


def check_k(k: object) -> None:
    """Raise if a number of results is not an integer from 1."""
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise ArgumentError(f"k must be at least 1, not {k!r}", "k")


def gains_of(answers: Answers[K], where: str, argument: str) -> dict[K, float]:
    """Return the gains above 0, by document.

    Args:
        answers: The answers of one query.
        where, argument: Position and argument of the answers, for errors.

    Raises:
        ArgumentError: `answers` is a single text, or a gain is no finite number.
    """
    if isinstance(answers, str):
        raise ArgumentError(f"{where} must be a list of ids: [{answers!r}]", argument)
    if isinstance(answers, Mapping):
        graded = cast("Mapping[K, float]", answers)
        for name, gain in graded.items():
            if not isinstance(gain, Real) or not isfinite(gain):
                raise ArgumentError(f"{where}[{name!r}] must be a number, not {gain!r}", argument)
        return {name: float(gain) for name, gain in graded.items() if gain > 0}
    return dict.fromkeys(answers, 1.0)


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))


@frozen(kw_only=True)
class Row:
    """The quality and the cost of a combination.

    Attributes:
        model: The embedding model.
        dimension: Dimension of the vectors.
        dtype: Dtype of the vectors.
        reranker: The reranker; None without one.
        scores: Scores of the rankings.
        bytes: Bytes per vector.
        tokens: Tokens of all documents and queries, embedded once.
        rerank_tokens: Tokens of reranking the candidates of all queries once.
        cost: List price of these tokens in US dollars; None if a price is not known.
    """

    model: str
    dimension: int
    dtype: str
    reranker: str | None
    scores: Scores
    bytes: int
    tokens: int
    rerank_tokens: int
    cost: float | None

    @property
    def name(self) -> str:
        """The combination in one line."""
        reranked = f" + {self.reranker}" if self.reranker else ""
        return f"{self.model}, {self.dimension} x {self.dtype}{reranked}"


@frozen(kw_only=True)
class Evaluation:
    """The quality of each combination. Iterate over the rows.

    Attributes:
        rows: One per combination.
        k: Number of results that count for recall and nDCG.
        documents: Number of documents.
        queries: Number of queries.
        candidates: Number of nearest documents that were reranked.
        tokens: Billed tokens in total, by model.
    """

    rows: tuple[Row, ...]
    k: int
    documents: int
    queries: int
    candidates: int
    tokens: Mapping[str, int] = field(factory=dict[str, int])

    @property
    def cost(self) -> float | None:
        """List price of all billed tokens in US dollars; None if a price is not known.

        It is less than the sum of the rows: vectors of fewer dimensions and of packed bits are
            derived from
        others.
        """
        return total(cost(list_price(model), tokens) for model, tokens in self.tokens.items())

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def _table(self) -> tuple[list[str], list[list[Any]]]:
        headings = [
            *("model", "dimension", "dtype", "reranker"),
            *(f"recall@{self.k}", "MRR", f"nDCG@{self.k}", "bytes", "tokens", "list price"),
        ]
        rows: list[list[Any]] = [
            [
                *(row.model, row.dimension, row.dtype, row.reranker or ""),
                *(f"{row.scores.recall:.3f}", f"{row.scores.mrr:.3f}", f"{row.scores.ndcg:.3f}"),
                *(row.bytes, row.tokens + row.rerank_tokens),
                "unknown" if row.cost is None else dollars(row.cost),
            ]
            for row in self.rows
        ]
        return headings, rows

    def __str__(self) -> str:
        headings, rows = self._table()
        texts = [
            headings,
            *([f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in rows),
        ]
        widths = [max(len(row[place]) for row in texts) for place in range(len(headings))]
        lines = [
            "  ".join(
                cell.ljust(width) if place in (0, 2, 3) else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in texts
        ]
        return "\n".join(lines)

    def to_svg(self) -> str:
        """Return an SVG plot of the nDCG of each combination by the bytes of its vectors."""
        points = [(row.name, float(row.bytes), row.scores.ndcg) for row in self.rows]
        return scatter(points, "bytes of a vector", f"nDCG@{self.k}")

    def _repr_html_(self) -> str:
        facts = {
            "documents": f"{self.documents:,}",
            "queries": f"{self.queries:,}",
            "billed": f"{sum(self.tokens.values()):,} tokens",
            "list price": None if self.cost is None else dollars(self.cost),
        }
        return card(type(self).__name__, facts, table(*self._table()) + self.to_svg())


@frozen(kw_only=True)
class EvaluationEstimate:
    """The estimated tokens and cost of an evaluation.

    Rerankings are counted for each combination, although those of equal candidates are sent once.

    Attributes:
        tokens: Tokens by model, estimated from characters.
    """

    tokens: Mapping[str, int]

    @property
    def cost(self) -> float | None:
        """List price in US dollars; None if a price is not known."""
        return total(cost(list_price(model), tokens) for model, tokens in self.tokens.items())

    def __str__(self) -> str:
        listed = ", ".join(f"{tokens:,} tokens of {model}" for model, tokens in self.tokens.items())
        if self.cost is not None:
            return f"about {listed}; about {dollars(self.cost)}"
        unknown = [model for model in self.tokens if list_price(model) is None]
        return "; ".join(
            [f"about {listed}", *(f"the price of {model} is not known" for model in unknown)]
        )

    def _repr_html_(self) -> str:
        price = None if self.cost is None else f"about {dollars(self.cost)}"
        facts = {model: f"about {tokens:,} tokens" for model, tokens in self.tokens.items()}
        return card(type(self).__name__, {**facts, "list price": price})


def total(amounts: Iterable[float | None]) -> float | None:
    """Return the sum of amounts in US dollars; None if an amount is None."""
    found = 0.0
    for amount in amounts:
        if amount is None:
            return None
        found += amount
    return round(found, 12)  # finer than the price of a token; drops errors of binary floats
