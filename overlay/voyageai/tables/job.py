"""Table jobs: any number of rows, sent live or as batches, written as Parquet, resumable."""

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
from ..argument_checks import catalogue_entry, constraint
from ..batches.jobs.progress import Progress, show_progress
from ..batches.jobs.running import carry_out, carry_out_async
from ..error import ArgumentError
from ..extras import require
from ..flow import in_thread
from ..html import card
from ..prices import Budget, MaxCostError, cost, dollars
from ..telemetry.jobs import JobSpan
from ..tokenization import at_hand, counts
from .batch import BatchWork
from .directory import JOB_FOLDER
from .estimate import TableEstimate, most_tokens
from .loops import run, run_async
from .schedule import BudgetExhaustedError, Limits, Schedule, Totals
from .slices import Failure, read_failures

if TYPE_CHECKING:
    from ..flow import AsyncSender, Sender
    from .preparing import Prepared, Spec

__all__ = ["AsyncTableJob", "TableJob", "TableResult"]

CONCURRENCY = 64
"""Default for most requests in flight. Chosen: more than the highest published limit can use."""
MILLION = 1_000_000
MIN_REQUEST_TOKENS = min(model.max_request_tokens or MILLION for model in MODELS.values())
"""Tokens of a request that any model of the catalogue takes; the limit of unknown models."""
ITEMS = {
    "embed": ("EmbeddingsRequest", "input"),
    "contextualized_embed": ("ContextualizedEmbeddingsRequest", "inputs"),
}
"""Schema and field of the contract that limit the units of a request."""
SHARE_OF_LIMIT = 100
"""A request has at most this fraction (1/100) of the tokens per minute, or more if fewer requests
per minute are allowed: what the last request of a minute leaves unused is lost."""
REPORT_INTERVAL = 1.0
"""Seconds between two reports of progress."""
MINUTE = 60.0
SPEED_AFTER = 10.0
"""Seconds from which a measured speed is meaningful."""
S = TypeVar("S", bound="Sender | AsyncSender")


