"""The three kinds of tables: texts, chunks of documents, and documents of queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from attrs import field, frozen
from voyageai_rest.dtypes import DTYPES

from ..argument_checks import catalogue_entry
from .slices import Shape

if TYPE_CHECKING:
    from ..calls import Call

__all__ = ["KINDS", "Kind", "UnitBatch"]


@frozen(eq=False)
class UnitBatch:
    """Units in columns. A unit is a row that is sent by itself, or the rows of a group.

    Attributes:
        rows: Numbers of the rows within the slice, unit after unit.
        ids: Ids of the rows.
        values: Texts of each column that is sent, unit after unit.
        tokens: Tokens of each unit, estimated or counted.
        row_counts: Number of rows of each unit.
        text_counts: Number of texts of each unit per column; rows with the same text may share one.
        most_tokens: Most billable tokens of each unit; empty if not needed.
    """

    rows: list[int]
    ids: list[Any]
    values: list[list[str]]
    tokens: list[int]
    row_counts: list[int]
    text_counts: list[int]
    most_tokens: list[int] = field(factory=list[int])

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.tokens)

    def __getitem__(self, part: slice) -> UnitBatch:
        """Return consecutive units."""
        start, stop, _ = part.indices(len(self))
        rows = _part(self.row_counts, start, stop)
        texts = _part(self.text_counts, start, stop)
        return UnitBatch(
            self.rows[rows],
            self.ids[rows],
            [column[texts] for column in self.values],
            self.tokens[start:stop],
            self.row_counts[start:stop],
            self.text_counts[start:stop],
            self.most_tokens[start:stop],
        )

    def each(self) -> Iterator[UnitBatch]:
        """Yield each unit by itself."""
        row = text = 0
        for place, (rows, texts) in enumerate(zip(self.row_counts, self.text_counts, strict=True)):
            yield UnitBatch(
                self.rows[row : row + rows],
                self.ids[row : row + rows],
                [column[text : text + texts] for column in self.values],
                self.tokens[place : place + 1],
                [rows],
                [texts],
                self.most_tokens[place : place + 1],
            )
            row, text = row + rows, text + texts

    def labels(self) -> Iterator[tuple[int, Any, str]]:
        """Yield number, id and last text of each row of a single unit."""
        texts = self.values[-1]
        for place, (row, id_) in enumerate(zip(self.rows, self.ids, strict=True)):
            yield row, id_, texts[min(place, len(texts) - 1)]

    @staticmethod
    def joined(batches: Sequence[UnitBatch]) -> UnitBatch:
        """Join one or more batches."""
        if len(batches) == 1:
            return batches[0]
        return UnitBatch(
            [row for batch in batches for row in batch.rows],
            [id_ for batch in batches for id_ in batch.ids],
            [
                [text for column in columns for text in column]
                for columns in zip(*(batch.values for batch in batches), strict=True)
            ],
            [tokens for batch in batches for tokens in batch.tokens],
            [count for batch in batches for count in batch.row_counts],
            [count for batch in batches for count in batch.text_counts],
            [tokens for batch in batches for tokens in batch.most_tokens],
        )

    def as_one(self) -> UnitBatch:
        """Return a single unit of all rows."""
        return UnitBatch(
            self.rows,
            self.ids,
            self.values,
            [sum(self.tokens)],
            [len(self.rows)],
            [sum(self.text_counts)],
        )


def _part(counts: list[int], start: int, stop: int) -> slice:
    """Return the slice of the items of some units, given the number of items of each unit."""
    first = sum(counts[:start])
    return slice(first, first + sum(counts[start:stop]))


class Kind(Protocol):
    """One kind of table job: builds its requests and reads their results."""

    method: ClassVar[str]
    column: ClassVar[str]

    @property
    def shape(self) -> Shape:
        """The columns that are written for a row, as far as they are known before any response."""
        ...

    def call(self, units: UnitBatch) -> Call[Any]:
        """Return the call for units."""
        ...

    def read(self, result: Any, units: UnitBatch) -> tuple[Shape, memoryview]:
        """Return the numbers of a result, row after row, in the order of the units."""
        ...


@frozen
class EmbedTable:
    """Each row is a text and gets a vector."""

    model: str
    params: dict[str, Any]

    method: ClassVar = "embed"
    column: ClassVar = "embedding"

    @property
    def shape(self) -> Shape:
        """The shape of the vectors, from the catalogue unless a dimension is given."""
        return vector_shape(self.model, self.params)

    def call(self, units: UnitBatch) -> Call[Any]:
        """Return the call for texts."""
        from .. import calls

        return calls.embed(units.values[0], self.model, self.params)

    def read(self, result: Any, units: UnitBatch) -> tuple[Shape, memoryview]:
        """Return the vectors, repeated for rows that share a text."""
        shape, data = _numbers(result)
        if len(units.rows) == len(units):
            return shape, data
        width = shape.width
        repeated = [
            data[place * width : (place + 1) * width]
            for place, count in enumerate(units.row_counts)
            for _ in range(count)
        ]
        return shape, memoryview(b"".join(repeated))


@frozen
class ContextualizedTable:
    """Each row is a chunk of a document, which is its group, and gets a vector."""

    model: str
    params: dict[str, Any]

    method: ClassVar = "contextualized_embed"
    column: ClassVar = "embedding"

    @property
    def shape(self) -> Shape:
        """The shape of the vectors, from the catalogue unless a dimension is given."""
        return vector_shape(self.model, self.params)

    def call(self, units: UnitBatch) -> Call[Any]:
        """Return the call for documents."""
        from .. import calls

        documents = [unit.values[0] for unit in units.each()]
        return calls.contextualized_embed(documents, self.model, None, self.params)

    def read(self, result: Any, units: UnitBatch) -> tuple[Shape, memoryview]:  # noqa: ARG002  # the result has the order of the units
        """Return the vectors of all chunks."""
        found = [_numbers(document) for document in result.results]
        return found[0][0], memoryview(b"".join(numbers for _, numbers in found))


@frozen
class RerankTable:
    """Each row is a document for a query, which its group shares, and gets a score."""

    model: str
    params: dict[str, Any]

    method: ClassVar = "rerank"
    column: ClassVar = "relevance_score"

    @property
    def shape(self) -> Shape:
        """One number per row."""
        return Shape(column=self.column, number="float64", columns=None)

    def call(self, units: UnitBatch) -> Call[Any]:
        """Return the call for a query and its documents."""
        from .. import calls

        queries, documents = units.values
        return calls.rerank(queries[0], documents, self.model, self.params)

    def read(self, result: Any, units: UnitBatch) -> tuple[Shape, memoryview]:
        """Return the scores, in the order of the rows."""
        from array import array

        scores = array("d", bytes(8 * len(units.rows)))
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
        params: The method's arguments, perhaps with `output_dtype` and `output_dimension`.
    """
    dtype = DTYPES[params.get("output_dtype") or "float"]
    entry = catalogue_entry(model)
    usual = entry.dimensions.default if entry is not None and entry.dimensions else 0
    dimension = params.get("output_dimension") or usual
    # Unknown until the first response; a slice without any response still needs a valid list size.
    columns = dimension // dtype.dimensions_per_number or 1
    return Shape(column=EmbedTable.column, number=dtype.number, columns=columns)


def _numbers(vectors: Any) -> tuple[Shape, memoryview]:
    found = vectors._buffered().narrowed()
    shape = Shape(column=EmbedTable.column, number=found.number, columns=found.columns)
    return shape, memoryview(found.buffer).cast("B")
