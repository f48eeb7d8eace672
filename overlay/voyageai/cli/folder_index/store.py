"""The files of an index: chunks with their vectors, and vectors that are not in it yet.

An index is a folder that `voyageai.tables.open` opens as a table:

part-000000.arrow     all chunks by path and place, with their vectors: an Arrow file with the
                      settings in its metadata
_work/chunks.arrow    texts being embedded, by their SHA-256
_work/job             the table job that embeds them
_work/salvaged.arrow  vectors of such jobs that are not in the index yet
lock                  locked while a process writes

Each file is written under another name, synced and renamed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from attrs import asdict
from voyageai_rest.dtypes import DTYPES

from ...disk import open_regular, sync_folder
from ...extras import require
from ...tables.cutting import SLICE
from ...tables.dataset import arrow_batches, matrix_of
from ...tables.slices import METADATA, PartInfo, answered, read_info

if TYPE_CHECKING:
    import numpy.typing as npt

_Salvaged: TypeAlias = "tuple[list[str], npt.NDArray[Any]]"
T = TypeVar("T")
__all__ = [
    "CHUNKS",
    "JOB",
    "PART",
    "SALVAGED",
    "WORK",
    "Known",
    "Row",
    "about",
    "lengths",
    "part_of",
    "read_rows",
    "salvage",
    "write_chunks",
    "write_index",
]

PART = "part-000000.arrow"
WORK, CHUNKS, JOB, SALVAGED = "_work", "chunks.arrow", "job", "salvaged.arrow"
BATCH = 4096
"""Rows of a record batch: a search needs a few megabytes for one, beside the mapped file."""
TEXTS = 256
"""Texts of a record batch of `chunks.arrow`."""
VECTOR = "embedding"
UINT8_ZERO = 128
"""The middle of the range of uint8."""


class Row(NamedTuple):
    """A chunk in the index.

    Attributes:
        path: Its file, relative to the indexed folder.
        line, last_line: Numbers of its first and last line, from 1.
        start, stop: Its first character in the file, from 0, and the one after its last.
        sha256: SHA-256 of its text, in hexadecimal.
        size: Size of the file in bytes.
        modified: Modification time of the file in nanoseconds; 0 if it must be read again.
    """

    path: str
    line: int
    last_line: int
    start: int
    stop: int
    sha256: str
    size: int
    modified: int


class Known:
    """The existing vectors, by the SHA-256 of their text."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[npt.NDArray[Any], int]] = {}

    def add(self, path: Path) -> None:
        """Add the vectors of an Arrow file, which stays mapped; a missing file adds none."""
        if not path.exists():
            return
        for batch in arrow_batches(path, mapped=True):
            matrix = matrix_of(batch.column(VECTOR))
            for place, digest in enumerate(batch.column("sha256").to_pylist()):
                self._places.setdefault(digest, (matrix, place))

    def __contains__(self, digest: str) -> bool:
        return digest in self._places

    def close(self) -> None:
        """Drop all vectors, so that their files can be replaced where mapped files are locked."""
        self._places.clear()

    def matrix(self, digests: Sequence[str]) -> npt.NDArray[Any]:
        """Return the vectors of some texts, of shape (texts, numbers per vector)."""
        np = require("numpy", "tables")
        first, _ = self._places[digests[0]]
        found: npt.NDArray[Any] = np.empty((len(digests), first.shape[1]), first.dtype)
        for row, digest in enumerate(digests):
            matrix, place = self._places[digest]
            found[row] = matrix[place]
        return found


def about(path: Path) -> dict[str, Any] | None:
    """Read the settings that the vectors of a file were made with; None without the file."""
    return read_info(path).about if path.exists() else None


def read_rows(path: Path) -> list[Row]:
    """Read all rows of an index, without their vectors; an empty list without the file."""
    if not path.exists():
        return []
    rows: list[Row] = []
    for batch in arrow_batches(path, mapped=True):
        columns = [batch.column(name).to_pylist() for name in Row._fields]
        rows += map(Row._make, zip(*columns, strict=True))
    return rows


def write_index(path: Path, rows: Sequence[Row], known: Known, info: PartInfo) -> None:
    """Write an index, replacing an existing one.

    Args:
        path: File of the index.
        rows: The chunks; `known` has a vector of each.
        known: The vectors, which are closed before the file is replaced.
        info: Metadata of the file.
    """
    pa = require("pyarrow", "tables")
    dtype = info.about["output_dtype"]
    numbers = (pa.int32(), pa.int32(), pa.int64(), pa.int64())
    types = (pa.string(), *numbers, pa.string(), pa.int64(), pa.int64())

    def batches() -> Iterator[Any]:
        for batch in _batched(rows, BATCH):
            matrix = known.matrix([row.sha256 for row in batch])
            columns = [
                pa.array(column, type)
                for column, type in zip(zip(*batch, strict=True), types, strict=True)
            ]
            columns += [pa.array(lengths(matrix, dtype)), _vectors(matrix)]
            yield pa.RecordBatch.from_arrays(columns, [*Row._fields, "length", VECTOR])
        known.close()

    _write(path, batches(), info)


