"""Documents by relevance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.errors import ShapeError

from .._utils import safe_repr
from ..html import SHOWN, shortened, table
from .result import Result, count_of

if TYPE_CHECKING:
    from voyageai_rest.models import RerankResponse


class RerankingResult(NamedTuple):
    """The relevance of one document.

    Attributes:
        index: Position of the document among those sent.
        document: Text of the document.
        relevance_score: Relevance to the query; higher is better.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, as in the official client
    document: str
    relevance_score: float


class RerankingObject(Result):
    """Documents by relevance.

    Attributes:
        results: One `RerankingResult` per document, best first.
        total_tokens, model, usage, request_id: As in `EmbeddingsObject`.
    """

    def __init__(
        self, documents: Sequence[str], response: RerankResponse, *, expected: int | None = None
    ) -> None:
        if expected is not None and len(response.data) != expected:
            raise ShapeError(f"expected {expected} entries, found {len(response.data)}", "data")
        seen: set[int] = set()
        self.results: list[RerankingResult] = []
        for place, entry in enumerate(response.data):
            index, score = int(entry.index), entry.relevance_score
            if not 0 <= index < len(documents):
                raise ShapeError(
                    f"index {index} does not belong to any document; there are {len(documents)}",
                    "data",
                )
            if index in seen:
                raise ShapeError(f"index {index} appears twice", "data")
            if not isfinite(score):
                raise ShapeError(f"the relevance_score is {score}", f"data[{place}]")
            seen.add(index)
            self.results.append(RerankingResult(index, documents[index], score))
        self._account(response)

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[RerankingResult]:
        return iter(self.results)

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({count_of(len(self), 'document')}, {self._origin()})"

    def _repr_html_(self) -> str:
        rows = [
            (rank, one.relevance_score, one.index, shortened(one.document))
            for rank, one in enumerate(self.results[:SHOWN], start=1)
        ]
        body = table(["rank", "relevance", "index", "document"], rows, len(self))
        return self._card({"documents": f"{len(self):,}"}, body)

    def _content(self) -> tuple[Any, ...]:
        return self.results, self.total_tokens
