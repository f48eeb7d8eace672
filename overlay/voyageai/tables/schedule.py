"""The schedule of a live job: which request to send next, and what to do with each answer.

`next` returns a request as long as one may be sent, `take` handles its outcome. Both run in one
thread; the loops that send requests concurrently are in `loops`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, frozen

from ..error import ArgumentError, OverloadedError, RateLimitError, VoyageError
from ..ratelimit.tokens import TokenRatio
from ..retry import GiveUp, RetryPolicy, ServerHint, is_transient
from .kinds import UnitBatch
from .slices import Failure, PartInfo, Slice
from .throttle import Concurrency

if TYPE_CHECKING:
    from ..prices import Budget
    from ..telemetry.jobs import JobSpan
    from .cutting import Piece
    from .estimate import Most
    from .kinds import Kind
    from .units import Units

__all__ = [
    "MAX_REFUSALS",
    "REFUSED",
    "BudgetExhaustedError",
    "Limits",
    "Request",
    "RowError",
    "Schedule",
    "Totals",
    "failure_of",
]

POLICY = RetryPolicy(max_retries=12, initial_delay=1.0, max_delay=60.0, max_retry_after=600.0)
"""Retries of a request, for about half an hour before the job stops, to be resumed."""
REFUSED = (400, 413, 422)
"""Statuses of a request whose rows are at fault, or too many."""
MAX_REFUSALS = 8
"""Number of single rows refused, before any success, at which a job stops."""
SHOWN = 80
"""Characters of a row's text that are shown."""


@frozen(kw_only=True)
class Limits:
    """Limits on the size of a request, and on the requests in flight.

    Attributes:
        units: Most units of a request.
        tokens: Most tokens of a request.
        chunks: Most rows of a request.
        concurrency: Most requests in flight.
    """

    units: int
    tokens: int
    chunks: int
    concurrency: int


@define(eq=False)
class Request:
    """Units that are sent together.

    Attributes:
        slice: The slice of the units.
        units: The units, in order.
        delay: Seconds to wait before sending.
        retries: Number of earlier attempts.
        most_tokens: Most billable tokens; set when sent.
        number: Number of the request within its slice; set when sent.
        sent: Number of the request within the job; set when sent.
        bound: Reserved amount of the budget.
    """

    slice: Slice
    units: UnitBatch
    delay: float = 0.0
    retries: int = 0
    most_tokens: int = 0
    number: int = -1
    sent: int = 0
    bound: Any = 0

    @property
    def tokens(self) -> int:
        """Estimated tokens of all units."""
        return sum(self.units.tokens)


@define
class Totals:
    """The progress of a job in numbers.

    Attributes:
        rows: Number of rows with a result.
        failed: Number of rows without one.
        tokens: Billed tokens.
        unknown_tokens: Most tokens that may have been billed for lost responses.
        requests: Number of requests sent in this run.
    """

    rows: int = 0
    failed: int = 0
    tokens: int = 0
    unknown_tokens: int = 0
    requests: int = 0

    def add(self, part: PartInfo) -> None:
        """Add the rows and tokens of a part."""
        self.rows += part.rows - part.failed
        self.failed += part.failed
        self.tokens += part.tokens
        self.unknown_tokens += part.unknown_tokens