@frozen(kw_only=True)
class TableResult:
    """The result of a table job.

    Attributes:
        path: Directory of the table.
        rows: Number of rows with a result.
        failed: Number of rows without one.
        tokens: Billed tokens, as reported by the responses.
        cost: Cost of these tokens in US dollars; None if the model's price is not known.
        unknown_tokens: Most tokens that may have been billed in addition, for requests whose
            response was lost, at one token per byte; `max_cost` counts them.

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
        """The JSON Lines file of the rows without a result; it exists only if there are any."""
        return self.path / JOB_FOLDER / "failures.jsonl"

    def failures(self) -> Iterator[Failure]:
        """Yield the rows without a result, in order."""
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
    """The common part of `TableJob` and `AsyncTableJob`: everything but sending.

    Attributes:
        id: Id of the job.
        path: Directory of the table.
        estimate: Size and cost of the job.
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

    def _span_of(self, action: str) -> JobSpan:
        """Return the span of a run; a run within `retry_failed` shares the latter's."""
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
        """Return the remaining work."""
        span = self._span_of("run")
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
                count_from=limits.tokens
                / limits.units
                / 2,  # only where tokens, not units, fill a request
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
        """Return requests and tokens per minute of the rate limit; infinite without one."""
        limiter = self._sender.options({}).limiter
        return (inf, inf) if limiter is None else limiter.limits(self.estimate.model)

    def _count(self, texts: Sequence[str]) -> list[int] | None:
        """Count the tokens of each text; None if the tokenizer is not at hand without a request."""
        tokenizer = at_hand(self.estimate.model, self._sender.tokenizers)
        return None if tokenizer is None else counts(tokenizer, texts)

    def _result(self) -> TableResult:
        """Sum up the finished slices, and write the file of failures."""
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
        """True if there are batches whose results are not in the table yet."""
        return self._prepared.spec.via == "batch" and self._directory.batch.exists()

    def _reporter(
        self, totals: Totals, notify: Callable[[Progress], object]
    ) -> Callable[[], object]:
        """Return a function that reports progress, at most once a second."""
        span = self._span_of("run")
        clock, last = self._sender.environment.clock, -inf
        start, tpm = clock(), self._limits()[1]
        recent: deque[tuple[float, int, int]] = deque()  # time, rows, tokens of the last minute

        def report() -> object:
            nonlocal last
            now = clock()
            if now - last < REPORT_INTERVAL:
                return None
            last = now
            done = totals.rows + totals.failed
            recent.append((now, done, totals.tokens))
            while now - recent[0][0] > MINUTE:
                recent.popleft()
            before, rows, tokens = recent[0]
            detail = self._spent(totals)
            if (seconds := now - before) >= SPEED_AFTER:
                if tpm < inf:
                    share = (totals.tokens - tokens) / seconds * MINUTE / tpm
                    detail += f", {share:.0%} of the limit"
                    span.share(share)
                if self.estimate.rows is not None and done > rows:
                    left = (self.estimate.rows - done) * seconds / (done - rows)
                    detail += f", {_duration(left)} left"
            return notify(
                Progress(
                    stage="running",
                    message=self._title,
                    done=done,
                    total=self.estimate.rows,
                    unit="rows",
                    detail=detail,
                    minutes=int((now - start) // MINUTE),
                )
            )

        return report

    def _done_progress(self, totals: Totals) -> Progress:
        return Progress(
            stage="done",
            message=f"{self._title}, {self._spent(totals)}",
            done=totals.rows + totals.failed,
            total=self.estimate.rows,
            unit="rows",
        )

    @property
    def _title(self) -> str:
        return f"{self.path.name}: {self.estimate.model}"

    def _spent(self, totals: Totals) -> str:
        spent = cost(self.estimate.price, totals.tokens)
        text = f"{totals.tokens:,} tokens" + ("" if spent is None else f", {dollars(spent)}")
        return text + (f", {totals.failed:,} failed" if totals.failed else "")

    def _add_note(self, failure: BaseException, max_cost: float | None) -> None:
        limit = "" if max_cost is None else "max_cost=..."
        failure.add_note(
            f"Nothing that was done is lost: the table is in {self.path}; prepare the same job "
            f"again, and run({limit}) continues it"
        )

    def _max_cost_error(
        self, stop: BudgetExhaustedError | MaxCostError, totals: Totals, max_cost: float | None
    ) -> MaxCostError:
        """Return the error of a job that reached `max_cost`, in the terms of a table job."""
        spent = cost(self.estimate.price, totals.tokens) or 0.0
        lost = cost(self.estimate.price, totals.unknown_tokens) or 0.0
        total = "" if self.estimate.rows is None else f" of {self.estimate.rows:,}"
        done = (
            f"of which {dollars(spent)} was billed and up to {dollars(lost)} may have been billed "
            f"for lost responses; {totals.rows + totals.failed:,}{total} rows are done"
        )
        if isinstance(stop, MaxCostError):
            spent = stop.spent
            done = (
                f"of which {dollars(spent)} was billed; the batches that were not sent would cost "
                f"about {dollars(stop.likely_cost or 0.0)}, and at most "
                f"{dollars(stop.highest_cost or 0.0)}"
            )
        stopped = MaxCostError(
            f"max_cost is {dollars(max_cost or 0.0)}, {done}. Continue with a higher max_cost, "
            "which is for the whole job",
            "max_cost",
        )
        stopped.spent = spent
        if isinstance(stop, MaxCostError):
            stopped.rows_left = stop.rows_left
            stopped.likely_cost, stopped.highest_cost = stop.likely_cost, stop.highest_cost
        return stopped

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.estimate}, {self.path})"

    @safe_repr
    def _repr_html_(self) -> str:
        return card(type(self).__name__, {"path": self.path}, self.estimate._repr_html_())  # pyright: ignore[reportPrivateUsage]  # of notebooks


