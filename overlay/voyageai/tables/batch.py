"""A table job through the Batch API: its rows become a job of batches, whose results become slices.

The rows are read twice: to write them into batches, and, once the results are there, slice by slice
to join them. A plan beside the batches holds the first unit of each slice. Results are not recorded
in a slice before it is finished, so that a resumed run finds the same units again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, Any

from voyageai_rest.errors import ShapeError

from .. import tokenization
from ..batches.jobs.batch_files import JobWriter
from ..batches.jobs.directory import JobDirectory, changed
from ..batches.jobs.options import JobTimings
from ..batches.jobs.progress import Progress
from ..batches.jobs.result_join import Failure as BatchFailure
from ..batches.jobs.result_join import ResultJoin
from ..batches.jobs.running import JobRun, add_failed
from ..batches.jobs.state import JobState
from ..batches.jobs.tasks import TASKS
from ..batches.polling import Polling
from ..disk import open_regular, sync_folder
from ..error import ArgumentError, InvalidRequestError
from ..flow import Notify
from ..prompts import guard
from .estimate import most_tokens
from .kinds import UnitBatch
from .schedule import MAX_REFUSALS, REFUSED, RowError, Totals, failure_of
from .slices import Slice

if TYPE_CHECKING:
    from ..batches.jobs.result_join import FailedLine
    from ..batches.jobs.sending import JobFlow
    from ..batches.jobs.tasks import Count, Task
    from ..flow import AsyncSender, Sender
    from ..telemetry.jobs import JobSpan
    from .cutting import Piece
    from .preparing import Prepared, Spec
    from .units import Fail

__all__ = ["BatchWork", "batch_task"]

AT_ONCE = 1000
"""Units that are written at a time."""
LOST = ("malformed_answer", "no_answer", "file_gone")
"""Codes of lines that may have been billed although there is no result."""
MILLION = 1_000_000


def batch_task(spec: Spec) -> Task[Any, Any]:
    """Return the task of the batches of a table job.

    Raises:
        ArgumentError: Batches do not accept the model or an argument.
    """
    given = {"model": spec.model, **spec.params}
    if spec.method != "rerank":
        given["encoding_format"] = "base64"
    try:
        task = TASKS[spec.method](given)
    except ShapeError as failure:
        raise ArgumentError(
            f"batches do not accept these arguments: {failure}; use via='live'", "via"
        ) from None
    task.check_model()
    return task


class BatchWork:
    """Runs a table job, or what is left of it, through the Batch API.

    Args:
        prepared: The prepared job.
        sender: The client's sender, for its clocks and tokenizers.
        options: The user's `poll` and `timings`.
        totals: Progress of the job, updated during the run.
        max_cost: US dollars that the job may cost in total; None for no limit.
        span: The span of the run.

    Attributes:
        totals: Progress of the job.
    """

    def __init__(
        self,
        prepared: Prepared,
        sender: Sender | AsyncSender,
        options: Mapping[str, Any],
        totals: Totals,
        max_cost: float | None,
        span: JobSpan,
    ) -> None:
        self._prepared, self._sender, self._max_cost = prepared, sender, max_cost
        self._span = span
        self._polling = Polling.of(options.get("poll"))
        self._timings: JobTimings = options.get("timings") or JobTimings()
        self._environment = sender.environment
        self._spec, self._table = prepared.spec, prepared.directory
        self._kind, self._task = prepared.spec.kind, batch_task(prepared.spec)
        self._batches = JobDirectory(self._table.batch)
        self.totals = totals

    def steps(self) -> JobFlow[None]:
        """Run the job, or what is left of it.

        Raises:
            MaxCostError: The rest could cost more than `max_cost`.
            RowError: A row failed, and `on_error` is `raise`.
            VoyageError: The job can't continue; its progress is kept.
        """
        has_units = self._batches.manifest.exists() or (yield from self._write())
        join: ResultJoin | None = None
        refusal: InvalidRequestError | None = None
        if has_units:
            with self._batches.lock():
                join = yield from self._run()
                refusal = self._hopeless(join)
        if refusal is None:
            yield from self._finish_slices(join)
        self._remove()
        if refusal is not None:
            raise refusal

    def _write(self) -> JobFlow[bool]:
        """Write the rows of all unfinished slices into batches; return whether there are any."""
        firsts: dict[int, int] = {}
        done = 0
        writer = JobWriter.open(self._batches, self._task, None, None, self._environment)
        try:
            for found, units in self._slices(self._check):
                firsts[found.number] = writer.rows
                while some := list(islice(self._sendable(found, units, self._check), AT_ONCE)):
                    values = [self._value(unit) for unit in some]
                    if not writer.rows:
                        guard(self._task.prompted(values), self._task.role, self._spec.model)
                    writer.add(values)
                    yield Notify(self._progress("preparing", writer.rows))
                writer.end_line()
                done += found.done
            spent = self.totals.tokens + self.totals.unknown_tokens
            self._write_plan({"first": firsts, "spent": spent, "done": done})
            if writer.rows:
                writer.finish()
            return bool(writer.rows)
        finally:
            writer.close()

    def _run(self) -> JobFlow[ResultJoin]:
        """Run the batches, and further ones for rows that are sent again."""
        state = JobState(self._batches, self._environment.now)
        # If an earlier run ended with an error at a failed row, that row is tried again.
        wanted = _any if state.is_over and self._stops_at_failure else _is_to_be_parted
        while True:
            yield from self._job_run(state).steps()
            join = ResultJoin(self._batches, state)
            if self._hopeless(join) is not None:
                return join
            rows = add_failed(self._batches, state, join, self._environment.batch_limits, wanted)
            if not rows:
                return join
            wanted = _is_to_be_parted
            message = f"{rows:,} {self._task.noun} are sent again, separately from those at fault"
            yield Notify(Progress(stage="retrying", message=message, done=rows))

    def _job_run(self, state: JobState) -> JobRun:
        price = Fraction(self._prepared.estimate.price or 0) / MILLION
        return JobRun(
            *(self._batches, state, self._polling, self._timings, self._environment),
            span=self._span,
            max_cost=self._max_cost,
            get_count=self._get_count,
            spent=float(price * self._read_plan()["spent"]),
        )

    def _get_count(self) -> Count | None:
        """Return a function that counts tokens, if the tokenizer is available without a request."""
        tokenizer = tokenization.at_hand(self._spec.model, self._sender.tokenizers)
        return None if tokenizer is None else partial(tokenization.count, tokenizer)

    def _hopeless(self, join: ResultJoin) -> InvalidRequestError | None:
        """Return an error if all requests were refused: the arguments are at fault then."""
        if self.totals.rows or self._read_plan()["done"] or join.has_results:
            return None
        count, last = 0, None
        for line in join.failed_lines():
            if line.reason.status not in REFUSED:
                return None
            count, last = count + 1, line
        if last is None or count < MAX_REFUSALS:
            return None
        refusal = InvalidRequestError(last.reason.message, http_status=last.reason.status)
        refusal.add_note(f"{count} requests were refused, and none was answered; the job stops")
        return refusal

    def _finish_slices(self, join: ResultJoin | None) -> JobFlow[None]:
        """Write the parts of all unfinished slices."""
        firsts: dict[str, int] = self._read_plan()["first"]
        for found, units in self._slices(self._fail):
            tokens, unknown = found.tokens, found.unknown_tokens
            self._join(found, units, join, firsts[str(found.number)])
            part = self._prepared.finish(found)
            self.totals.add(part)
            self.totals.tokens -= tokens  # already counted
            self._span.add(
                rows=part.rows - part.failed, failed=part.failed, tokens=part.tokens - tokens
            )
            self.totals.unknown_tokens -= unknown
            done = self.totals.rows + self.totals.failed
            yield Notify(self._progress("running", done, self._prepared.estimate.rows))

    def _join(
        self, found: Slice, units: Iterator[UnitBatch], join: ResultJoin | None, first: int
    ) -> None:
        """Join the units of a slice with their results.

        Args:
            found: The slice.
            units: The units of the slice.
            join: The results; None if there are no units.
            first: Number of the slice's first unit within the batches.
        """
        answers = iter(()) if join is None else join.results(first)
        most = most_tokens(self._spec.method, self._spec.model, self._spec.params)
        sendable = self._sendable(found, units, self._fail)
        for unit in sendable:
            answer = next(answers, None)
            if answer is None:
                raise changed(self._table.batch_plan)
            if isinstance(answer, BatchFailure):
                if answer.code in LOST:
                    found.unknown_tokens += most(unit.values)
                for row, id_, text in unit.labels():
                    self._fail(found, row, id_, text, answer.code, answer.message, answer.status)
                continue
            line = UnitBatch.joined([unit, *islice(sendable, answer.rows - 1)])
            if len(line) != answer.rows:
                raise changed(self._table.batch_plan)
            shape, data = self._kind.read(answer.result, line)
            found.keep(line.rows, shape, data, answer.result.total_tokens)

    def _slices(self, fail: Fail) -> Iterator[tuple[Slice, Iterator[UnitBatch]]]:
        """Yield the unfinished slices, each with its units.

        Args:
            fail: Called for rows that can't be sent.
        """
        for number, pieces in groupby(self._prepared.pieces(), lambda piece: piece.slice):
            first = next(pieces)
            found = Slice(self._table.own, number, first.input, first.first)
            try:
                yield found, self._units_of(found, first, pieces, fail)  # noqa: B031  # once
            finally:
                found.close()

    def _units_of(
        self, found: Slice, first: Piece, others: Iterator[Piece], fail: Fail
    ) -> Iterator[UnitBatch]:
        units = self._prepared.units()
        for piece in chain([first], others):
            for batch in units.of(piece, found, fail):
                yield from batch.each()
            if piece.batch is None:
                found.is_read, found.is_last, found.digest = True, piece.last, piece.digest

    def _sendable(
        self, found: Slice, units: Iterator[UnitBatch], fail: Fail
    ) -> Iterator[UnitBatch]:
        """Yield the units that a request can take; fail the others."""
        for unit in units:
            try:
                self._task.item(self._value(unit), 0)
            except ArgumentError:
                reason = self._live_reason(unit)
                for row, id_, text in unit.labels():
                    fail(found, row, id_, text, "refused", reason)
            else:
                yield unit

    def _live_reason(self, unit: UnitBatch) -> str:
        """Return the reason why a unit can't be sent, in the words of a live job."""
        try:
            self._kind.call(unit)
        except ArgumentError as failure:
            return str(failure)
        return "it does not fit into a request of a batch"

    def _value(self, unit: UnitBatch) -> Any:
        """Return a unit as a row of a batch job."""
        return _VALUES[self._spec.method](unit)

    def _check(self, found: Slice, row: int, id: Any, text: str, code: str, message: str) -> None:
        """Raise for a row that can't be sent if `on_error` is `raise`; otherwise it fails later."""
        if self._stops_at_failure:
            raise RowError(failure_of(found, row, id, text, code, message))

    def _fail(
        self,
        found: Slice,
        row: int,
        id: Any,
        text: str,
        code: str,
        message: str,
        status: int | None = None,
    ) -> None:
        """Record that a row has no result."""
        failure = failure_of(found, row, id, text, code, message, status)
        if self._stops_at_failure:
            raise RowError(failure)
        found.fail(failure)

    @property
    def _stops_at_failure(self) -> bool:
        return self._spec.on_error == "raise"

    def _progress(self, stage: Any, done: int, total: int | None = None) -> Progress:
        message = f"{self._table.folder.name}: {self._spec.model}"
        return Progress(stage=stage, message=message, done=done, total=total, unit="rows")

    def _read_plan(self) -> dict[str, Any]:
        with open_regular(self._table.batch_plan) as file:
            found: dict[str, Any] = json.load(file)
        return found

    def _write_plan(self, plan: dict[str, Any]) -> None:
        fresh = self._table.batch_plan.with_name(f"{self._table.batch_plan.name}.part")
        with open_regular(fresh, "wb") as file:
            file.write(json.dumps(plan).encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._table.batch_plan)
        sync_folder(self._table.own)

    def _remove(self) -> None:
        """Remove the batches, whose results are in the table."""
        gone = self._table.batch.with_name(f".{self._table.batch.name}")
        if gone.exists():
            shutil.rmtree(gone)
        if self._table.batch.exists():
            self._table.batch.rename(
                gone
            )  # renamed first, as a half-removed folder would look like a job
            shutil.rmtree(gone)
        self._table.batch_plan.unlink(missing_ok=True)


_VALUES: dict[str, Callable[[UnitBatch], Any]] = {
    "embed": lambda unit: unit.values[0][0],
    "contextualized_embed": lambda unit: unit.values[0],
    "rerank": lambda unit: (unit.values[0][0], unit.values[1]),
}
"""Functions that convert a unit into a row of a batch job, by method."""


def _any(_: FailedLine) -> bool:
    return True


def _is_to_be_parted(line: FailedLine) -> bool:
    """Return whether rows failed because of others in the same line or batch."""
    reason = line.reason
    if reason.others_at_fault:
        return True
    return len(line.items) > 1 and (reason.failed_batch or reason.status in REFUSED)