class Schedule:
    """The schedule of a live job.

    Args:
        kind: The kind of table.
        pieces: Rows of the unfinished slices.
        units: The maker of units.
        folder: The job's folder.
        limits: Limits of requests.
        most_tokens: Function that counts the most billable tokens of texts.
        finish: Function that writes the part of a finished slice.
        budget: The budget; None for no limit.
        price: US dollars per token, for the budget.
        random: Returns random numbers, at least 0 and below 1, for the backoff.
        stop_at_failure: True to end the job at the first row without a result.
        span: The span of the run.

    Attributes:
        totals: Progress of the job.
        span: The span of the run.
    """

    def __init__(
        self,
        kind: Kind,
        pieces: Iterator[Piece],
        units: Units,
        folder: Path,
        limits: Limits,
        most_tokens: Most,
        finish: Callable[[Slice], PartInfo],
        *,
        totals: Totals,
        budget: Budget | None,
        price: Any,
        random: Callable[[], float],
        stop_at_failure: bool,
        span: JobSpan,
    ) -> None:
        self._kind, self._pieces, self._units, self._folder = kind, pieces, units, folder
        self._limits, self._most_tokens, self._finish = limits, most_tokens, finish
        self._budget, self._price, self._random = budget, price, random
        self._stop_at_failure = stop_at_failure
        self.totals, self.span = totals, span
        self.ratio = TokenRatio()
        self.concurrency = Concurrency(limits.concurrency)
        self._waiting: deque[Request] = deque()
        self._filled: deque[tuple[Slice, UnitBatch]] = deque()
        self._open: dict[int, Slice] = {}
        self._in_flight = 0
        self._is_read = False
        self._refusals = 0

    def next(self) -> Request | None:
        """Return the next request to send; None if none may be sent now, or none is left.

        Raises:
            BudgetExhaustedError: Not a single unit fits the budget any more.
            ArgumentError: A row can't be read.
        """
        if self._in_flight >= self.concurrency.target:
            return None
        request = self._waiting.popleft() if self._waiting else self._pack()
        if request is None:
            return None
        if self._budget is not None:
            if not (self._in_flight or self._fits(request)):
                self._shrink(request, self._budget)
            request.bound = self._bound(request)
            if not self._budget.reserve(request.bound):
                self._waiting.appendleft(request)
                return None
        request.most_tokens = self._max_billable(request.units)
        request.number = request.slice.send(request.units.rows, request.most_tokens)
        request.sent = self.concurrency.send()
        self.totals.requests += 1
        self._in_flight += 1
        return request

    def take(self, request: Request, answer: Any, *, is_behind: bool = False) -> None:
        """Handle the outcome of a request.

        Args:
            request: The request.
            answer: The result, or the `VoyageError` that sending it raised.
            is_behind: True if more answers wait to be handled: then this process is the bottleneck,
                and more concurrent requests would only fill its memory.

        Raises:
            VoyageError: The job can't continue.
        """
        self._in_flight -= 1
        if isinstance(answer, VoyageError):
            self._settle(request, 0 if not answer.outcome_unknown else None)
            self._take_failure(request, answer)
        else:
            self._settle(request, answer.total_tokens)
            shape, data = self._kind.read(answer, request.units)
            request.slice.answer(request.number, shape, data, answer.total_tokens)
            self.totals.rows += len(request.units.rows)
            self.totals.tokens += answer.total_tokens
            self.span.add(rows=len(request.units.rows), tokens=answer.total_tokens)
            self.ratio.learn(request.tokens, answer.total_tokens)
            if not is_behind:
                self.concurrency.accepted()
        self._end(request.slice)

    def drop(self, request: Request) -> None:
        """Take back a request that was not sent after all."""
        self._in_flight -= 1
        self._settle(request, 0)
        request.slice.release(request.number)

    def close(self) -> None:
        """Close all unfinished slices, which another run can continue."""
        for found in self._open.values():
            found.close()
        self._open.clear()

    def _max_billable(self, units: UnitBatch) -> int:
        """Return the most billable tokens of units."""
        if self._budget is not None:
            return sum(units.most_tokens)
        return self._most_tokens(units.values)

    def _bound(self, request: Request) -> Any:
        """Return the highest cost of a request, in US dollars."""
        return self._price * sum(request.units.most_tokens)

    def _fits(self, request: Request) -> bool:
        return self._budget is None or self._budget.fits(self._bound(request))

    def _shrink(self, request: Request, budget: Budget) -> None:
        """Reduce a request to the units that fit the budget; put the others back into the queue.

        Raises:
            BudgetExhaustedError: Not a single unit fits.
        """
        tokens = count = 0
        for limit in request.units.most_tokens:
            tokens += limit
            if not budget.fits(self._price * tokens):
                break
            count += 1
        if not count:
            self._waiting.appendleft(request)
            raise BudgetExhaustedError
        self._waiting.appendleft(Request(request.slice, request.units[count:]))
        request.units = request.units[:count]

    def _settle(self, request: Request, tokens: int | None) -> None:
        if self._budget is not None:
            spent = request.bound if tokens is None else self._price * tokens
            self._budget.settle(request.bound, spent)

    def _take_failure(self, request: Request, failure: VoyageError) -> None:
        unknown = failure.outcome_unknown
        request.slice.release(request.number, billed=None if unknown else False)
        if unknown:
            self.totals.unknown_tokens += request.most_tokens
        status = failure.http_status
        if status in REFUSED or isinstance(failure, ArgumentError):
            self._split(request, failure)
            return
        if isinstance(failure, (RateLimitError, OverloadedError)):
            self.concurrency.refused(request.sent)
            self.span.add(refusals=1)
        hint = ServerHint(failure.retry_after, None)
        decision = POLICY.decide(request.retries, status, hint, random=self._random(), left=None)
        if isinstance(decision, GiveUp) or not is_transient(failure):
            raise failure
        request.delay, request.retries = decision.seconds, request.retries + 1
        self._waiting.append(request)

    def _split(self, request: Request, failure: VoyageError) -> None:
        """Queue the halves of a refused request, down to the single unit at fault."""
        units = request.units
        if len(units) > 1:
            middle = len(units) // 2
            for half in (units[:middle], units[middle:]):
                self._waiting.append(Request(request.slice, half))
            return
        self._refusals += 1
        if not self.totals.rows and self._refusals >= MAX_REFUSALS:
            failure.add_note(
                f"{self._refusals} rows were refused, and none was answered; the job stops"
            )
            raise failure
        message = failure.user_message or str(failure)
        for row, id_, text in units.labels():
            self.fail(request.slice, row, id_, text, "refused", message, failure.http_status)

    def fail(
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
        found.fail(failure)
        self.totals.failed += 1
        self.span.add(failed=1)
        if self._stop_at_failure:
            raise RowError(failure)

    def _pack(self) -> Request | None:
        """Fill a request with the next units of one slice."""
        limits, ratio = self._limits, self.ratio.bound
        packed: list[UnitBatch] = []
        units = rows = tokens = 0
        found: Slice | None = None
        while self._filled or self._read():
            owner, batch = self._filled[0]
            if owner is not (found or owner):
                break
            found = owner
            room = min(
                limits.units - units,
                _room(batch.row_counts, limits.chunks - rows),
                _room(batch.tokens, limits.tokens / ratio - tokens),
            )
            if not units:
                room = max(1, room)  # the server decides about a single unit that is too large
            packed.append(batch[:room])
            units, rows = units + room, rows + sum(packed[-1].row_counts)
            tokens += sum(packed[-1].tokens)
            if room < len(batch):
                self._filled[0] = owner, batch[room:]
                break
            self._filled.popleft()
        return None if found is None else Request(found, UnitBatch.joined(packed))

    def _read(self) -> bool:
        """Read rows until there is a unit; return whether there is one."""
        while not self._filled and not self._is_read:
            piece = next(self._pieces, None)
            if piece is None:
                self._is_read = True
                for found in list(self._open.values()):
                    self._end(found)
                break
            found = self._slice(piece)
            before = found.done
            for unit in self._units.of(piece, found, self.fail):
                self._filled.append((found, unit))
            self.totals.rows += found.done - before  # results of an earlier run
            if piece.batch is None:
                found.is_read, found.is_last, found.digest = True, piece.last, piece.digest
                self._end(found)
        return bool(self._filled)

    def _slice(self, piece: Piece) -> Slice:
        found = self._open.get(piece.slice)
        if found is None:
            found = Slice(self._folder, piece.slice, piece.input, piece.first)
            self._open[piece.slice] = found
            self.span.begin(piece.slice, input=piece.input)
        return found

    def _end(self, found: Slice) -> None:
        if found.is_done and found.number in self._open:
            part = self._finish(found)
            del self._open[found.number]
            rows = part.rows - part.failed
            self.span.end(found.number, rows=rows, failed_rows=part.failed, tokens=part.tokens)


def _room(sizes: list[int], limit: float) -> int:
    """Return how many of the first items fit into a limit, given their sizes."""
    return bisect_right(list(accumulate(sizes)), limit)


def failure_of(
    found: Slice, row: int, id: Any, text: str, code: str, message: str, status: int | None = None
) -> Failure:
    """Return the failure of a row of a slice."""
    return Failure(
        id=id,
        row=row,
        slice=found.number,
        code=code,
        status=status,
        message=message,
        text=text[:SHOWN].encode("utf-8", "replace").decode(),
    )


class BudgetExhaustedError(Exception):
    """Nothing more may be sent within the budget."""


class RowError(VoyageError):
    """A row has no result, and `on_error="raise"` ends the job there.

    Attributes:
        failure: The row and the reason.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"row {failure.id!r}: {failure.code}: {failure.message}")
        self.failure = failure

    def __reduce__(self) -> tuple[type[RowError], tuple[Failure]]:
        return RowError, (self.failure,)
