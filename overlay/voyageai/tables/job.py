"""Table jobs: rows of any number, sent live, written as Parquet, resumed where they ended."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, Literal, TypeVar

from attrs import asdict, field, frozen

from ..disk import make_folder, open_regular
from ..error import ArgumentError
from ..extras import require
from ..limits import known
from .cutting import SLICE, cut
from .estimate import TableEstimate
from .ids import UniqueIds
from .kinds import KINDS, Kind
from .loops import run, run_async
from .schedule import Limits, NoMoneyError, Schedule, Totals
from .slices import Failure, PartInfo, Slice, billed, read_failures, read_info
from .sources import ROW_NUMBER, Columns, Source
from .units import Units, estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..flow import AsyncSender, Sender

__all__ = ["AsyncTableJob", "Spec", "TableJob", "TableResult", "prepare"]

OnError = Literal["record", "raise", "null"]
VERSION = 1
OWN = "_job"
"""Name of the folder with what is not the table: readers of datasets pass over such names."""
S = TypeVar("S", bound="Sender | AsyncSender")


@frozen(kw_only=True)
class Spec:
    """What a table job does.

    Attributes:
        method: `embed`, `contextualized_embed` or `rerank`.
        model: Name of the model.
        params: The method's other arguments, as they were given.
        columns: The columns that are read.
        on_error: What becomes of a row without a result: `record` leaves it out of the table,
            `null` writes it with null, `raise` ends the job. It is in `failures.jsonl` either way.
        deduplicate: Whether rows of one text, within a slice, are sent once.
        slice_rows: Rows of a slice.
    """

    method: str
    model: str
    params: dict[str, Any]
    columns: Columns
    on_error: OnError = "record"
    deduplicate: bool = False
    slice_rows: int = SLICE

    @property
    def kind(self) -> Kind:
        """What is done with a row."""
        return KINDS[self.method](self.model, self.params)


@frozen(kw_only=True)
class TableResult:
    """What a table job has come to.

    Attributes:
        path: The directory with the Parquet files.
        rows: Rows with a result.
        failed: Rows without one.
        tokens: Tokens that were billed; those of lost answers not among them.
        cost: US dollars; None if the model's price is not known.

    Example:
        >>> result = vo.tables.embed(
        ...     [{"id": 1, "body": "It rains."}], text="body", id="id", model="voyage-4", into=into
        ... )
        >>> result.rows, result.failed
        (1, 0)
    """

    path: Path
    rows: int
    failed: int
    tokens: int
    cost: float | None

    @property
    def failures_path(self) -> Path:
        """The file with a line of JSON per row without a result; it may not be there."""
        return self.path / OWN / "failures.jsonl"

    def failures(self) -> Iterator[Failure]:
        """Read the rows without a result, in their order."""
        return read_failures(self.failures_path)

    def dataset(self) -> Any:  # pyarrow has no types
        """Open the table as a `pyarrow.dataset.Dataset`."""
        return require("pyarrow.dataset", "arrow").dataset(self.path, format="parquet")

    def __str__(self) -> str:
        failed = f", {self.failed:,} failed: see {self.failures_path}" if self.failed else ""
        return f"{self.rows:,} rows in {self.path}{failed}"


@frozen(kw_only=True)
class _Prepared:
    """A job's directory, once it is known to be for these rows and arguments."""

    id: str
    folder: Path
    spec: Spec
    source: Source
    rows: list[int | None]
    inputs: int
    estimate: TableEstimate

    @property
    def own(self) -> Path:
        """The folder with what is not the table."""
        return self.folder / OWN


