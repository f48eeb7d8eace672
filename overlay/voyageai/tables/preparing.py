"""Preparation of table jobs: a new job is scanned and recorded, an existing one is compared."""

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

from ..argument_checks import catalogue_entry
from ..disk import make_folder, open_regular, sync_folder
from ..error import ArgumentError
from ..extras import require
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
    """The specification of a table job.

    Attributes:
        method: `embed`, `contextualized_embed` or `rerank`.
        model: Name of the model.
        params: The method's other arguments that were given.
        columns: The columns to read.
        on_error: Action for a row without a result: `record` leaves it out of the table,
            `null` writes it with a null, `raise` ends the job. It is in `failures.jsonl` in any
            case.
        deduplicate: True to send rows with the same text once, within a slice.
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
        """The kind of table, by the method."""
        return KINDS[self.method](self.model, self.params)

    def check(self, sender: Sender | AsyncSender) -> None:
        """Check that the deployment supports the job, with the call of a sample row.

        Raises:
            ArgumentError: The deployment does not support the operation or an argument.
        """
        row = UnitBatch([0], [0], [["a"] for _ in self.columns.values], [1], [1], [1])
        sender.check(self.kind.call(row), *(("files", "batches") if self.via == "batch" else ()))


@frozen(kw_only=True)
class Prepared:
    """A job whose directory is known to match its rows and arguments.

    Attributes:
        id: Id of the job.
        directory: Directory of the job.
        spec: Specification of the job.
        source: Source of the rows.
        rows: Number of rows of each input; None if unknown.
        estimate: Size and cost of the job.
    """

    id: str
    directory: TableDirectory
    spec: Spec
    source: Source
    rows: list[int | None]
    estimate: TableEstimate

    def pieces(self) -> Iterator[Piece]:
        """Read the rows of the unfinished slices."""
        parts, spec = self.directory.parts(self.id), self.spec
        return cut(self.source, len(self.rows), spec.columns, parts, spec.slice_rows)

    def units(
        self, most_tokens: Most | None = None, *, count: Count | None = None, count_from: float = 0
    ) -> Units:
        """Return the maker of units; arguments as for `Units`."""
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
        """Write the part of a finished slice."""
        spec = self.spec
        info = {"job": self.id, "about": describe(spec)}
        folder, nulls = self.directory.folder, spec.on_error == "null"
        return found.finish(info, spec.kind.shape, folder, nulls=nulls)

    def finish_empty(self) -> None:
        """Write a part without rows, but with the columns, for a source without rows."""
        found = Slice(self.directory.own, 0, 0, 0)
        piece = Piece(0, 0, 0, self.source.empty(self.spec.columns), last=True)
        list(self.units().of(piece, found, _ignore))  # adds the columns
        found.is_read = found.is_last = True
        self.finish(found)

    def reopen(self) -> None:
        """Reopen the slices that have failures."""
        shape = self.spec.kind.shape
        for part in self.directory.parts(self.id).values():
            if part.failed:
                reopen(self.directory.part(part.slice), part, self.directory.own, shape)


class SpooledSource(Source):
    """The rows of a source that can be read only once, copied to a file to be read again.

    Args:
        source: The source.
        path: Path of the file.
    """

    can_repeat = True

    def __init__(self, source: Source, path: Path) -> None:
        self._source, self._path = source, path

    def inputs(self) -> list[dict[str, Any]]:
        """Describe the only input, as the source does."""
        return self._source.inputs()

    def digest(self, columns: Columns) -> str:
        """Return the digest of all rows, which are copied to the file unless that exists."""
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
        """Read the rows from the file."""
        yield from self._file.read(index, columns, skip)

    def empty(self, columns: Columns) -> Any:
        """Return a record batch without rows."""
        return self._file.empty(columns)

    @property
    def _file(self) -> Files:
        fs = require("pyarrow.fs", "tables")
        return Files(fs.LocalFileSystem(), [str(self._path)], "arrow")


def _ignore(*_: object) -> None:
    """Do nothing: without rows, none can fail."""


def _typed(batch: Any, names: tuple[str, ...]) -> Any:
    """Give text columns of type null the type string, as later rows may have texts."""
    pa = require("pyarrow", "tables")
    for place, field in enumerate(batch.schema):
        if field.name in names and pa.types.is_null(field.type):
            column = batch.column(place).cast(pa.string())
            batch = batch.set_column(place, field.name, column)
    return batch


def prepare(spec: Spec, source: Source, into: str | os.PathLike[str]) -> Prepared:
    """Scan the rows and record a new job, or compare them with the job in the directory.

    Raises:
        ArgumentError: The rows or arguments are wrong, or differ from those of the existing job.
        JobInUseError: Another process is copying the rows.
    """
    directory = TableDirectory(Path(into).absolute())
    if spec.via == "batch" and not source.can_repeat:
        if not directory.job.exists():
            directory.check_free()
        with directory.lock():
            if not directory.job.exists():  # the rows may be of another job
                directory.rows.unlink(missing_ok=True)
            return _prepare(spec, SpooledSource(source, directory.rows), directory)
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
    """Raise if arguments or inputs differ from those that the job was begun with."""
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
                f"source has other rows than when the job in {folder} began; pass the same rows "
                "in the same order, or another `into`",
                "source",
            )
        raise ArgumentError(
            f"the job in {folder} began with {name}={before!r}, not {value!r}; pass the same value "
            "to continue it, or another `into`",
            name,
        )


def _scan(spec: Spec, source: Source, inputs: int) -> tuple[list[int | None], TableEstimate]:
    """Count rows and tokens and check the ids, if the source can be read more than once."""
    columns = spec.columns
    if not source.can_repeat:
        unknown_estimate = TableEstimate(
            model=spec.model, rows=None, tokens=0, most_tokens=0, failing=0, via=spec.via
        )
        return [None] * inputs, unknown_estimate
    check = RowCheck(columns)
    compute = require("pyarrow.compute", "tables")
    rows: list[int | None] = []
    tokens = most_tokens = failing = 0
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
                most_tokens += compute.sum(sizes).as_py() or 0
                bad.append(compute.fill_null(compute.equal(sizes, 0), fill_value=True))
            failing += compute.sum(reduce(compute.or_, bad)).as_py() or 0
        check.end_input()
        rows.append(count)
    total = sum(row or 0 for row in rows)
    return rows, TableEstimate(
        model=spec.model,
        rows=total,
        tokens=tokens,
        most_tokens=most_tokens,
        failing=failing,
        via=spec.via,
    )


def describe(spec: Spec) -> dict[str, Any]:
    """Return the description of the vectors, for the metadata of parts."""
    entry, shape = catalogue_entry(spec.model), spec.kind.shape
    return {
        "method": spec.method,
        "input_type": None,
        "output_dtype": "float",
        "model": spec.model,
        "space": None if entry is None else entry.embedding_space,
        "dimension": spec.params.get("output_dimension") or _default_dimension(spec.model),
        "number": shape.number,
        **spec.params,
    }


def _default_dimension(model: str) -> int | None:
    entry = catalogue_entry(model)
    return entry.dimensions.default if entry is not None and entry.dimensions else None
