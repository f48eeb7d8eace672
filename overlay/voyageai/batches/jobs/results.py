"""The results of a job: rows in the order of the inputs, read from the job's directory."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import frozen

from ..._utils import safe_repr
from ...disk import sync_folder
from ...error import ArgumentError, MalformedResponseError
from ...extras import require
from ...html import card
from ...prices import cost, dollars
from ...results import EmbeddingsObject, RerankingObject
from ...results.contextualized import ContextualizedEmbeddingsResult
from .estimate import batch_price
from .result_join import Failure, Failures, ResultJoin
from .tasks import Contextualize, Embed, Rerank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from .directory import JobDirectory
    from .state import JobState, Manifest

__all__ = [
    "BatchContextualizedEmbeddings",
    "BatchEmbeddings",
    "BatchRerankings",
    "BatchResults",
    "Row",
    "results_type",
]

V = TypeVar("V")
WIDTHS = {"float32": 4, "int8": 1, "uint8": 1}
"""Bytes of a number, by dtype."""
VECTORS = re.compile(rf"vectors-(\d+)x([1-9]\d{{0,8}})-({'|'.join(WIDTHS)})(-\d+-failed)?\.bin")
ROWS_AT_ONCE = 1000
"""Rows that are read per call of a thread."""


@frozen
class Row(Generic[V]):
    """The result of a row, or the reason why it has none.

    Attributes:
        index: Number of the row, from 0.
        result: The result; None if the row has failed.
        failure: The reason of the failure; None if there is a result.
    """

    index: int
    result: V | None
    failure: Failure | None


class BatchResults(Generic[V]):
    """The results of a job. Iterate over the rows with `for` or `async for`.

    Rows are in the order of the inputs, and read from the job's directory during the iteration, so
    that memory never holds all of them. A temporary directory is removed with this object, unless
    there are failures.

    Attributes:
        directory: The job's directory.
        failures: The rows without a result, in order.
        total_tokens: Billed tokens of all results.
        cost: Cost of these tokens in US dollars, at the batch price; None if the price is unknown.

    Example:
        >>> results = vo.batches.embed(["It rains.", "It snows."], model="voyage-4", poll=0.05)
        >>> [(row.index, len(row.result)) for row in results]
        [(0, 1024), (1, 1024)]
        >>> len(results), len(results.failures)
        (2, 0)
    """

    def __init__(self, directory: JobDirectory, state: JobState) -> None:
        self._directory = directory  # a temporary one is removed with the last reference to it
        self._task = state.manifest.task
        self._rows = state.manifest.rows
        self._join = ResultJoin(directory, state)
        self.directory: Path = directory.path
        self.failures: Failures = Failures(self._join.failed, self._join.failures)
        self.total_tokens: int = self._join.tokens
        self.cost: float | None = cost(batch_price(self._task.params.model), self.total_tokens)
        if self._join.failed:
            directory.keep()

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[Row[V]]:
        for found in self._join.results():
            if isinstance(found, Failure):
                yield Row(found.row, None, found)
            else:
                values: list[V] = self._task.values(found.result, found.first)
                for index, value in enumerate(values, found.first):
                    yield Row(index, value, None)

    async def __aiter__(self) -> AsyncIterator[Row[V]]:
        from itertools import islice

        from anyio.to_thread import run_sync

        rows = iter(self)

        def read_some() -> list[Row[V]]:
            return list(islice(rows, ROWS_AT_ONCE))

        while found := await run_sync(read_some):
            for row in found:
                yield row

    @safe_repr
    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self._rows:,} {self._task.noun}, "
            f"{len(self.failures):,} failed, directory={str(self.directory)!r})"
        )

    @safe_repr
    def _repr_html_(self) -> str:
        facts = {
            self._task.noun: f"{self._rows:,}",
            "failed": f"{len(self.failures):,}",
            "tokens": f"{self.total_tokens:,}",
            "cost": None if self.cost is None else dollars(self.cost),
            "directory": self.directory,
        }
        return card(type(self).__name__, facts)


class BatchEmbeddings(BatchResults[list[float]]):
    """The embeddings of texts. The result of a row is a vector as a list of numbers."""

    @property
    def embeddings(self) -> list[list[float] | None]:
        """All embeddings as lists of numbers, with None for failed rows.

        `to_numpy` takes an eighth of the memory.
        """
        return [row.result for row in self]

    def to_numpy(self, fill: float | None = None) -> npt.NDArray[Any]:
        """Return the embeddings as a matrix of float32, int8 or uint8.

        The matrix is memory-mapped from a file in the job's directory. Writing to it does not
        change the file.

        Args:
            fill: Value for failed rows, such as 0; None to raise if there are any.

        Returns:
            An array of shape (rows, dimension); (rows, dimension / 8) for `binary` and `ubinary`.

        Raises:
            ArgumentError: Rows have failed and there is no `fill`, or all rows have failed.
            ImportError: numpy is not installed.

        Example:
            >>> results = vo.batches.embed(["It rains."], model="voyage-4", poll=0.05)
            >>> results.to_numpy().shape
            (1, 1024)
        """
        np = require("numpy", "numpy")
        if self.failures and fill is None:
            raise ArgumentError(
                f"{len(self.failures):,} of {len(self):,} rows have failed, the first: "
                f"{self.failures[0]}. Retry them with batches.resume(results.directory)"
                ".retry_failed(), or pass fill=0",
                "fill",
            )
        path = self._vectors()
        if path is None:
            raise ArgumentError("there are no vectors: all rows have failed", "fill")
        _, columns, name, _ = VECTORS.fullmatch(path.name).groups()  # type: ignore[union-attr]  # named by this pattern
        dtype, shape = np.dtype(name).newbyteorder("<"), (len(self), int(columns))
        with self._directory.open(path) as file:
            matrix: npt.NDArray[Any] = np.memmap(file, dtype=dtype, mode="c", shape=shape)
        for failure in self.failures:
            matrix[failure.row] = fill
        return matrix

    def _vectors(self) -> Path | None:
        """Return the file of vectors, which is written if needed; None if all rows have failed.

        Its name contains the number of failed rows, which can only decrease, so that each name has
        one content.
        """
        failed = f"-{len(self.failures)}-failed" if self.failures else ""
        for path in self.directory.glob(f"vectors-{self._rows}x*{failed}.bin"):
            match = VECTORS.fullmatch(path.name)
            if match is not None and (match[4] or "") == failed:
                with self._directory.open(path) as file:
                    size = file.seek(0, os.SEEK_END)
                if size == self._rows * int(match[2]) * WIDTHS[match[3]]:
                    return path
        fresh, name = self.directory / "vectors.part", None
        with self._directory.open(fresh, "wb") as file:
            for found in self._join.results():
                if isinstance(found, Failure):
                    continue
                result: EmbeddingsObject = found.result
                matrix = result.to_numpy()
                columns, dtype = matrix.shape[1], matrix.dtype.name
                found_name = f"vectors-{self._rows}x{columns}-{dtype}{failed}.bin"
                if name not in (None, found_name):
                    raise MalformedResponseError(
                        f"row {found.first} has a vector of {columns} {dtype}, unlike those before"
                    )
                name, width = found_name, matrix.strides[0]
                file.seek(found.first * width)
                file.write(matrix.astype(matrix.dtype.newbyteorder("<"), copy=False).tobytes())
                file.truncate(self._rows * width)  # extends the file if the last rows have failed
            file.flush()
            os.fsync(file.fileno())
        if name is None:
            fresh.unlink()
            return None
        sync_folder(self.directory)
        return fresh.replace(self.directory / name)


class BatchContextualizedEmbeddings(BatchResults[ContextualizedEmbeddingsResult]):
    """The embeddings of chunks. The result of a row is that of a document."""


class BatchRerankings(BatchResults[RerankingObject]):
    """Rankings of documents. The result of a row is the ranking for a query."""


TYPES: dict[str, type[BatchResults[Any]]] = {
    Embed.method: BatchEmbeddings,
    Contextualize.method: BatchContextualizedEmbeddings,
    Rerank.method: BatchRerankings,
}


def results_type(job: Manifest) -> type[BatchResults[Any]]:
    """Return the class of a job's results."""
    return TYPES[job.task.method]
