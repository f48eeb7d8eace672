"""The three kinds of tables: texts, chunks of documents, and documents by query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from attrs import define, frozen
from voyageai_rest.dtypes import DTYPES

from ..limits import known
from .slices import Shape

if TYPE_CHECKING:
    from ..calls import Call

__all__ = ["KINDS", "Kind", "Unit"]


@define(eq=False)
class Unit:
    """Rows that are sent together: one, or those of a group.

    Attributes:
        rows: Their numbers in the slice.
        ids: Their ids.
        values: Of each column that is sent, the texts of the rows.
        tokens: Their tokens, estimated.
        most_tokens: Tokens that they can be billed for, at most; 0 where nobody asks.
    """

    rows: list[int]
    ids: list[Any]
    values: list[list[str]]
    tokens: int
    most_tokens: int = 0

    @property
    def texts(self) -> list[str]:
        """All texts of it."""
        return [text for column in self.values for text in column]


class Kind(Protocol):
    """What a table job does with a unit."""

    method: ClassVar[str]
    column: ClassVar[str]

    @property
    def shape(self) -> Shape:
        """What is written for a row, as far as that is known before any answer."""
        ...

    def call(self, units: Sequence[Unit]) -> Call[Any]:
        """Build the request for some units."""
        ...

    def read(self, result: Any, units: Sequence[Unit]) -> tuple[Shape, memoryview]:
        """Return the numbers of a result, row after row in the order of the units."""
        ...


@frozen
class EmbedTable:
    """A row is a text, and gets a vector."""

    model: str
    params: dict[str, Any]

    method: ClassVar = "embed"
    column: ClassVar = "embedding"

    @property
    def shape(self) -> Shape:
        """The vectors' shape, by the catalogue where no dimension is given."""
        return vector_shape(self.model, self.params)

    def call(self, units: Sequence[Unit]) -> Call[Any]:
        """Build the request for some texts."""
        from .. import calls

        return calls.embed([unit.values[0][0] for unit in units], self.model, self.params)

    def read(self, result: Any, units: Sequence[Unit]) -> tuple[Shape, memoryview]:
        """Return the vectors, that of a text once for each of its rows."""
        shape, data = _numbers(result)
        if all(len(unit.rows) == 1 for unit in units):
            return shape, data
        width = shape.width
        repeated = [
            data[place * width : (place + 1) * width]
            for place, unit in enumerate(units)
            for _ in unit.rows
        ]
        return shape, memoryview(b"".join(repeated))


@frozen
class ContextualizedTable:
    """A row is a chunk of the document that its group is, and gets a vector."""

    model: str
    params: dict[str, Any]

    method: ClassVar = "contextualized_embed"
    column: ClassVar = "embedding"

    @property
    def shape(self) -> Shape:
        """The vectors' shape, by the catalogue where no dimension is given."""
        return vector_shape(self.model, self.params)

    def call(self, units: Sequence[Unit]) -> Call[Any]:
        """Build the request for some documents."""
        from .. import calls

        documents = [unit.values[0] for unit in units]
        return calls.contextualized_embed(documents, self.model, None, self.params)

    def read(self, result: Any, units: Sequence[Unit]) -> tuple[Shape, memoryview]:  # noqa: ARG002  # the result is in their order
        """Return the vectors of all chunks."""
        found = [_numbers(document) for document in result.results]
        return found[0][0], memoryview(b"".join(numbers for _, numbers in found))


@frozen
class RerankTable:
    """A row is a document for the query that its group shares, and gets a score."""

    model: str
    params: dict[str, Any]

    method: ClassVar = "rerank"
    column: ClassVar = "relevance_score"

    @property
    def shape(self) -> Shape:
        """A number per row."""
        return Shape(column=self.column, number="float64", columns=None)

    def call(self, units: Sequence[Unit]) -> Call[Any]:
        """Build the request for a query and its documents."""
        from .. import calls

        (unit,) = units
        queries, documents = unit.values
        return calls.rerank(queries[0], documents, self.model, self.params)

    def read(self, result: Any, units: Sequence[Unit]) -> tuple[Shape, memoryview]:
        """Return the scores, in the order of the rows."""
        from array import array

        scores = array("d", bytes(8 * sum(len(unit.rows) for unit in units)))
        for entry in result.results:
            scores[entry.index] = entry.relevance_score
        return self.shape, memoryview(scores).cast("B")


KINDS: dict[str, type[EmbedTable | ContextualizedTable | RerankTable]] = {
    kind.method: kind for kind in (EmbedTable, ContextualizedTable, RerankTable)
}


def vector_shape(model: str, params: dict[str, Any]) -> Shape:
    """Return the shape of a model's vectors.

    Args:
        model: Name of the model.
        params: `output_dtype` and `output_dimension`, where they are given.
    """
    dtype = DTYPES[params.get("output_dtype") or "float"]
    entry = known(model)
    usual = entry.dimensions.default if entry is not None and entry.dimensions else 0
    dimension = params.get("output_dimension") or usual
    columns = dimension // dtype.dimensions_per_number
    return Shape(column=EmbedTable.column, number=dtype.number, columns=columns)


def _numbers(vectors: Any) -> tuple[Shape, memoryview]:
    found = vectors._buffered().narrowed()
    shape = Shape(column=EmbedTable.column, number=found.number, columns=found.columns)
    return shape, memoryview(found.buffer).cast("B")