def write_chunks(path: Path, texts: Iterable[tuple[str, str]], info: PartInfo) -> int:
    """Write the texts to embed, each with its SHA-256.

    Returns:
        Number of texts; no file is written for none.
    """
    pa = require("pyarrow", "tables")
    count = 0

    def batches() -> Iterator[Any]:
        nonlocal count
        for batch in _batched(texts, TEXTS):
            count += len(batch)
            columns = [pa.array(column, pa.string()) for column in zip(*batch, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, ["id", "text"])

    _write(path, batches(), info)
    return count


def salvage(work: Path) -> None:
    """Keep the vectors of a job, finished or not, and remove the job.

    Args:
        work: Folder of the job and of the texts being embedded.
    """
    job, chunks, kept = work / JOB, work / CHUNKS, work / SALVAGED
    if not job.exists() or not chunks.exists():
        return
    info = read_info(chunks)
    ids: list[str] = [
        id_
        for batch in arrow_batches(chunks, mapped=True)
        for id_ in batch.column("id").to_pylist()
    ]
    seen: set[str] = set()
    _write(kept, _unique(_salvaged(kept, job, ids), seen), info)
    shutil.rmtree(job)
    chunks.unlink()


def lengths(matrix: npt.NDArray[Any], dtype: str) -> npt.NDArray[Any]:
    """Return the lengths of vectors, on the scale of `quantization.similarity`.

    A similarity divided by both lengths is the cosine similarity.

    Args:
        matrix: Vectors, of shape (vectors, numbers per vector).
        dtype: Their dtype.

    Returns:
        Lengths of dtype float32 and shape (vectors,).
    """
    np = require("numpy", "tables")
    kind = DTYPES[dtype]
    if kind.dimensions_per_number > 1:
        dimensions = matrix.shape[1] * kind.dimensions_per_number
        return np.full(len(matrix), dimensions**0.5, np.float32)  # type: ignore[no-any-return]  # an array
    numbers = matrix.astype(np.float32)
    if kind.number == "uint8":
        numbers -= UINT8_ZERO
    found: npt.NDArray[Any] = np.linalg.norm(numbers, axis=1)
    return np.maximum(found, np.finfo(np.float32).tiny)  # type: ignore[no-any-return]  # an array


def _salvaged(kept: Path, job: Path, ids: Sequence[str]) -> Iterator[_Salvaged]:
    """Yield digests with a matrix of their vectors: those salvaged before, and those of a job."""
    if kept.exists():
        for batch in arrow_batches(kept, mapped=True):
            yield batch.column("sha256").to_pylist(), matrix_of(batch.column(VECTOR))
    pq = require("pyarrow.parquet", "tables")
    for part in sorted(job.glob("part-*.parquet")):
        for batch in pq.ParquetFile(part).iter_batches(BATCH):
            yield batch.column("id").to_pylist(), matrix_of(batch.column(VECTOR))
    for path in sorted((job / "_job").glob("[0-9]*")):
        if path.is_dir():
            for shape, row, data in answered(path):
                first, rows = int(path.name) * SLICE + row, len(data) // shape.width
                yield list(ids[first : first + rows]), matrix_of(shape.to_arrow(data, rows))


def _unique(salvaged: Iterable[_Salvaged], seen: set[str]) -> Iterator[Any]:
    pa = require("pyarrow", "tables")
    for digests, vectors in salvaged:
        new = [place for place, digest in enumerate(digests) if digest not in seen]
        seen.update(digests)
        if new:
            columns = [pa.array([digests[place] for place in new]), _vectors(vectors[new])]
            yield pa.RecordBatch.from_arrays(columns, ["sha256", VECTOR])


def _batched(items: Iterable[T], count: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, count)):
        yield batch


def _vectors(matrix: npt.NDArray[Any]) -> Any:
    pa = require("pyarrow", "tables")
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])


def part_of(path: Path) -> Path:
    """Return the path of a file while it is being written."""
    return path.with_name(f".{path.name}.part")


def _write(path: Path, batches: Iterator[Any], info: PartInfo) -> None:
    """Write record batches to an Arrow file, completely or not at all."""
    pa = require("pyarrow", "tables")
    first = next(batches, None)
    if first is None:
        return
    fresh = part_of(path)
    schema = first.schema.with_metadata({METADATA: json.dumps(asdict(info)).encode()})
    with open_regular(fresh, "wb") as file:
        with pa.ipc.new_file(file, schema) as writer:
            writer.write_batch(first)
            for batch in batches:
                writer.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)
