"""Table jobs: rows of any number, sent live, written as Parquet, resumed where they ended."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import reduce
from itertools import accumulate
from math import inf, isfinite
from numbers import Real
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, Literal, TypeVar

from attrs import asdict, frozen
from voyageai_rest.catalogue import MODELS

from .._utils import safe_repr
from ..batches.jobs.ceiling import MaxCostError
from ..batches.jobs.directory import JobInUseError
from ..batches.jobs.estimate import Budget, cost, dollars
from ..batches.jobs.progress import Progress, ProgressOption, Stage, show_progress
from ..disk import make_folder, open_regular
from ..error import ArgumentError
from ..extras import require
from ..files.writing import lock
from ..flow import in_thread
from ..limits import constraint, known
from .cutting import SLICE, cut
from .estimate import TableEstimate, most_tokens
from .ids import RowCheck
from .kinds import KINDS, Kind
from .loops import run, run_async
from .schedule import Limits, NoMoneyError, Schedule, Totals
from .slices import Failure, PartInfo, Slice, billed, read_failures, read_info, reopen
from .units import Units, check_texts, estimate, strings

if TYPE_CHECKING:
    from ..flow import AsyncSender, Sender
    from .sources import Columns, Source

__all__ = ["AsyncTableJob", "Spec", "TableJob", "TableResult", "prepare"]

OnError = Literal["record", "raise", "null"]
VERSION = 1
MILLION = 1_000_000
LEAST_TOKENS = min(model.max_request_tokens or MILLION for model in MODELS.values())
"""Tokens of a request of a model that is not in the catalogue."""
ITEMS = {
    "embed": ("EmbeddingsRequest", "input"),
    "contextualized_embed": ("ContextualizedEmbeddingsRequest", "inputs"),
}
"""Where the contract says how many units a request holds."""
SHARE_OF_LIMIT = 30
"""A request is at most this part of the tokens per minute: what the last one of a minute does not
fill is lost."""
EVERY = 1.0
"""Seconds between two reports of progress."""
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
        >>> rows = [{"id": 1, "body": "It rains."}]
        >>> result = vo.tables.embed(
        ...     rows, text="body", id="id", model="voyage-4", input_type="document", into="rain"
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
        return require("pyarrow.dataset", "tables").dataset(self.path, format="parquet")

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
        "digest": source.digest(spec.columns),
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
        nothing = TableEstimate(model=spec.model, rows=None, tokens=0, most_tokens=0, failing=0)
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
        model=spec.model, rows=total, tokens=tokens, most_tokens=most, failing=failing
    )


class _TableJob(Generic[S]):
    """What both kinds of table jobs share: everything but sending.

    Attributes:
        id: The job's id.
        path: The directory with the table.
        estimate: What it will cost.
    """

    def __init__(
        self, sender: S, prepared: _Prepared, concurrency: int, progress: ProgressOption
    ) -> None:
        self.id: str = prepared.id
        self.path: Path = prepared.folder
        self.estimate: TableEstimate = prepared.estimate
        self._sender = sender
        self._prepared = prepared
        self._concurrency = concurrency
        self._progress = progress

    def _check_cost(self, max_cost: float | None) -> None:
        if max_cost is None:
            return
        if not _is_money(max_cost):
            raise ArgumentError(
                f"max_cost must be a number of US dollars from 0, or None, not {max_cost!r}",
                "max_cost",
            )
        estimate, cost = self.estimate, self.estimate.cost
        if estimate.price is None:
            raise MaxCostError(
                f"max_cost is {dollars(max_cost)}, but the price of {estimate.model} is not known",
                "max_cost",
            )
        if cost is not None and cost > max_cost:
            raise MaxCostError(
                f"max_cost is {dollars(max_cost)}, but the job would cost about {dollars(cost)}: "
                f"{estimate}",
                "max_cost",
            )

    def _schedule(self, max_cost: float | None) -> Schedule:
        """Prepare what is left to do."""
        prepared, spec = self._prepared, self._prepared.spec
        parts = self._parts()
        totals = Totals()
        for part in parts.values():
            totals.rows += part.rows - part.failed
            totals.failed += part.failed
            totals.tokens += part.tokens
            totals.unknown_tokens += part.unknown_tokens
        for folder in self._unfinished():
            tokens, unknown = billed(folder)
            totals.tokens += tokens
            totals.unknown_tokens += unknown
        price = Fraction(self.estimate.price or 0) / MILLION
        budget = None
        if max_cost is not None:
            budget = Budget(max_cost)
            budget.settle(0, price * (totals.tokens + totals.unknown_tokens))
        kind, about = spec.kind, describe(spec)

        def finish(found: Slice) -> PartInfo:
            return found.finish(
                {"job": prepared.id, "about": about},
                kind.shape,
                prepared.folder,
                nulls=spec.on_error == "null",
            )

        return Schedule(
            kind,
            cut(prepared.source, prepared.inputs, spec.columns, parts, spec.slice_rows),
            Units(
                spec.columns,
                most_tokens(spec.method, spec.model, spec.params) if budget is not None else None,
                [*accumulate((rows or 0 for rows in prepared.rows), initial=0)],
                deduplicate=spec.deduplicate,
            ),
            prepared.own,
            request_limits(spec, self._tpm(), self._concurrency),
            finish,
            totals=totals,
            budget=budget,
            price=price,
            random=self._sender.environment.random,
            stop_at_failure=spec.on_error == "raise",
        )

    def _tpm(self) -> float:
        """Tokens per minute of the client's rate limit; infinite without one."""
        limiter = self._sender.options({}).limiter
        return inf if limiter is None else limiter.limits(self.estimate.model)[1]

    def _parts(self) -> dict[int, PartInfo]:
        """The slices that are finished, by number."""
        found: dict[int, PartInfo] = {}
        begun = {path.name for path in self._unfinished()}
        for path in sorted(self.path.glob("part-*.parquet")):
            part = read_info(path)
            if part.job != self.id:
                raise ArgumentError(f"{path} is a part of another job; move it away", "into")
            if f"{part.slice:06d}" not in begun:
                found[part.slice] = part
        return found

    def _unfinished(self) -> list[Path]:
        """Folders of slices that were begun, or taken up again."""
        return [path for path in sorted(self._prepared.own.glob("[0-9]*")) if path.is_dir()]

    def _result(self) -> TableResult:
        """Count what is there, and write the file of failures."""
        parts = self._parts().values()
        tokens = sum(part.tokens for part in parts)
        failed = sum(part.failed for part in parts)
        result = TableResult(
            path=self.path,
            rows=sum(part.rows for part in parts) - failed,
            failed=failed,
            tokens=tokens,
            cost=cost(self.estimate.price, tokens),
        )
        fresh = result.failures_path.with_suffix(".part")
        with open_regular(fresh, "wb") as file:
            for path in sorted(self._prepared.own.glob("*.failures.jsonl")):
                with open_regular(path) as some:
                    shutil.copyfileobj(some, file)
        fresh.replace(result.failures_path)
        return result

    def _reopen(self) -> None:
        """Take the slices with failures up again."""
        shape = self._prepared.spec.kind.shape
        for part in self._parts().values():
            if part.failed:
                path = self.path / f"part-{part.slice:06d}.parquet"
                reopen(path, part, self._prepared.own, shape)

    def _teller(
        self, schedule: Schedule, tell: Callable[[Progress], object]
    ) -> Callable[[], object]:
        """Return what reports progress, about once a second."""
        clock, last = self._sender.environment.clock, -inf

        def report() -> object:
            nonlocal last
            now = clock()
            if now - last < EVERY:
                return None
            last = now
            return tell(self._said(schedule.totals, "running"))

        return report

    def _said(self, totals: Totals, stage: Stage) -> Progress:
        spent = cost(self.estimate.price, totals.tokens)
        detail = f"{totals.tokens:,} tokens" + ("" if spent is None else f", {dollars(spent)}")
        if totals.failed:
            detail += f", {totals.failed:,} failed"
        return Progress(
            stage=stage,
            message=f"{self.path.name}: {self.estimate.model}, {detail}",
            done=totals.rows + totals.failed,
            total=self.estimate.rows,
            unit="rows",
        )

    def _noted(self, failure: BaseException, max_cost: float | None) -> None:
        limit = "" if max_cost is None else "max_cost=..."
        failure.add_note(
            f"Nothing that was done is lost: the table is in {self.path}; make the same job again, "
            f"and run({limit}) goes on"
        )

    def _stopped(self, schedule: Schedule, max_cost: float) -> MaxCostError:
        totals = schedule.totals
        spent = cost(self.estimate.price, totals.tokens) or 0.0
        lost = cost(self.estimate.price, totals.unknown_tokens) or 0.0
        total = "" if self.estimate.rows is None else f" of {self.estimate.rows:,}"
        stopped = MaxCostError(
            f"max_cost is {dollars(max_cost)}, of which {dollars(spent)} was billed and up to "
            f"{dollars(lost)} may have been for answers that were lost; "
            f"{totals.rows + totals.failed:,}{total} rows are done. Go on under a higher max_cost, "
            "which is for the whole job",
            "max_cost",
        )
        stopped.spent = spent
        return stopped

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.estimate}, {self.path})"


