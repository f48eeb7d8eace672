"""What a job has come to: rows in the order of the input, read from its directory."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import frozen

from ..._utils import safe_repr
from ...disk import sync_folder
from ...error import ArgumentError, MalformedResponseError
from ...extras import require
from ...results import EmbeddingsObject, RerankingObject
from ...results.contextualized import ContextualizedEmbeddingsResult
from .estimate import cost
from .failures import Failure, Failures
from .joining import Join
from .state import JobState, Manifest
from .tasks import Contextualize, Embed, Rerank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from .folder import Folder

__all__ = [
    "BatchContextualizedEmbeddings",
    "BatchEmbeddings",
    "BatchRerankings",
    "BatchResults",
    "Row",
    "kind_of",
]

V = TypeVar("V")
WIDTHS = {"float32": 4, "int8": 1, "uint8": 1}
"""Bytes of a number, by its type."""
VECTORS = re.compile(rf"vectors-(\d+)x([1-9]\d{{0,8}})-({'|'.join(WIDTHS)})(-\d+-failed)?\.bin")
AT_ONCE = 1000
"""Rows that an event loop is given at once."""


@frozen
class Row(Generic[V]):
    """What a row has come to: a result, or the reason why there is none.

    Attributes:
        index: Its number, from 0.
        result: Its result; None if it has failed.
        failure: Why it has none; None if it has one.
    """

    index: int
    result: V | None
    failure: Failure | None


class BatchResults(Generic[V]):
    """What a job has come to. Iterate over it for its rows, with `for` or `async for`.

    Rows come in the order of the input, and are read from the job's directory as they are asked
    for, so memory holds only some of them at any time. A temporary directory is removed with this
    object, but for one with failures, which is kept.

    Attributes:
        directory: The job's directory.
        failures: The rows without a result, in their order.
        total_tokens: Tokens that the answers were billed for.
        cost: The same in US dollars, at the batch price; None if the model's price is not known.

    Example:
        >>> results = vo.batches.embed(["It rains.", "It snows."], model="voyage-4", poll=0.05)
        >>> [(row.index, len(row.result)) for row in results]
        [(0, 1024), (1, 1024)]
        >>> len(results), len(results.failures)
        (2, 0)
    """

    def __init__(self, folder: Folder, state: JobState) -> None:
        self._folder = folder  # a temporary one is there for as long as somebody holds it
        self._task = state.manifest.task
        self._rows = state.manifest.rows
        self._join = Join(folder, state)
        self.directory: Path = folder.path
        self.failures: Failures = Failures(self._join.failed, self._join.failures)
        self.total_tokens: int = self._join.tokens
        self.cost: float | None = cost(state.manifest.estimate.price, self.total_tokens)
        if self.failures:
            folder.keep()

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[Row[V]]:
        for found in self._join.answered():
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

        def some() -> list[Row[V]]:
            return list(islice(rows, AT_ONCE))

        while found := await run_sync(some):
            for row in found:
                yield row

    @safe_repr
    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self._rows:,} {self._task.noun}, "
            f"{len(self.failures):,} failed, directory={str(self.directory)!r})"
        )


class BatchEmbeddings(BatchResults[list[float]]):
    """The vectors of texts. The result of a row is a list of numbers."""

    @property
    def embeddings(self) -> list[list[float] | None]:
        """All vectors as lists of numbers, None for a row that has failed.

        A list of numbers takes eight times the memory of an array: see `to_numpy`.
        """
        return [row.result for row in self]

    def to_numpy(self, fill: float | None = None) -> npt.NDArray[Any]:
        """The vectors as a matrix, one row each, of float32, int8 or uint8.

        It is mapped from a file in the job's directory, so that pages are read as they are used.
        To write to it changes nothing on the disk.

        Args:
            fill: What the rows that have failed are filled with, such as 0. Without it they are an
                error.

        Raises:
            ArgumentError: There are rows that have failed, and nothing to fill them with.
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
        _, columns, number, _ = VECTORS.fullmatch(path.name).groups()  # type: ignore[union-attr]  # as it was named
        dtype, shape = np.dtype(number).newbyteorder("<"), (len(self), int(columns))
        with self._folder.open(path) as file:
            matrix: npt.NDArray[Any] = np.memmap(file, dtype=dtype, mode="c", shape=shape)
        for failure in self.failures:
            matrix[failure.row] = fill
        return matrix

    def _vectors(self) -> Path | None:
        """The file with the vectors, written if it is not there; None if there are no vectors.

        Rows that fail only become fewer, so its name says all of what is in it.
        """
        failed = f"-{len(self.failures)}-failed" if self.failures else ""
        for path in self.directory.glob(f"vectors-{self._rows}x*{failed}.bin"):
            match = VECTORS.fullmatch(path.name)
            if match is not None and (match[4] or "") == failed:
                with self._folder.open(path) as file:
                    size = file.seek(0, os.SEEK_END)
                if size == self._rows * int(match[2]) * WIDTHS[match[3]]:
                    return path
        fresh, name = self.directory / "vectors.part", None
        with self._folder.open(fresh, "wb") as file:
            for found in self._join.answered():
                if isinstance(found, Failure):
                    continue
                result: EmbeddingsObject = found.result
                matrix = result.to_numpy()
                columns, number = matrix.shape[1], matrix.dtype.name
                told = f"vectors-{self._rows}x{columns}-{number}{failed}.bin"
                if name not in (None, told):
                    raise MalformedResponseError(
                        f"row {found.first} has a vector of {columns} {number}, unlike those before"
                    )
                name, width = told, matrix.strides[0]
                file.seek(found.first * width)
                file.write(matrix.astype(matrix.dtype.newbyteorder("<"), copy=False).tobytes())
                file.truncate(self._rows * width)  # rows that have failed stand there too
            file.flush()
            os.fsync(file.fileno())
        if name is None:
            fresh.unlink()
            return None
        sync_folder(self.directory)
        return fresh.replace(self.directory / name)


class BatchContextualizedEmbeddings(BatchResults[ContextualizedEmbeddingsResult]):
    """The vectors of chunks. The result of a row is that of its document."""


class BatchRerankings(BatchResults[RerankingObject]):
    """Documents by relevance. The result of a row is the ranking for its query."""


KINDS: dict[str, type[BatchResults[Any]]] = {
    Embed.method: BatchEmbeddings,
    Contextualize.method: BatchContextualizedEmbeddings,
    Rerank.method: BatchRerankings,
}


def kind_of(folder: Folder) -> type[BatchResults[Any]]:
    """What the job of a directory comes to.

    Raises:
        JobDirectoryError: There is no job, or it was damaged.
    """
    return KINDS[Manifest.read(folder).method]