def prepare(spec: Spec, source: Source, into: str | os.PathLike[str]) -> _Prepared:
    """Read the rows once, estimate them, and write down what the job is; or find it written.

    Raises:
        ArgumentError: The rows or arguments are wrong, or not those of the job that is there.
    """
    folder = Path(into).absolute()
    own = folder / OWN
    facts = {
        "version": VERSION,
        "inputs": source.inputs(),
        **asdict(spec),
    }
    facts = json.loads(json.dumps(facts, default=str))
    path = own / "job.json"
    if path.exists():
        with open_regular(path) as file:
            written = json.load(file)
        _compare(facts, written["facts"], folder)
        estimated = TableEstimate(**written["estimate"])
        return _Prepared(
            id=written["id"],
            folder=folder,
            spec=spec,
            source=source,
            rows=written["rows"],
            inputs=len(facts["inputs"]),
            estimate=estimated,
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(
            f"into={str(folder)!r} holds something that is no table job; name a new directory",
            "into",
        )
    rows, estimated = _scan(spec, source, len(facts["inputs"]))
    make_folder(own)
    id_ = uuid.uuid4().hex[:12]
    content = {"id": id_, "rows": rows, "estimate": asdict(estimated), "facts": facts}
    fresh = own / "job.json.part"
    with open_regular(fresh, "wb") as file:
        file.write(json.dumps(content, indent=1).encode())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return _Prepared(
        id=id_,
        folder=folder,
        spec=spec,
        source=source,
        rows=rows,
        inputs=len(facts["inputs"]),
        estimate=estimated,
    )


def _compare(facts: dict[str, Any], written: dict[str, Any], folder: Path) -> None:
    """Refuse arguments or inputs that are not those that a job was begun with."""
    for name, value in facts.items():
        before = written.get(name)
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
            model=spec.model, rows=None, tokens=0, most_tokens=0, failing=0
        )
        return [None] * inputs, nothing
    ids = None if columns.id is None else UniqueIds(columns.id)
    groups = None if columns.group is None else UniqueIds(columns.group, adjacent=True)
    compute = require("pyarrow.compute", "arrow")
    rows: list[int | None] = []
    tokens = most = failing = 0
    for index in range(inputs):
        count = 0
        for batch in source.read(index, columns):
            count += batch.num_rows
            if ids is not None:
                ids.add(batch.column(columns.id).to_pylist())
            if groups is not None:
                groups.add(batch.column(columns.group).to_pylist())
            for name in columns.values:
                tokens += sum(estimate(batch, name))
                sizes = compute.binary_length(batch.column(name))
                most += compute.sum(sizes).as_py() or 0
            empty = compute.equal(sizes, 0)
            failing += compute.sum(compute.fill_null(empty, fill_value=True)).as_py() or 0
        rows.append(count)
    total = sum(row or 0 for row in rows)
    return rows, TableEstimate(
        model=spec.model, rows=total, tokens=tokens, most_tokens=most, failing=failing
    )


