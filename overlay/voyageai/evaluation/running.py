"""The requests of an evaluation, and the rankings by its vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from attrs import frozen
from voyageai_rest.constraints import Constraint

from ..argument_checks import catalogue_entry, check_model, check_output, check_text, constraint
from ..error import ArgumentError
from ..extras import require
from ..quantization import pack, similarity, truncate
from ..ratelimit.tokens import packed
from ..vectors import DEFAULT
from .metrics import Answers, gains_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt
    from voyageai_rest.models import InputType, OutputDtype

__all__ = ["Plan", "Run", "Searcher", "checked", "nearest", "planned"]

K = TypeVar("K", bound="Hashable")
SCALED = ("int8", "uint8")
"""Dtypes that can't be derived from floats, as the API's scaling is not documented."""


class Searcher(Protocol):
    """The part of a client that an evaluation uses."""

    def embed(  # noqa: D102  # as of a client
        self,
        texts: list[str],
        model: str,
        input_type: InputType | None,
        *,
        output_dtype: Any,
        output_dimension: int | None,
    ) -> Any: ...

    def rerank(self, query: str, documents: list[str], model: str) -> Any: ...  # noqa: D102  # as of a client


@frozen
class Plan:
    """The combinations of an evaluation, and the vectors that they need."""

    models: tuple[str, ...]
    dimensions: tuple[int | None, ...]
    dtypes: tuple[str, ...]
    rerankers: tuple[str | None, ...]
    candidates: int

    def needed(self) -> list[tuple[str, str, int | None]]:
        """Return model, dtype and dimension of the vectors to request.

        Shorter vectors are derived from the longest ones, and packed bits from floats, so these are
        not requested. int8 and uint8 are, as the API's scaling is not documented.
        """
        found: list[tuple[str, str, int | None]] = []
        for model, dtype, dimension in product(self.models, self.dtypes, self.dimensions):
            scaled = dtype in SCALED
            wanted = (model, dtype, dimension) if scaled else (model, DEFAULT, self.longest(model))
            if wanted not in found:
                found.append(wanted)
        return found

    def longest(self, model: str) -> int | None:
        """Return the largest dimension; None for the model's default."""
        sizes = [self.size(model, dimension) for dimension in self.dimensions]
        known_sizes = [size for size in sizes if size is not None]
        return max(known_sizes) if len(known_sizes) == len(sizes) else None

    @staticmethod
    def size(model: str, dimension: int | None) -> int | None:
        """Return a dimension, with the model's default for None; None if that is not known."""
        entry = catalogue_entry(model)
        usual = entry.dimensions.default if entry is not None and entry.dimensions else None
        return dimension or usual


def planned(
    models: Sequence[str] | str,
    dimensions: Sequence[int | None] | int | None,
    dtypes: Sequence[OutputDtype | str] | str,
    rerankers: Sequence[str | None] | str | None,
    candidates: int,
) -> Plan:
    """Check the arguments, and return the distinct combinations.

    Raises:
        ArgumentError: A model does not have such vectors, or belongs to another endpoint.
    """
    plan = Plan(
        tuple(dict.fromkeys(_listed(models, "models"))),
        tuple(dict.fromkeys(_listed(dimensions, "dimensions"))),
        tuple(dict.fromkeys(_listed(dtypes, "dtypes"))),
        tuple(dict.fromkeys(_listed(rerankers, "rerankers"))),
        candidates,
    )
    for model, dimension, dtype in product(plan.models, plan.dimensions, plan.dtypes):
        check_output(_model_of("embeddings", model, "models"), dimension, dtype)
        if plan.size(model, dimension) is None and len(plan.dimensions) > 1:
            raise ArgumentError(
                f"dimensions must be numbers for {model}, whose default is not known", "dimensions"
            )
    for reranker in plan.rerankers:
        if reranker is not None:
            _model_of("rerank", reranker, "rerankers")
    limit = constraint("RerankRequest", "documents").max_items
    if not isinstance(candidates, int):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may pass anything
        raise ArgumentError(f"candidates must be an integer, not {candidates!r}", "candidates")
    if candidates < 1 or (limit is not None and candidates > limit):
        raise ArgumentError(f"candidates must be from 1 to {limit}, not {candidates}", "candidates")
    return plan


def check_served(client: Searcher, plan: Plan) -> None:
    """Raise if several models are to be evaluated at a deployment of a single model.

    Raises:
        ArgumentError: The client's deployment serves only one model.
    """
    kind: Any = getattr(client, "_kind", None)
    named = [name for name in (*plan.models, *plan.rerankers) if name is not None]
    if kind is not None and kind.one_model and len(named) > 1:
        raise ArgumentError(
            f"{kind.title} serves one model, but {', '.join(named)} are given; evaluate each "
            "where it is served",
            "models",
        )


def _listed(given: Any, argument: str) -> Any:
    listed = (given,) if given is None or isinstance(given, str | int) else tuple(given)
    if not listed:
        raise ArgumentError(f"{argument} is empty; it needs at least one", argument)
    return listed


def _model_of(endpoint: str, model: object, argument: str) -> str:
    """Return the name of a model, unless the catalogue assigns it to another endpoint."""
    name = check_model(model)
    entry = catalogue_entry(name)
    if entry is not None and entry.endpoint not in (None, endpoint):
        raise ArgumentError(f"{argument}: {name} is a model of /{entry.endpoint}", argument)
    return name


