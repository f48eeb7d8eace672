"""Table jobs: rows of any number, sent live or as batches, written as Parquet, resumed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import inf, isfinite
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import frozen
from voyageai_rest.catalogue import MODELS

from .._utils import safe_repr
from ..batches.jobs.progress import Progress, show_progress
from ..batches.jobs.running import carry_out, carry_out_async
from ..error import ArgumentError
from ..extras import require
from ..flow import in_thread
from ..html import card
from ..limits import constraint, known
from ..prices import Budget, MaxCostError, cost, dollars
from ..telemetry.jobs import JobSpan
from ..tokenization import at_hand, counts
from .batch import BatchWork
from .directory import OWN
from .estimate import TableEstimate, most_tokens
from .loops import run, run_async
from .schedule import Limits, NoMoneyError, Schedule, Totals
from .slices import Failure, read_failures

if TYPE_CHECKING:
    from ..flow import AsyncSender, Sender
    from .preparing import Prepared, Spec

__all__ = ["AsyncTableJob", "TableJob", "TableResult"]

CONCURRENCY = 64
"""Requests in flight, at most. Chosen: more than the highest published limit can use."""
MILLION = 1_000_000
LEAST_TOKENS = min(model.max_request_tokens or MILLION for model in MODELS.values())
"""Tokens of a request of a model that is not in the catalogue."""
ITEMS = {
    "embed": ("EmbeddingsRequest", "input"),
    "contextualized_embed": ("ContextualizedEmbeddingsRequest", "inputs"),
}
"""Schema and property of the contract that limit the units of a request."""
SHARE_OF_LIMIT = 100
"""A request is at most this part of the tokens per minute, or a greater one if there can't be so
many a minute: what the last one of a minute does not fill is lost."""
EVERY = 1.0
"""Seconds between two reports of progress."""
MINUTE = 60.0
SETTLED = 10.0
"""Seconds after which a speed says something."""
S = TypeVar("S", bound="Sender | AsyncSender")


@frozen(kw_only=True)
class TableResult:
    """The result of a table job.

    Attributes:
        path: The directory with the Parquet files.
        rows: Rows with a result.
        failed: Rows without one.
        tokens: Tokens that were billed, as the answers say.
        cost: Their US dollars; None if the model's price is not known.
        unknown_tokens: Tokens that may have been billed besides, at most, for requests whose answer
            was lost; `max_cost` counts them. A byte of text counts as a token.

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
    unknown_tokens: int = 0

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

    def _repr_html_(self) -> str:
        facts = {
            "rows": f"{self.rows:,}",
            "failed": f"{self.failed:,}",
            "tokens": f"{self.tokens:,}",
            "cost": None if self.cost is None else dollars(self.cost),
            "path": self.path,
        }
        return card(type(self).__name__, facts)


