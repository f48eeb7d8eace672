"""The ceiling on a job's cost: the batches that may be sent under `max_cost`, and their billing."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING

from voyageai_rest.errors import ShapeError
from voyageai_rest.models.batch_output_line import BatchOutputLine

from ...prices import MILLION, Budget, MaxCostError, dollars
from .batch_files import BatchReader, BatchWriter, Line
from .estimate import batch_price, billable_count
from .lines import Bin, LineName, loads
from .tasks import no_tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ...flow import BatchLimits
    from .directory import JobDirectory
    from .state import BatchState, JobState
    from .tasks import Count

__all__ = ["CostCeiling"]

OK = 200
IMPLAUSIBLE = 16
"""Factor by which reported tokens may exceed the upper bound of a batch before they are ignored."""
MIN_SHARE = 1 / 10
"""Share of the ceiling that must be left to send a part of a batch although the rest is unlikely to
fit: each part may take half a day. Chosen."""


class CostCeiling:
    """Keeps the cost of a job below `max_cost`, however many tokens its texts turn out to have.

    A batch is sent only if the billed cost, the highest cost of the batches in flight and its own
    highest cost together are within the ceiling. All of these are read from the job's directory, so
    that a resumed job continues with the same sums.

    A line whose response reports tokens was billed for these. A line that failed, or was not run,
    was not billed. A line whose response is lost or unreadable counts with its highest cost.

    Args:
        directory: The job's directory.
        state: The job's state, in which batches whose response was lost have been found.
        limits: The limits of batches.
        max_cost: US dollars that the job may cost in total.
        get_count: Returns a function that counts tokens with the model's tokenizer, or None if that
            is not at hand; called only if the job could cost too much without it.
        spent: US dollars of `max_cost` that were spent before the job.
    """

    def __init__(
        self,
        directory: JobDirectory,
        state: JobState,
        limits: BatchLimits,
        max_cost: float,
        get_count: Callable[[], Count | None],
        spent: float = 0.0,
    ) -> None:
        self._directory, self._state, self._get_count = directory, state, get_count
        self._limits = limits
        self._task = state.manifest.task
        self._reader = BatchReader(directory, state.manifest)
        price = batch_price(self._task.params.model)
        if price is None:  # ruled out by the caller
            raise ValueError("the price is not known")
        self._price = Fraction(price) / MILLION
        self._budget = Budget(max_cost)
        self._budget.settle(0, spent)
        self._in_flight: dict[int, Fraction] = {}
        """Reserved amounts, by the number of the batch."""
        self._counted: dict[int, list[int]] = {}
        """Most billable tokens of each line, where counted, by the number of the batch."""
        self._has_hinted = False
        self._tokens = self._billed = 0
        """Estimated and billed tokens of all finished batches."""
        for batch in state.batches.values():
            if batch.is_over:
                self._count_billed(batch, Fraction())
        ahead = [batch for batch in state.batches.values() if not batch.is_over]
        self._is_tight = not self._budget.fits(
            self._price * sum(batch.plan.most_tokens for batch in ahead)
        )
        for batch in ahead:
            if batch.batch_id is not None:
                self._in_flight[batch.plan.number] = bound = self._bound(batch)
                self._budget.hold(bound)

    def reserve(self, batch: BatchState) -> bool:
        """Reserve the highest cost of a batch if it fits, and return whether it may be sent."""
        number = batch.plan.number
        if number in self._in_flight:
            return True
        bound = self._bound(batch)
        if not self._budget.reserve(bound):
            return False
        self._in_flight[number] = bound
        return True

    def settle(self, batch: BatchState) -> bool:
        """Count the billed cost of a batch that has just ended, and return whether it has."""
        if not batch.is_over or batch.plan.number not in self._in_flight:
            return False
        self._count_billed(batch, self._in_flight.pop(batch.plan.number))
        return True

    def make_room(self) -> str | None:
        """Split a batch if nothing is in flight and no whole batch may be sent.

        The lines that may be sent become a batch of their own.

        Returns:
            A message for the user, if a batch was split.

        Raises:
            MaxCostError: No line may be sent, or only few and the others are unlikely to fit.
        """
        if self._in_flight:
            return None  # their responses will free a part of the budget
        unsent = [batch for batch in self._state.batches.values() if batch.batch_id is None]
        if any(self._budget.fits(self._bound(batch)) for batch in unsent):
            return None  # a part of the budget was freed since the last attempt
        budget, likely = self._budget, self._likely(unsent)
        if likely <= budget.left or budget.left >= MIN_SHARE * budget.limit:
            for batch in unsent:
                if self._split(batch):
                    hint, self._has_hinted = "" if self._has_hinted else self._hint, True
                    return (
                        f"batch {batch.plan.number} could cost "
                        f"{dollars(float(self._bound(batch)))}, and {dollars(budget.left)} of "
                        f"max_cost={dollars(budget.limit)} is left: it is sent in parts, one after "
                        "the other; all that is left is likely to cost "
                        f"{dollars(float(likely))}.{hint}"
                    )
        raise self._max_cost_error(unsent)

    def __str__(self) -> str:
        budget = self._budget
        return (
            f"{dollars(budget.spent)} of at most {dollars(budget.limit)} was billed; batches in "
            f"flight can cost up to {dollars(budget.reserved)} more"
        )

    @cached_property
    def _tokenizer(self) -> Count | None:
        return self._get_count()

    @property
    def _count(self) -> Count | None:
        return self._tokenizer if self._is_tight else None

    @cached_property
    def _billable(self) -> Count:
        return billable_count(self._task, self._count)

    def _bound(self, batch: BatchState) -> Fraction:
        """Return the highest cost of a batch, in US dollars."""
        tokens = batch.plan.most_tokens
        if self._count is not None:
            tokens = min(tokens, sum(self._lines_of(batch)))
        return self._price * tokens

    def _lines_of(self, batch: BatchState) -> list[int]:
        """Return the most billable tokens of each line of a batch."""
        number = batch.plan.number
        if number not in self._counted:
            with self._reader.open(batch.plan) as file:
                lines = self._reader.lines(batch.plan, file)
                self._counted[number] = [self._max_billable(line) for line in lines]
        return self._counted[number]

    def _max_billable(self, line: Line) -> int:
        return sum(self._task.max_billable(item, self._billable) for item in line.items)

    def _split(self, batch: BatchState) -> bool:
        """Split a batch into the lines that fit the budget and the others.

        Return False, and change nothing, if no line fits.
        """
        max_tokens, taken = self._lines_of(batch), 0
        share = batch.plan.tokens / sum(max_tokens)
        is_first: list[bool] = []
        for tokens in max_tokens:
            fits = self._budget.fits(self._price * (taken + tokens))
            is_first.append(fits)
            taken += tokens * fits
        if not taken:
            return False
        job, number = self._state.manifest, max(self._state.batches) + 1
        writer = partial(
            BatchWriter, *(self._directory, job.task, job.id), limits=self._limits, exact=job.exact
        )
        with (
            self._reader.open(batch.plan) as file,
            closing(writer(number)) as head,
            closing(writer(number + 1)) as tail,
        ):
            lines = self._reader.lines(batch.plan, file)
            for line, tokens, first in zip(lines, max_tokens, is_first, strict=True):
                whole = Bin()
                for item in line.items:
                    whole.add(self._task.size(item, no_tokens, no_tokens))
                size = whole.size._replace(tokens=round(tokens * share), most_tokens=tokens)
                (head if first else tail).add(line.name.first, line.items, size)
            self._state.replace(batch, (*head.finish(), *tail.finish()))
        self._directory.input_file(batch.plan.number).unlink(missing_ok=True)
        return True

    def _count_billed(self, batch: BatchState, bound: Fraction) -> None:
        billed = self._billed_for(batch)
        self._budget.settle(bound, self._price * billed)
        self._tokens += batch.plan.tokens
        self._billed += billed

    def _billed_for(self, batch: BatchState) -> int:
        """Return the billed tokens of a batch; lost responses count with their upper bound."""
        if batch.errors and not batch.files:
            return 0  # the batch was refused before any line was run
        reported: dict[str, int] = {}
        for name in batch.fetched:
            path = self._directory.answer_file(batch.plan.number, name)
            self._read_usage(path, reported, IMPLAUSIBLE * batch.plan.most_tokens)
        lost = 0
        if len(reported) < batch.plan.requests:
            billable = billable_count(self._task, self._tokenizer)
            with self._reader.open(batch.plan) as file:
                for line in self._reader.lines(batch.plan, file):
                    if str(line.name) not in reported:
                        lost += sum(self._task.max_billable(item, billable) for item in line.items)
        return sum(reported.values()) + min(lost, batch.plan.most_tokens)

    def _read_usage(self, path: Path, reported: dict[str, int], maximum: int) -> None:
        """Read the tokens that a downloaded file reports, by `custom_id`; 0 for failed lines.

        A count below 0 or above `maximum` is ignored.
        """
        with self._directory.open(path) as file:
            for raw in file:
                try:
                    line = BatchOutputLine.from_dict(loads(raw))
                    name = LineName.parse(line.custom_id)
                    if name is None or name.job != self._state.manifest.id:
                        continue
                    tokens = self._tokens_of(line)
                except ValueError:  # a ShapeError is one
                    continue
                if 0 <= tokens <= maximum:
                    reported[line.custom_id] = max(tokens, reported.get(line.custom_id, 0))

    def _tokens_of(self, line: BatchOutputLine) -> int:
        if line.error:
            return 0
        if not line.response:
            raise ShapeError("neither an answer nor an error")
        if line.response.status_code != OK:
            return 0
        body = line.response.body
        return self._task.billed(body.to_dict() if body else None)

    def _likely(self, unsent: list[BatchState]) -> Fraction:
        """Return the likely cost of batches, corrected by the ratio of the finished ones."""
        most = sum(map(self._bound, unsent), Fraction())
        if self._count is not None:
            return most  # counted, so the bound is exact except for prompts
        ratio = Fraction(self._billed, self._tokens) if self._billed else Fraction(1)
        tokens = sum(batch.plan.tokens for batch in unsent)
        return min(self._price * tokens * ratio, most)

    @property
    def _hint(self) -> str:
        """Advice how to reserve less, for jobs whose tokens are not counted."""
        if self._count is not None or self._state.manifest.exact:
            return ""
        model = self._task.params.model
        return (
            f" Without the tokenizer of {model} at hand each byte counts as a token: install "
            f"voyageai[tokenizers], and fetch it once with vo.tokenizer({model!r})"
        )

    def _max_cost_error(self, unsent: list[BatchState]) -> MaxCostError:
        budget, noun = self._budget, self._task.noun
        rows, left = self._state.manifest.rows, sum(batch.plan.rows for batch in unsent)
        most = sum(map(self._bound, unsent), Fraction())
        likely = self._likely(unsent)
        stopped = MaxCostError(
            f"max_cost is {dollars(budget.limit)}, of which {dollars(budget.spent)} was billed; "
            f"{left:,} of {rows:,} {noun} were not sent, as they would cost about "
            f"{dollars(float(likely))}, and at most {dollars(float(most))}. results() returns "
            "the results so far. Continue with a higher max_cost, which is for the whole job and "
            f"includes what was already billed.{self._hint}",
            "max_cost",
        )
        stopped.spent, stopped.rows_left = budget.spent, left
        stopped.likely_cost, stopped.highest_cost = float(likely), float(most)
        return stopped