class _TableJob(Generic[S]):
    """What both kinds of table jobs share: everything but sending.

    Attributes:
        id: The job's id.
        path: The directory with the table.
        estimate: What it will cost.
    """

    def __init__(self, sender: S, prepared: _Prepared, options: Mapping[str, Any]) -> None:
        self.id: str = prepared.id
        self.path: Path = prepared.folder
        self.estimate: TableEstimate = prepared.estimate
        self._sender = sender
        self._prepared = prepared
        self._options = options

    def _check_cost(self, max_cost: float | None) -> None:
        check_max_cost(max_cost, self.estimate.price, self.estimate.model)
        cost = self.estimate.cost
        if max_cost is not None and cost is not None and cost > max_cost:
            raise MaxCostError(
                f"max_cost is {dollars(max_cost)}, but the job would cost about {dollars(cost)}: "
                f"{self.estimate}",
                "max_cost",
            )

    @contextmanager
    def _schedule(self, max_cost: float | None) -> Iterator[Schedule]:
        """Prepare what is left to do, while nobody else works on it."""
        prepared, spec = self._prepared, self._prepared.spec
        with locked(prepared.own):
            parts = self._parts()
            totals = Totals()
            for part in parts.values():
                totals.rows += part.rows - part.failed
                totals.failed += part.failed
                totals.tokens += part.tokens
                totals.unknown_tokens += part.unknown_tokens
            for left in self._unfinished():
                tokens, unknown = billed(left)
                totals.tokens += tokens
                totals.unknown_tokens += unknown
            price = Fraction(self.estimate.price or 0) / MILLION
            ledger = None
            if max_cost is not None:
                ledger = Ledger(max_cost)
                ledger.settle(0, price * (totals.tokens + totals.unknown_tokens))
            kind = spec.kind
            about = describe(spec)
            pieces = cut(
                prepared.source, prepared.inputs, spec.columns, parts, spec.slice_rows
            )
            offsets = [0]
            for rows in prepared.rows[:-1]:
                offsets.append(offsets[-1] + (rows or 0))
            units = Units(
                spec.columns,
                most_tokens(spec) if max_cost is not None else None,
                offsets,
                deduplicate=spec.deduplicate,
            )

            def finish(found: Slice) -> PartInfo:
                return found.finish(
                    {"job": prepared.id, "about": about},
                    kind.shape,
                    prepared.folder,
                    nulls=spec.on_error == "null",
                )

            yield Schedule(
                kind,
                pieces,
                units,
                prepared.own,
                request_limits(spec, self._sender, self._options.get("concurrency")),
                finish,
                totals=totals,
                ledger=ledger,
                price=price,
                random=self._sender.environment.random,
                stop_at_failure=spec.on_error == "raise",
            )

    def _parts(self) -> dict[int, PartInfo]:
        """The slices that are finished, by number."""
        found: dict[int, PartInfo] = {}
        busy = {path.name for path in self._unfinished()}
        for path in sorted(self.path.glob("part-*.parquet")):
            part = read_info(path)
            if part.job != self.id:
                raise ArgumentError(f"{path} is a part of another job; remove it", "into")
            if f"{part.slice:06d}" not in busy:
                found[part.slice] = part
        return found

    def _unfinished(self) -> list[Path]:
        """Folders of slices that were begun."""
        return [path for path in sorted(self._prepared.own.glob("[0-9]*")) if path.is_dir()]

    def _result(self) -> TableResult:
        """Gather what is there, and write the file of failures."""
        rows = failed = tokens = 0
        for part in self._parts().values():
            rows += part.rows - part.failed
            failed += part.failed
            tokens += part.tokens
        result = TableResult(
            path=self.path,
            rows=rows,
            failed=failed,
            tokens=tokens,
            cost=cost(self.estimate.price, tokens),
        )
        found = sorted(self._prepared.own.glob("*.failures.jsonl"))
        if not found:
            result.failures_path.unlink(missing_ok=True)
            return result
        fresh = result.failures_path.with_suffix(".part")
        with open_regular(fresh, "wb") as file:
            for path in found:
                with open_regular(path) as some:
                    shutil.copyfileobj(some, file)
        fresh.replace(result.failures_path)
        return result

    def _reopen(self) -> int:
        """Take the slices with failures up again; say how many rows failed."""
        failed = 0
        with locked(self._prepared.own):
            for part in self._parts().values():
                if part.failed:
                    failed += part.failed
                    path = self.path / f"part-{part.slice:06d}.parquet"
                    reopen(path, part, self._prepared.own, self._prepared.spec.kind.shape)
        return failed

    def _told(self, schedule: Schedule) -> Progress:
        totals = schedule.totals
        done = totals.rows + totals.failed
        spent = cost(self.estimate.price, totals.tokens)
        detail = f"{totals.tokens:,} tokens" + ("" if spent is None else f", {dollars(spent)}")
        if totals.failed:
            detail += f", {totals.failed:,} failed"
        return Progress(
            stage="running",
            message=f"embedding {self.path.name}",
            done=done,
            total=self.estimate.rows,
            unit="rows",
            detail=detail,
        )


def describe(spec: Spec) -> dict[str, Any]:
    """Return what the vectors are, for the metadata of parts."""
    entry, shape = known(spec.model), spec.kind.shape
    return {
        "method": spec.method,
        "model": spec.model,
        "space": None if entry is None else entry.embedding_space,
        "dimension": spec.params.get("output_dimension") or _usual_dimension(spec.model),
        "number": shape.number,
        **spec.params,
    }


def _usual_dimension(model: str) -> int | None:
    entry = known(model)
    return entry.dimensions.default if entry is not None and entry.dimensions else None


def request_limits(spec: Spec, tpm: float | None, concurrency: int) -> Limits:
    """Return how much a request of a job holds.

    Args:
        spec: The job.
        tpm: Tokens per minute of the client's rate limit; None without one. A request is at most a
            thirtieth of them: what the last request of a minute does not fill is lost.
        concurrency: Requests in flight, at most.
    """
    entry = known(spec.model)
    most = entry.max_request_tokens if entry is not None else None
    tokens = most if most is not None else LEAST_TOKENS
    if tpm is not None and isfinite(tpm):
        tokens = max(1, min(tokens, int(tpm / 30)))
    units = 1 if spec.method == "rerank" else constraint(*ITEMS[spec.method]).max_items or 1
    chunks = (entry.max_request_chunks if entry is not None else None) or 1 << 30
    return Limits(units=units, tokens=tokens, chunks=chunks, concurrency=concurrency)