class _TableJob(Generic[S]):
    """Base of both kinds of table jobs: everything but sending.

    Attributes:
        id: The job's id.
        path: The directory with the table.
        estimate: What it will cost.
    """

    def __init__(self, sender: S, prepared: Prepared, options: Mapping[str, Any]) -> None:
        self.id: str = prepared.id
        self.path: Path = prepared.directory.folder
        self.estimate: TableEstimate = prepared.estimate
        self._sender = sender
        self._prepared = prepared
        self._directory = prepared.directory
        self._options = options
        self._progress = options.get("progress")
        self._concurrency: int = options.get("concurrency") or CONCURRENCY
        self._span: JobSpan | None = None

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

    def _recorded(self, action: str) -> JobSpan:
        """Return what records a run: for one inside `retry_failed` that of the latter."""
        span = self._span
        if span is None or not span.is_open:
            spec = self._prepared.spec
            span = self._span = JobSpan(
                self._sender.telemetry,
                "table",
                id=self.id,
                method=spec.method,
                model=spec.model,
                folder=self._directory.own,
                price=self.estimate.price,
                action=action,
                via=spec.via,
            )
        return span

    def _work(self, max_cost: float | None) -> Schedule | BatchWork:
        """Prepare what is left to do."""
        span = self._recorded("run")
        span.keep()
        totals = self._directory.totals(self.id)
        if self._prepared.spec.via == "batch":
            return BatchWork(self._prepared, self._sender, self._options, totals, max_cost, span)
        return self._schedule(totals, max_cost, span)

    def _schedule(self, totals: Totals, max_cost: float | None, span: JobSpan) -> Schedule:
        prepared, spec = self._prepared, self._prepared.spec
        price = Fraction(self.estimate.price or 0) / MILLION
        budget = None
        if max_cost is not None:
            budget = Budget(max_cost)
            budget.settle(0, price * (totals.tokens + totals.unknown_tokens))
        limits = request_limits(spec, *self._limits(), self._concurrency)
        most = most_tokens(spec.method, spec.model, spec.params)
        return Schedule(
            spec.kind,
            prepared.pieces(),
            prepared.units(
                most if budget is not None else None,
                count=self._count,
                count_from=limits.tokens / limits.units / 2,  # tokens may fill a request
            ),
            self._directory.own,
            limits,
            most,
            prepared.finish,
            totals=totals,
            budget=budget,
            price=price,
            random=self._sender.environment.random,
            stop_at_failure=spec.on_error == "raise",
            span=span,
        )

    def _limits(self) -> tuple[float, float]:
        """Requests and tokens per minute of the client's rate limit; infinite without one."""
        limiter = self._sender.options({}).limiter
        return (inf, inf) if limiter is None else limiter.limits(self.estimate.model)

    def _count(self, texts: Sequence[str]) -> list[int] | None:
        """Count the tokens of each text, if the tokenizer is at hand without a request."""
        tokenizer = at_hand(self.estimate.model, self._sender.tokenizers)
        return None if tokenizer is None else counts(tokenizer, texts)

    def _result(self) -> TableResult:
        """Count what is there, and write the file of failures."""
        if not self._directory.parts(self.id):
            self._prepared.finish_empty()
        totals = self._directory.totals(self.id)
        self._directory.write_failures()
        return TableResult(
            path=self.path,
            rows=totals.rows,
            failed=totals.failed,
            tokens=totals.tokens,
            cost=cost(self.estimate.price, totals.tokens),
            unknown_tokens=totals.unknown_tokens,
        )

    @property
    def _is_pending(self) -> bool:
        """True if there are batches whose answers are not in the table yet."""
        return self._prepared.spec.via == "batch" and self._directory.batch.exists()

    def _teller(self, totals: Totals, tell: Callable[[Progress], object]) -> Callable[[], object]:
        """Return what reports progress, about once a second."""
        span = self._recorded("run")
        clock, last = self._sender.environment.clock, -inf
        start, tpm = clock(), self._limits()[1]
        recent: deque[tuple[float, int, int]] = deque()  # time, rows, tokens of the last minute

        def report() -> object:
            nonlocal last
            now = clock()
            if now - last < EVERY:
                return None
            last = now
            done = totals.rows + totals.failed
            recent.append((now, done, totals.tokens))
            while now - recent[0][0] > MINUTE:
                recent.popleft()
            before, rows, tokens = recent[0]
            detail = self._spent(totals)
            if (seconds := now - before) >= SETTLED:
                if tpm < inf:
                    share = (totals.tokens - tokens) / seconds * MINUTE / tpm
                    detail += f", {share:.0%} of the limit"
                    span.share(share)
                if self.estimate.rows is not None and done > rows:
                    left = (self.estimate.rows - done) * seconds / (done - rows)
                    detail += f", {_duration(left)} left"
            return tell(
                Progress(
                    stage="running",
                    message=self._named,
                    done=done,
                    total=self.estimate.rows,
                    unit="rows",
                    detail=detail,
                    minutes=int((now - start) // MINUTE),
                )
            )

        return report

    def _ended(self, totals: Totals) -> Progress:
        return Progress(
            stage="done",
            message=f"{self._named}, {self._spent(totals)}",
            done=totals.rows + totals.failed,
            total=self.estimate.rows,
            unit="rows",
        )

    @property
    def _named(self) -> str:
        return f"{self.path.name}: {self.estimate.model}"

    def _spent(self, totals: Totals) -> str:
        spent = cost(self.estimate.price, totals.tokens)
        told = f"{totals.tokens:,} tokens" + ("" if spent is None else f", {dollars(spent)}")
        return told + (f", {totals.failed:,} failed" if totals.failed else "")

    def _noted(self, failure: BaseException, max_cost: float | None) -> None:
        limit = "" if max_cost is None else "max_cost=..."
        failure.add_note(
            f"Nothing that was done is lost: the table is in {self.path}; make the same job again, "
            f"and run({limit}) goes on"
        )

    def _stopped(
        self, stop: NoMoneyError | MaxCostError, totals: Totals, max_cost: float | None
    ) -> MaxCostError:
        """Return the error of a job that would cost too much, in the words of a table job."""
        spent = cost(self.estimate.price, totals.tokens) or 0.0
        lost = cost(self.estimate.price, totals.unknown_tokens) or 0.0
        total = "" if self.estimate.rows is None else f" of {self.estimate.rows:,}"
        done = (
            f"of which {dollars(spent)} was billed and up to {dollars(lost)} may have been for "
            f"answers that were lost; {totals.rows + totals.failed:,}{total} rows are done"
        )
        if isinstance(stop, MaxCostError):
            spent = stop.spent
            done = (
                f"of which {dollars(spent)} was billed; the batches that were not sent would cost "
                f"about {dollars(stop.likely or 0.0)}, and at most {dollars(stop.most or 0.0)}"
            )
        stopped = MaxCostError(
            f"max_cost is {dollars(max_cost or 0.0)}, {done}. Go on under a higher max_cost, which "
            "is for the whole job",
            "max_cost",
        )
        stopped.spent = spent
        if isinstance(stop, MaxCostError):
            stopped.rows_left, stopped.likely, stopped.most = stop.rows_left, stop.likely, stop.most
        return stopped

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.estimate}, {self.path})"

    @safe_repr
    def _repr_html_(self) -> str:
        return card(type(self).__name__, {"path": self.path}, self.estimate._repr_html_())  # pyright: ignore[reportPrivateUsage]  # of notebooks


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
        answered are not sent again, and no batch is submitted twice.

        Args:
            max_cost: US dollars that the job will not cost more than, in all its runs. A request,
                or a batch, is sent only if what was billed, and what it and those on their way can
                be billed at most, are within that.

        Returns:
            How many rows there are, how many failed, and what it cost.

        Raises:
            ArgumentError: `max_cost` is no number, or the source is not what it was.
            MaxCostError: It would cost more; what is done is kept.
            JobInUseError: Another process works on the job.
            RowError: A row failed, and `on_error` is `raise`.
            VoyageError: The server refused the job as a whole, or could not be reached for long.

        Example:
            >>> rows = [{"id": 1, "body": "It rains."}]
            >>> job = vo.tables.prepare_embed(
            ...     rows, text="body", id="id", model="voyage-4", input_type="document", into="run"
            ... )
            >>> job.run(max_cost=1.00).rows
            1
        """
        self._check_cost(max_cost)
        span = self._recorded("run")
        span.load()
        with span, self._directory.lock(), show_progress(self._progress) as tell:
            work = self._work(max_cost)
            try:
                if isinstance(work, BatchWork):
                    carry_out(self._sender, work.steps(), tell)
                else:
                    report = self._teller(work.totals, tell)
                    run(work, self._prepared.spec.kind, self._sender, report, self._concurrency)
            except (NoMoneyError, MaxCostError) as stop:
                raise self._stopped(stop, work.totals, max_cost) from None
            except BaseException as failure:
                self._noted(failure, max_cost)
                raise
            tell(self._ended(work.totals))
            return self._result()

    def retry_failed(self, max_cost: float | None = None) -> TableResult:
        """Send the rows that failed once more, and put those that succeed into the table.

        Args:
            max_cost: As in `run`: for the whole job, with what it has cost before.

        Returns:
            As `run`: for the whole table.

        Raises:
            ArgumentError, MaxCostError, JobInUseError, RowError, VoyageError: As in `run`.

        Example:
            >>> rows = [{"id": 1, "body": "It rains."}, {"id": 2, "body": None}]
            >>> job = vo.tables.prepare_embed(
            ...     rows, text="body", id="id", model="voyage-4", input_type="document", into="more"
            ... )
            >>> result = job.run()
            >>> if result.failed:
            ...     result = job.retry_failed()
            >>> result.rows, result.failed
            (1, 1)
        """
        self._check_cost(max_cost)
        span = self._recorded("retry_failed")
        span.load()
        with span:
            if self._is_pending:  # they may have rows that failed
                self.run(max_cost)
            with self._directory.lock():
                self._prepared.reopen()
            return self.run(max_cost)


class AsyncTableJob(_TableJob["AsyncSender"]):
    """A table that is first estimated, then run, like `TableJob`, without blocking.

    Attributes:
        id: The job's id.
        path: The directory with the table.
        estimate: What it will cost.

    Example:
        >>> async def main():
        ...     async with voyageai.AsyncClient() as vo:
        ...         rows = [{"id": 1, "body": "It rains."}, {"id": 2, "body": "It snows."}]
        ...         job = await vo.tables.prepare_embed(
        ...             rows, text="body", id="id", model="voyage-4", input_type="document",
        ...             into="weather_async",
        ...         )
        ...         return job.estimate.tokens, (await job.run(max_cost=1.00)).rows
        >>> asyncio.run(main())
        (4, 2)
    """

    async def run(self, max_cost: float | None = None) -> TableResult:
        """Send what is left, and write the table.

        It may be ended at any moment and run again, in this process or another: requests that were
        answered are not sent again, and no batch is submitted twice.

        Args:
            max_cost: US dollars that the job will not cost more than, in all its runs. A request,
                or a batch, is sent only if what was billed, and what it and those on their way can
                be billed at most, are within that.

        Returns:
            How many rows there are, how many failed, and what it cost.

        Raises:
            ArgumentError: `max_cost` is no number, or the source is not what it was.
            MaxCostError: It would cost more; what is done is kept.
            JobInUseError: Another process works on the job.
            RowError: A row failed, and `on_error` is `raise`.
            VoyageError: The server refused the job as a whole, or could not be reached for long.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         job = await vo.tables.prepare_embed(
            ...             [{"id": 1, "body": "It rains."}], text="body", id="id",
            ...             model="voyage-4", input_type="document", into="run_async",
            ...         )
            ...         return (await job.run(max_cost=1.00)).rows
            >>> asyncio.run(main())
            1
        """
        self._check_cost(max_cost)
        span = self._recorded("run")
        if span.is_on:
            await in_thread(span.load)
        with span, show_progress(self._progress) as tell:
            lock = await in_thread(self._directory.enter_lock)
            try:
                work = await in_thread(self._work, max_cost)
                try:
                    if isinstance(work, BatchWork):
                        await carry_out_async(self._sender, work.steps(), tell)
                    else:
                        report = self._teller(work.totals, tell)
                        await run_async(work, self._prepared.spec.kind, self._sender, report)
                except (NoMoneyError, MaxCostError) as stop:
                    raise self._stopped(stop, work.totals, max_cost) from None
                except BaseException as failure:
                    self._noted(failure, max_cost)
                    raise
                tell(self._ended(work.totals))
                return await in_thread(self._result)
            finally:
                lock.close()

    async def retry_failed(self, max_cost: float | None = None) -> TableResult:
        """Send the rows that failed once more, and put those that succeed into the table.

        Args:
            max_cost: As in `run`: for the whole job, with what it has cost before.

        Returns:
            As `run`: for the whole table.

        Raises:
            ArgumentError, MaxCostError, JobInUseError, RowError, VoyageError: As in `run`.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         job = await vo.tables.prepare_embed(
            ...             [{"id": 1, "body": "It rains."}, {"id": 2, "body": None}], text="body",
            ...             id="id", model="voyage-4", input_type="document", into="more_async",
            ...         )
            ...         result = await job.run()
            ...         if result.failed:
            ...             result = await job.retry_failed()
            ...         return result.rows, result.failed
            >>> asyncio.run(main())
            (1, 1)
        """
        self._check_cost(max_cost)
        span = self._recorded("retry_failed")
        if span.is_on:
            await in_thread(span.load)
        with span:
            if await in_thread(lambda: self._is_pending):  # they may have rows that failed
                await self.run(max_cost)
            lock = await in_thread(self._directory.enter_lock)
            try:
                await in_thread(self._prepared.reopen)
            finally:
                lock.close()
            return await self.run(max_cost)


def _duration(seconds: float) -> str:
    """Return a time as text, such as `2 h 5 min`."""
    minutes = round(seconds / MINUTE)
    hours = f"{minutes // 60} h " if minutes >= 60 else ""
    return f"{hours}{minutes % 60} min" if minutes else f"{seconds:.0f} s"


def _is_money(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return isfinite(value) and float(value) >= 0


def request_limits(spec: Spec, rpm: float, tpm: float, concurrency: int) -> Limits:
    """Return how much a request of a job holds.

    Args:
        spec: The job.
        rpm, tpm: Requests and tokens per minute of the client's rate limit; infinite without one.
        concurrency: Requests in flight, at most.
    """
    entry = known(spec.model)
    most = entry.max_request_tokens if entry is not None else None
    tokens = min(most or LEAST_TOKENS, max(1.0, tpm / min(rpm, SHARE_OF_LIMIT)))
    units = 1 if spec.method == "rerank" else constraint(*ITEMS[spec.method]).max_items or 1
    chunks = (entry.max_request_chunks if entry is not None else None) or MILLION
    return Limits(units=units, tokens=int(tokens), chunks=chunks, concurrency=concurrency)
