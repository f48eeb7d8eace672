"""Preparing table jobs: what a job does, read once and written down; or found written."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from functools import reduce
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import asdict, frozen

from ..disk import make_folder, open_regular, sync_folder
from ..error import ArgumentError
from ..extras import require
from ..limits import known
from .cutting import SLICE, Piece, cut
from .directory import TableDirectory
from .estimate import Most, TableEstimate
from .ids import RowCheck
from .kinds import KINDS, Kind, UnitBatch
from .slices import PartInfo, Slice, reopen
from .sources import Files, Source, row_bytes
from .units import Count, Units, check_texts, estimate, strings

if TYPE_CHECKING:
    from ..flow import AsyncSender, Sender
    from .sources import Columns

__all__ = ["Prepared", "Spec", "Via", "describe", "prepare"]

OnError = Literal["record", "raise", "null"]
Via = Literal["live", "batch"]
VERSION = 1


@frozen(kw_only=True)
class Spec:
    """Description of a table job.

    Attributes:
        method: `embed`, `contextualized_embed` or `rerank`.
        model: Name of the model.
        params: The method's other arguments, as they were given.
        columns: The columns that are read.
        on_error: What becomes of a row without a result: `record` leaves it out of the table,
            `null` writes it with null, `raise` ends the job. It is in `failures.jsonl` either way.
        deduplicate: Whether rows of one text, within a slice, are sent once.
        slice_rows: Rows of a slice.
        via: `live`, or `batch` for the Batch API.
    """

    method: str
    model: str
    params: dict[str, Any]
    columns: Columns
    on_error: OnError = "record"
    deduplicate: bool = False
    slice_rows: int = SLICE
    via: Via = "live"

    @property
    def kind(self) -> Kind:
        """The way to handle a row, by the method."""
        return KINDS[self.method](self.model, self.params)

    def check(self, sender: Sender | AsyncSender) -> None:
        """Refuse arguments with which every row would fail, by the call of a row.

        Raises:
            ArgumentError: The deployment that the sender sends to can't do that.
        """
        row = UnitBatch([0], [0], [["a"] for _ in self.columns.values], [1], [1], [1])
        sender.check(self.kind.call(row), *(("files", "batches") if self.via == "batch" else ()))


@frozen(kw_only=True)
class Prepared:
    """A job's directory, once it is known to be for these rows and arguments.

    Attributes:
        id: The job's id.
        directory: The directory.
        spec: What the job does.
        source: Its rows.
        rows: Rows of each input; None where that is not known.
        estimate: What it will cost.
    """

    id: str
    directory: TableDirectory
    spec: Spec
    source: Source
    rows: list[int | None]
    estimate: TableEstimate

    def pieces(self) -> Iterator[Piece]:
        """Read the rows of the slices that are not finished."""
        parts, spec = self.directory.parts(self.id), self.spec
        return cut(self.source, len(self.rows), spec.columns, parts, spec.slice_rows)

    def units(
        self, most_tokens: Most | None = None, *, count: Count | None = None, count_from: float = 0
    ) -> Units:
        """Return what makes units of the rows; takes what `Units` takes."""
        offsets = [*accumulate((rows or 0 for rows in self.rows), initial=0)]
        return Units(
            self.spec.columns,
            most_tokens,
            offsets,
            count=count,
            count_from=count_from,
            deduplicate=self.spec.deduplicate,
        )

    def finish(self, found: Slice) -> PartInfo:
        """Write the part of a slice that is done."""
        spec = self.spec
        info = {"job": self.id, "about": describe(spec)}
        folder, nulls = self.directory.folder, spec.on_error == "null"
        return found.finish(info, spec.kind.shape, folder, nulls=nulls)

    def finish_empty(self) -> None:
        """Write a part without rows, where the source has none: it has the columns at least."""
        found = Slice(self.directory.own, 0, 0, 0)
        piece = Piece(0, 0, 0, self.source.empty(self.spec.columns), last=True)
        list(self.units().of(piece, found, _ignore))  # adds the columns
        found.is_read = found.is_last = True
        self.finish(found)

    def reopen(self) -> None:
        """Take the slices with failures up again."""
        shape = self.spec.kind.shape
        for part in self.directory.parts(self.id).values():
            if part.failed:
                reopen(self.directory.part(part.slice), part, self.directory.own, shape)


class WrittenDown(Source):
    """The rows of a source that can be read only once, written to a file to be read again.

    Args:
        source: The source.
        path: The file.
    """

    can_repeat = True

    def __init__(self, source: Source, path: Path) -> None:
        self._source, self._path = source, path

    def inputs(self) -> list[dict[str, Any]]:
        """Describe the only input, as the source does."""
        return self._source.inputs()

    def digest(self, columns: Columns) -> str:
        """Digest all rows as they are read, and write them down unless they are."""
        found = hashlib.sha256()
        if self._path.exists():
            for batch in self._source.read(0, columns):
                found.update(row_bytes(batch))
            return found.hexdigest()
        ipc = require("pyarrow.ipc", "tables")
        fresh = self._path.with_name(f"{self._path.name}.part")
        writer: Any = None
        with open_regular(fresh, "wb") as file:
            for batch in self._source.read(0, columns):
                found.update(row_bytes(batch))
                typed = _typed(batch, columns.values)
                writer = writer or ipc.new_stream(file, typed.schema)
                writer.write_batch(typed)
            if writer is None:
                empty = self._source.empty(columns)
                writer = ipc.new_stream(file, _typed(empty, columns.values).schema)
            writer.close()
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        sync_folder(self._path.parent)
        return found.hexdigest()

    def read(self, index: int, columns: Columns, skip: int = 0) -> Iterator[Any]:
        """Read what was written down."""
        yield from self._file.read(index, columns, skip)

    def empty(self, columns: Columns) -> Any:
        """Return a record batch without rows."""
        return self._file.empty(columns)

    @property
    def _file(self) -> Files:
        fs = require("pyarrow.fs", "tables")
        return Files(fs.LocalFileSystem(), [str(self._path)], "arrow")


def _ignore(*_: object) -> None:
    """Do nothing: without rows none fails."""


def _typed(batch: Any, names: tuple[str, ...]) -> Any:
    """Give columns of texts a type, where the first rows have none: later ones may."""
    pa = require("pyarrow", "tables")
    for place, field in enumerate(batch.schema):
        if field.name in names and pa.types.is_null(field.type):
            column = batch.column(place).cast(pa.string())
            batch = batch.set_column(place, field.name, column)
    return batch


def prepare(spec: Spec, source: Source, into: str | os.PathLike[str]) -> Prepared:
    """Read the rows once, estimate them, and write down what the job is; or find it written.

    Raises:
        ArgumentError: The rows or arguments are wrong, or not those of the job that is there.
        JobInUseError: Another process is writing the rows down.
    """
    directory = TableDirectory(Path(into).absolute())
    if spec.via == "batch" and not source.can_repeat:
        if not directory.job.exists():
            directory.check_free()
        with directory.lock():
            if not directory.job.exists():  # of rows written down, nobody knows of which job
                directory.rows.unlink(missing_ok=True)
            return _prepare(spec, WrittenDown(source, directory.rows), directory)
    return _prepare(spec, source, directory)


def _prepare(spec: Spec, source: Source, directory: TableDirectory) -> Prepared:
    inputs = source.inputs()
    facts = {
        "version": VERSION,
        "inputs": inputs,
        **asdict(spec),
        "digest": source.digest(spec.columns),
    }
    facts = json.loads(json.dumps(facts, default=str))
    if directory.job.exists():
        with open_regular(directory.job) as file:
            written = json.load(file)
        _compare(facts, written["facts"], directory.folder)
        return Prepared(
            id=written["id"],
            directory=directory,
            spec=spec,
            source=source,
            rows=written["rows"],
            estimate=TableEstimate(**written["estimate"]),
        )
    directory.check_free()
    rows, estimated = _scan(spec, source, len(inputs))
    make_folder(directory.own)
    id_ = uuid.uuid4().hex[:12]
    content = {"id": id_, "rows": rows, "estimate": asdict(estimated), "facts": facts}
    fresh = directory.job.with_name(f"{directory.job.name}.part")
    with open_regular(fresh, "wb") as file:
        file.write(json.dumps(content, indent=1).encode())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(directory.job)
    return Prepared(
        id=id_, directory=directory, spec=spec, source=source, rows=rows, estimate=estimated
    )


def _compare(facts: dict[str, Any], written: dict[str, Any], folder: Path) -> None:
    """Refuse arguments or inputs that are not those that a job was begun with."""
    for name, value in facts.items():
        before: Any = written.get(name)
        if value == before:
            continue
        if name == "inputs":
            for now, then in zip(value, before, strict=False):
                if now != then:
                    raise ArgumentError(
                        f"{then.get('path') or 'the source'} has changed since the job in {folder} "
                        f"began: it was {then}, and is {now}; begin another job",
                        "source",
                    )
            raise ArgumentError(
                f"the job in {folder} began with {len(before)} inputs, not {len(value)}; "
                "begin another job",
                "source",
            )
        if name == "digest":
            raise ArgumentError(
                f"source holds other rows than when the job in {folder} began; give the same rows "
                "in the same order, or another `into`",
                "source",
            )
        raise ArgumentError(
            f"the job in {folder} began with {name}={before!r}, not {value!r}; give the same "
            "argument to go on, or another `into`",
            name,
        )


def _scan(spec: Spec, source: Source, inputs: int) -> tuple[list[int | None], TableEstimate]:
    """Count rows and tokens, and look at the ids, where that can be done before the job."""
    columns = spec.columns
    if not source.can_repeat:
        nothing = TableEstimate(
            model=spec.model, rows=None, tokens=0, most_tokens=0, failing=0, via=spec.via
        )
        return [None] * inputs, nothing
    check = RowCheck(columns)
    compute = require("pyarrow.compute", "tables")
    rows: list[int | None] = []
    tokens = most = failing = 0
    for index in range(inputs):
        count = 0
        for batch in source.read(index, columns):
            count += batch.num_rows
            check.add(batch)
            bad: list[Any] = []
            for name in columns.values:
                check_texts(batch, name)
                tokens += sum(estimate(batch, name))
                sizes = compute.binary_length(strings(batch, name))
                most += compute.sum(sizes).as_py() or 0
                bad.append(compute.fill_null(compute.equal(sizes, 0), fill_value=True))
            failing += compute.sum(reduce(compute.or_, bad)).as_py() or 0
        check.end_input()
        rows.append(count)
    total = sum(row or 0 for row in rows)
    return rows, TableEstimate(
        model=spec.model,
        rows=total,
        tokens=tokens,
        most_tokens=most,
        failing=failing,
        via=spec.via,
    )


def describe(spec: Spec) -> dict[str, Any]:
    """Return what the vectors are, for the metadata of parts."""
    entry, shape = known(spec.model), spec.kind.shape
    return {
        "method": spec.method,
        "input_type": None,
        "output_dtype": "float",
        "model": spec.model,
        "space": None if entry is None else entry.embedding_space,
        "dimension": spec.params.get("output_dimension") or _usual_dimension(spec.model),
        "number": shape.number,
        **spec.params,
    }


def _usual_dimension(model: str) -> int | None:
    entry = known(model)
    return entry.dimensions.default if entry is not None and entry.dimensions else None