def checked(
    documents: Mapping[K, str], queries: Mapping[str, Answers[K]]
) -> tuple[list[K], list[str], dict[str, dict[K, float]]]:
    """Return ids, their texts, and for each query the gains of its documents.

    Raises:
        ArgumentError: A mapping is empty or none, a text is empty or none, or an answer is no
            document.
    """
    given: Any
    for name, given in (("documents", documents), ("queries", queries)):
        if not isinstance(given, Mapping) or not given:  # pyright: ignore[reportUnnecessaryIsInstance]  # users may pass anything
            form = "id to text" if name == "documents" else "query to ids of documents"
            raise ArgumentError(f"{name} must be a mapping of {form}, with at least one", name)
    bounds = Constraint(min_length=1)
    for id, text in documents.items():
        check_text(text, f"documents[{id!r}]", bounds)
    gains: dict[str, dict[K, float]] = {}
    for query, answers in queries.items():
        check_text(query, f"queries[{query!r}]", bounds)
        gains[query] = gains_of(answers, f"queries[{query!r}]", "queries")
        if not gains[query]:
            raise ArgumentError(f"queries[{query!r}] has no answer; leave it out", "queries")
        for missing in gains[query].keys() - documents.keys():
            raise ArgumentError(
                f"queries[{query!r}]: no document has the id {missing!r}", "queries"
            )
    return list(documents), list(documents.values()), gains


Matrices: TypeAlias = "tuple[npt.NDArray[Any], npt.NDArray[Any]]"
"""Vectors of queries, of shape (queries, columns), and of documents, of (documents, columns)."""


class Run:
    """The requests of a run, with their results cached, so that nothing is paid for twice."""

    def __init__(
        self, client: Searcher, texts: list[str], queries: list[str], candidates: int
    ) -> None:
        self.client, self.texts, self.queries = client, texts, queries
        self.candidates = candidates
        self.tokens: dict[str, int] = {}
        self._embedded: dict[tuple[str, str, int | None], tuple[Matrices, int]] = {}
        self._ranked: dict[tuple[str, str, frozenset[int]], tuple[list[int], int]] = {}

    def vectors(
        self, plan: Plan, model: str, dimension: int | None, dtype: str
    ) -> tuple[Matrices, int]:
        """Return the vectors of a combination, and their tokens."""
        if dtype in SCALED:
            return self._request(model, dtype, dimension)
        (queries, documents), tokens = self._request(model, DEFAULT, plan.longest(model))
        size = plan.size(model, dimension) or documents.shape[1]
        kept = truncate(queries, size), truncate(documents, size)
        if dtype != DEFAULT:
            kept = pack(kept[0], dtype), pack(kept[1], dtype)
        return kept, tokens

    def _request(self, model: str, dtype: str, dimension: int | None) -> tuple[Matrices, int]:
        key = (model, dtype, dimension)
        if key not in self._embedded:
            queries, query_tokens = self._embed(self.queries, "query", key)
            documents, document_tokens = self._embed(self.texts, "document", key)
            self._embedded[key] = (queries, documents), query_tokens + document_tokens
        return self._embedded[key]

    def _embed(
        self, texts: list[str], input_type: InputType, key: tuple[str, str, int | None]
    ) -> tuple[npt.NDArray[Any], int]:
        np = require("numpy", "numpy")
        model, dtype, dimension = key
        parts: list[npt.NDArray[Any]] = []
        tokens = 0
        for request in packed(texts, model):
            answer = self.client.embed(
                request, model, input_type, output_dtype=dtype, output_dimension=dimension
            )
            parts.append(answer.to_numpy())
            tokens += answer.total_tokens
            self._bill(model, answer.total_tokens)
        matrix: npt.NDArray[Any] = np.concatenate(parts)
        return matrix, tokens

    def reranked(self, order: list[list[int]], reranker: str | None) -> tuple[list[list[int]], int]:
        """Return rankings whose first candidates are reranked, and the tokens of the reranking."""
        if reranker is None:
            return order, 0
        found: list[list[int]] = []
        tokens = 0
        for query, ranking in zip(self.queries, order, strict=True):
            places = ranking[: self.candidates]
            key = (reranker, query, frozenset(places))
            if key not in self._ranked:
                answer = self.client.rerank(query, [self.texts[n] for n in places], reranker)
                ranked: list[int] = [places[result.index] for result in answer.results]
                self._ranked[key] = ranked, answer.total_tokens
                self._bill(reranker, answer.total_tokens)
            best, reranked_tokens = self._ranked[key]
            found.append([*best, *ranking[self.candidates :]])
            tokens += reranked_tokens
        return found, tokens

    def _bill(self, model: str, tokens: int) -> None:
        self.tokens[model] = self.tokens.get(model, 0) + tokens


def nearest(queries: npt.NDArray[Any], documents: npt.NDArray[Any], dtype: str) -> list[list[int]]:
    """Return for each query the indices of all documents, the nearest first."""
    np = require("numpy", "numpy")
    found: list[list[int]] = np.argsort(
        -similarity(queries, documents, dtype), axis=1, kind="stable"
    ).tolist()
    return found
