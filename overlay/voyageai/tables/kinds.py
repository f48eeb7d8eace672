"""The three kinds of tables: texts, chunks of documents, and documents by query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from attrs import field, frozen
from voyageai_rest.dtypes import DTYPES

from ..limits import known
from .slices import Shape

if TYPE_CHECKING:
    from ..calls import Call

__all__ = ["KINDS", "Kind", "UnitBatch"]


@frozen(eq=False)
class UnitBatch:
    """Units in columns: each is a row that is sent by itself, or the rows of a group.

    Attributes:
        rows: Numbers of the rows in their slice, unit after unit.
        ids: Their ids.
        values: Of each column that is sent, the texts, unit after unit.
        tokens: Tokens of each unit, estimated or counted.
        row_counts: Rows of each unit.
        text_counts: Texts of each unit in each column; rows of one text may share it.
        most_tokens: Tokens that each unit can be billed for, at most; empty where nobody asks.
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
        """Return some units that follow each other."""
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
        """Join batches, of which there is at least one."""
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
    """Return where the things of some units are, by how many each unit has."""
    first = sum(counts[:start])
    return slice(first, first + sum(counts[start:stop]))


class Kind(Protocol):
    """One way to handle the units of a table job: its request, and how its answer is read."""

    method: ClassVar[str]
    column: ClassVar[str]

    @property
    def shape(self) -> Shape:
        """The columns written for a row, as far as they are known before any answer."""
        ...

    def call(self, units: UnitBatch) -> Call[Any]:
        """Build the request for some units."""
        ...

    def read(self, result: Any, units: UnitBatch) -> tuple[Shape, memoryview]:
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

    def call(self, units: UnitBatch) -> Call[Any]:
        """Build the request for some texts."""
        from .. import calls

        return calls.embed(units.values[0], self.model, self.params)

    def read(self, result: Any, units: UnitBatch) -> tuple[Shape, memoryview]:
        """Return the vectors, that of a text once for each of its rows."""
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
    """A row is a chunk of the document that its group is, and gets a vector."""

    model: str
    params: dict[str, Any]

    method: ClassVar = "contextualized_embed"
    column: ClassVar = "embedding"

    @property
    def shape(self) -> Shape:
        """The vectors' shape, by the catalogue where no dimension is given."""
        return vector_shape(self.model, self.params)

    def call(self, units: UnitBatch) -> Call[Any]:
        """Build the request for some documents."""
        from .. import calls

        documents = [unit.values[0] for unit in units.each()]
        return calls.contextualized_embed(documents, self.model, None, self.params)

    def read(self, result: Any, units: UnitBatch) -> tuple[Shape, memoryview]:  # noqa: ARG002  # the result is in their order
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

    def call(self, units: UnitBatch) -> Call[Any]:
        """Build the request for a query and its documents."""
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
        params: `output_dtype` and `output_dimension`, where they are given.
    """
    dtype = DTYPES[params.get("output_dtype") or "float"]
    entry = known(model)
    usual = entry.dimensions.default if entry is not None and entry.dimensions else 0
    dimension = params.get("output_dimension") or usual
    # Where nothing says it, answers do; a slice without any still needs a list that can be written.
    columns = dimension // dtype.dimensions_per_number or 1
    return Shape(column=EmbedTable.column, number=dtype.number, columns=columns)


def _numbers(vectors: Any) -> tuple[Shape, memoryview]:
    found = vectors._buffered().narrowed()
    shape = Shape(column=EmbedTable.column, number=found.number, columns=found.columns)
    return shape, memoryview(found.buffer).cast("B")
