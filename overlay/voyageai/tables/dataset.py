"""A finished table: its vectors as Arrow data, and the search for the rows nearest to a query."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._utils import safe_repr
from ..error import ArgumentError
from ..extras import require
from ..quantization import similarity
from .kinds import EmbedTable
from .slices import read_info

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..results.vectored import Vectored

__all__ = ["VectorTable", "arrow_batches", "matrix_of", "open_table"]


class VectorTable:
    """A table of vectors, written by a job or by `voyageai index`, read a few thousand rows at a
    time.

    Args:
        path: Directory of the table.

    Attributes:
        path: Directory of the table.
        about: Description of the vectors: `model`, `input_type`, `output_dtype`, `dimension`,
            `space`.
        rows: Number of rows.

    Example:
        >>> rows = [{"id": 1, "body": "It rains."}, {"id": 2, "body": "It snows."}]
        >>> result = vo.tables.embed(
        ...     rows, text="body", id="id", model="voyage-4", input_type="document", into="weather"
        ... )
        >>> table = voyageai.tables.open("weather")
        >>> table.about["model"], table.rows
        ('voyage-4', 2)
    """

    def __init__(self, path: Path) -> None:
        parts = sorted(path.glob("part-*.parquet")) or sorted(path.glob("part-*.arrow"))
        if not parts:
            raise ArgumentError(f"{path} holds no table: there is no part-*.parquet", "path")
        self.path = path
        self.about: dict[str, Any] = read_info(parts[0]).about
        self._parts = parts
        self._is_arrow = parts[0].suffix == ".arrow"
        self.rows = sum(map(self._count, parts))

    def dataset(self) -> Any:  # pyarrow has no types
        """Open the table as a `pyarrow.dataset.Dataset`."""
        dataset = require("pyarrow.dataset", "tables")
        format = "arrow" if self._is_arrow else "parquet"
        return dataset.dataset([str(part) for part in self._parts], format=format)

    def similarity(
        self, query: Vectored | Sequence[float] | npt.NDArray[Any]
    ) -> Iterator[tuple[Any, npt.NDArray[Any]]]:
        """Compute the similarity of a query to every row.

        Args:
            query: One vector of the table's dtype and dimension: a result of `embed_query`, or its
                numbers.

        Yields:
            Pairs of a record batch without the vectors, and its similarities, an array of shape
            (rows,).
            Rows without a vector are left out.

        Raises:
            ArgumentError: `query` is not one vector of the table's dimension.
        """
        vector = self._vector(query)
        dtype = self.about.get("output_dtype") or "float"
        for batch in self._batches():
            column = batch.column(EmbedTable.column)
            if column.null_count:
                batch = batch.filter(column.is_valid())  # noqa: PLW2901  # the rows with a vector
                column = batch.column(EmbedTable.column)
            matrix = matrix_of(column)
            if matrix.shape[1] != vector.shape[1]:
                raise ArgumentError(
                    f"query has {vector.shape[1]} numbers, but the table's vectors have "
                    f"{matrix.shape[1]}",
                    "query",
                )
            yield batch.drop_columns([EmbedTable.column]), similarity(vector, matrix, dtype)[0]

    def search(
        self, query: Vectored | Sequence[float] | npt.NDArray[Any], k: int = 10
    ) -> Any:  # pyarrow has no types
        """Find the rows nearest to a query by an exhaustive search.

        Args:
            query: As in `similarity`.
            k: Most rows to return.

        Returns:
            A `pyarrow.Table` with the ids, the kept columns and `similarity`, the nearest first.

        Example:
            >>> rows = [{"id": 1, "body": "It rains."}, {"id": 2, "body": "Where are the keys?"}]
            >>> result = vo.tables.embed(
            ...     rows, text="body", id="id", model="voyage-4", input_type="document", into="said"
            ... )
            >>> query = vo.embed_query("Does it rain?", model="voyage-4")
            >>> voyageai.tables.open("said").search(query, k=1).column("id").to_pylist()
            [1]
        """
        pa, np = require("pyarrow", "tables"), require("numpy", "tables")
        if type(k) is not int or k < 1:
            raise ArgumentError(f"k must be a whole number from 1, not {k!r}", "k")
        best: Any = None
        for batch, scores in self.similarity(query):
            found = pa.Table.from_batches([batch]).append_column("similarity", pa.array(scores))
            if len(scores) > k:
                found = found.take(np.sort(np.argpartition(-scores, k - 1)[:k]))
            best = found if best is None else pa.concat_tables([best, found])
            best = best.sort_by([("similarity", "descending")]).slice(0, k).combine_chunks()
        if best is None:  # no row has a vector
            empty = self.dataset().schema.empty_table().drop_columns([EmbedTable.column])
            best = empty.append_column("similarity", pa.array([], pa.float32()))
        return best

    def _count(self, part: Path) -> int:
        if self._is_arrow:
            return sum(batch.num_rows for batch in arrow_batches(part, mapped=True))
        rows: int = require("pyarrow.parquet", "tables").read_metadata(part).num_rows
        return rows

    def _batches(self) -> Iterator[Any]:
        for part in self._parts:
            if self._is_arrow:
                yield from arrow_batches(part, mapped=False)
            else:
                pq = require("pyarrow.parquet", "tables")
                yield from pq.ParquetFile(part).iter_batches(4096)

    def _vector(self, query: Any) -> npt.NDArray[Any]:
        np = require("numpy", "tables")
        found = np.asarray(query.to_numpy() if hasattr(query, "to_numpy") else query)
        if found.ndim == 1:
            found = found.reshape(1, -1)
        if found.ndim != 2 or len(found) != 1:
            raise ArgumentError(
                f"query must be one vector, not an array of shape {found.shape}", "query"
            )
        vector: npt.NDArray[Any] = found
        return vector

    @safe_repr
    def __repr__(self) -> str:
        return f"VectorTable({str(self.path)!r}, {self.rows:,} rows, {self.about.get('model')})"


def open_table(path: str | os.PathLike[str]) -> VectorTable:
    """Open the table of a job or an index.

    Args:
        path: Directory of the table.

    Raises:
        ArgumentError: The directory holds no table.
        ImportError: pyarrow is not installed.
    """
    return VectorTable(Path(path))


def arrow_batches(path: Path, *, mapped: bool) -> Iterator[Any]:
    """Yield the record batches of an Arrow file.

    Args:
        path: Path of the file.
        mapped: True for batches that are mapped into memory, which can be kept and read at random;
            otherwise a batch is only valid until the next one.
    """
    pa = require("pyarrow", "tables")
    opened = pa.memory_map if mapped else pa.OSFile
    with opened(str(path)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def matrix_of(column: Any) -> npt.NDArray[Any]:
    """Return the vectors of a column as a matrix of shape (rows, columns), without a copy."""
    numbers = column.flatten().to_numpy(zero_copy_only=True)
    matrix: npt.NDArray[Any] = numbers.reshape(len(column), -1)
    return matrix