class TableJob(_TableJob["Sender"]):
    """A table that is estimated first, then run; a further run continues an interrupted one.

    Attributes:
        id: Id of the job.
        path: Directory of the table.
        estimate: Size and cost of the job.

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
        """Run the job, or what is left of it, and write the table.

        A run can be interrupted at any moment and repeated, in this process or another: requests
        that were answered are not sent again, and no batch is submitted twice.

        Args:
            max_cost: The most that the job may cost in US dollars, over all its runs. A request or
                a batch is sent only if the billed cost, its own highest cost and that of those in
                flight stay within it.

        Returns:
            The numbers of rows and failures, and the cost.

        Raises:
            ArgumentError: `max_cost` is no number from 0, or the source has changed.
            MaxCostError: The job would cost more; its results are kept.
            JobInUseError: Another process is working on the job.
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
        span = self._span_of("run")
        span.load()
        with span, self._directory.lock(), show_progress(self._progress) as notify:
            work = self._work(max_cost)
            try:
                if isinstance(work, BatchWork):
                    carry_out(self._sender, work.steps(), notify)
                else:
                    report = self._reporter(work.totals, notify)
                    run(work, self._prepared.spec.kind, self._sender, report, self._concurrency)
            except (BudgetExhaustedError, MaxCostError) as stop:
                raise self._max_cost_error(stop, work.totals, max_cost) from None
            except BaseException as failure:
                self._add_note(failure, max_cost)
                raise
            notify(self._done_progress(work.totals))
            return self._result()

    def retry_failed(self, max_cost: float | None = None) -> TableResult:
        """Send the failed rows again, and add those that succeed to the table.

        Args:
            max_cost: As in `run`: for the whole job, including what it has cost so far.

        Returns:
            The numbers of the whole table.

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
        span = self._span_of("retry_failed")
        span.load()
        with span:
            if self._is_pending:  # the batches may have failed rows, too
                self.run(max_cost)
            with self._directory.lock():
                self._prepared.reopen()
            return self.run(max_cost)


class AsyncTableJob(_TableJob["AsyncSender"]):
    """The asynchronous counterpart of `TableJob`: a table that is estimated first, then run.

    Attributes:
        id: Id of the job.
        path: Directory of the table.
        estimate: Size and cost of the job.

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
        """Run the job, or what is left of it, and write the table.

        A run can be interrupted at any moment and repeated, in this process or another: requests
        that were answered are not sent again, and no batch is submitted twice.

        Args:
            max_cost: The most that the job may cost in US dollars, over all its runs. A request or
                a batch is sent only if the billed cost, its own highest cost and that of those in
                flight stay within it.

        Returns:
            The numbers of rows and failures, and the cost.

        Raises:
            ArgumentError: `max_cost` is no number from 0, or the source has changed.
            MaxCostError: The job would cost more; its results are kept.
            JobInUseError: Another process is working on the job.
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
        span = self._span_of("run")
        if span.is_on:
            await in_thread(span.load)
        with span, show_progress(self._progress) as notify:
            lock = await in_thread(self._directory.enter_lock)
            try:
                work = await in_thread(self._work, max_cost)
                try:
                    if isinstance(work, BatchWork):
                        await carry_out_async(self._sender, work.steps(), notify)
                    else:
                        report = self._reporter(work.totals, notify)
                        await run_async(work, self._prepared.spec.kind, self._sender, report)
                except (BudgetExhaustedError, MaxCostError) as stop:
                    raise self._max_cost_error(stop, work.totals, max_cost) from None
                except BaseException as failure:
                    self._add_note(failure, max_cost)
                    raise
                notify(self._done_progress(work.totals))
                return await in_thread(self._result)
            finally:
                lock.close()

    async def retry_failed(self, max_cost: float | None = None) -> TableResult:
        """Send the failed rows again, and add those that succeed to the table.

        Args:
            max_cost: As in `run`: for the whole job, including what it has cost so far.

        Returns:
            The numbers of the whole table.

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
        span = self._span_of("retry_failed")
        if span.is_on:
            await in_thread(span.load)
        with span:
            if await in_thread(lambda: self._is_pending):  # the batches may have failed rows, too
                await self.run(max_cost)
            lock = await in_thread(self._directory.enter_lock)
            try:
                await in_thread(self._prepared.reopen)
            finally:
                lock.close()
            return await self.run(max_cost)


def _duration(seconds: float) -> str:
    """Format a duration, such as `2 h 5 min`."""
    minutes = round(seconds / MINUTE)
    hours = f"{minutes // 60} h " if minutes >= 60 else ""
    return f"{hours}{minutes % 60} min" if minutes else f"{seconds:.0f} s"


def _is_money(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return isfinite(value) and float(value) >= 0


def request_limits(spec: Spec, rpm: float, tpm: float, concurrency: int) -> Limits:
    """Return the limits of a job's requests.

    Args:
        spec: The specification of the job.
        rpm, tpm: Requests and tokens per minute of the client's rate limit; infinite without one.
        concurrency: Most requests in flight.
    """
    entry = catalogue_entry(spec.model)
    most = entry.max_request_tokens if entry is not None else None
    tokens = min(most or MIN_REQUEST_TOKENS, max(1.0, tpm / min(rpm, SHARE_OF_LIMIT)))
    units = 1 if spec.method == "rerank" else constraint(*ITEMS[spec.method]).max_items or 1
    chunks = (entry.max_request_chunks if entry is not None else None) or MILLION
    return Limits(units=units, tokens=int(tokens), chunks=chunks, concurrency=concurrency)