class TableJob(_TableJob["Sender"]):
    """A table that is first estimated, then run; and run again, it goes on where it ended.

    Attributes:
        id: The job's id.
        path: The directory with the table.
        estimate: What it will cost.

    Example:
        >>> rows = [{"id": 1, "body": "It rains."}, {"id": 2, "body": "It snows."}]
        >>> job = vo.tables.prepare_embed(
        ...     rows, text="body", id="id", model="voyage-4", input_type="document", into="weather"
        ... )
        >>> job.estimate.rows, job.estimate.tokens
        (2, 4)
        >>> job.run(max_cost=1.00).rows
        2
    """

    def run(self, max_cost: float | None = None) -> TableResult:
        """Send what is left, and write the table.

        It may be ended at any moment and run again, in this process or another: requests that were
        answered are not sent again.

        Args:
            max_cost: US dollars that the job will not cost more than, in all its runs. A request is
                sent only if what was billed, and what it and those on their way can be billed at
                most, are within that.

        Returns:
            How many rows there are, how many failed, and what it cost.

        Raises:
            ArgumentError: `max_cost` is no number, or the source is not what it was.
            MaxCostError: It would cost more; what is done is kept.
            VoyageError: The server refused the job as a whole, or could not be reached for long.
        """
        self._check_cost(max_cost)
        with locked(self._prepared.own), show_progress(self._progress) as tell:
            schedule = self._schedule(max_cost)
            try:
                run(
                    schedule,
                    self._prepared.spec.kind,
                    self._sender,
                    self._teller(schedule, tell),
                    self._concurrency,
                )
            except NoMoneyError:
                raise self._stopped(schedule, max_cost or 0.0) from None
            except BaseException as failure:
                self._noted(failure, max_cost)
                raise
            tell(self._said(schedule.totals, "done"))
            return self._result()

    def retry_failed(self, max_cost: float | None = None) -> TableResult:
        """Send the rows that failed once more, and put those that succeed into the table.

        Args:
            max_cost: As in `run`: for the whole job, with what it has cost before.

        Returns, raises: As `run`.
        """
        self._check_cost(max_cost)
        with locked(self._prepared.own):
            self._reopen()
        return self.run(max_cost)


class AsyncTableJob(_TableJob["AsyncSender"]):
    """The same as `TableJob`, without blocking.

    Attributes:
        id: The job's id.
        path: The directory with the table.
        estimate: What it will cost.
    """

    async def run(self, max_cost: float | None = None) -> TableResult:
        """Send what is left, and write the table: as `TableJob.run`, without blocking."""
        self._check_cost(max_cost)
        with show_progress(self._progress) as tell:
            lock_ = await in_thread(enter_lock, self._prepared.own)
            try:
                schedule = await in_thread(self._schedule, max_cost)
                try:
                    await run_async(
                        schedule,
                        self._prepared.spec.kind,
                        self._sender,
                        self._teller(schedule, tell),
                    )
                except NoMoneyError:
                    raise self._stopped(schedule, max_cost or 0.0) from None
                except BaseException as failure:
                    self._noted(failure, max_cost)
                    raise
                tell(self._said(schedule.totals, "done"))
                return await in_thread(self._result)
            finally:
                lock_.close()

    async def retry_failed(self, max_cost: float | None = None) -> TableResult:
        """Send the rows that failed once more: as `TableJob.retry_failed`, without blocking."""
        self._check_cost(max_cost)
        lock_ = await in_thread(enter_lock, self._prepared.own)
        try:
            await in_thread(self._reopen)
        finally:
            lock_.close()
        return await self.run(max_cost)


def enter_lock(own: Path) -> IO[bytes]:
    """Open and lock the lock file of a job; to close it frees the lock.

    Raises:
        JobInUseError: Another process, or another job of this one, holds it.
    """
    file = open_regular(own / "lock", "a+b")
    if not lock(file):
        file.close()
        raise JobInUseError(f"{own.parent} is in use by another process; wait for it, or end it")
    return file


@contextmanager
def locked(own: Path) -> Generator[None]:
    """Hold the lock of a job.

    Raises:
        JobInUseError: Another process holds it.
    """
    file = enter_lock(own)
    try:
        yield
    finally:
        file.close()


def _is_money(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return isfinite(value) and float(value) >= 0


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


def request_limits(spec: Spec, tpm: float, concurrency: int) -> Limits:
    """Return how much a request of a job holds.

    Args:
        spec: The job.
        tpm: Tokens per minute of the client's rate limit; infinite without one.
        concurrency: Requests in flight, at most.
    """
    entry = known(spec.model)
    most = entry.max_request_tokens if entry is not None else None
    tokens = min(most or LEAST_TOKENS, max(1.0, tpm / SHARE_OF_LIMIT))
    units = 1 if spec.method == "rerank" else constraint(*ITEMS[spec.method]).max_items or 1
    chunks = (entry.max_request_chunks if entry is not None else None) or MILLION
    return Limits(units=units, tokens=int(tokens), chunks=chunks, concurrency=concurrency)
