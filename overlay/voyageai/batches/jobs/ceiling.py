"""Keeping a job below what it may cost."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from voyageai_rest.errors import ShapeError
from voyageai_rest.models.batch_output_line import BatchOutputLine

from .bounds import most_tokens
from .errors import MaxCostError
from .estimate import MILLION, dollars
from .ledger import Ledger
from .lines import loads
from .names import LineName
from .packing import Size
from .writing import BatchReader, BatchWriter, Line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .folder import Folder
    from .state import BatchState, JobState
    from .task import Count

__all__ = ["Ceiling"]

OK = 200
BEYOND = 16
"""How many times the most that a batch can cost is no slip of an estimate any more."""
WORTHWHILE = 1 / 10
"""Of a ceiling, what a part must be worth if it is not likely to be followed by all the others:
each may take half a day. Chosen."""


class Ceiling:
    """Sees that a job costs no more than it may, whatever its texts come to.

    A batch is sent only if what was billed, what those under way can be billed, and what it can be
    billed itself are within the ceiling together. All of that is read from the job's directory, so
    a job that was ended goes on with the same sums.

    A line whose answer reports its tokens was billed for these. One that failed, or was not run,
    was not billed. One whose answer is lost, or can't be read, counts as the most that it can be.

    Args:
        folder: The job's directory.
        state: Where the job stands; what the server may have of it is known.
        max_cost: US dollars that it may cost in all.
        counting: Gives what counts tokens by the model's tokenizer, if that is at hand; asked only
            if the job could cost too much without it.
    """

    def __init__(
        self,
        folder: Folder,
        state: JobState,
        max_cost: float,
        counting: Callable[[], Count | None],
    ) -> None:
        self._folder, self._state, self._counting = folder, state, counting
        self._task = state.manifest.task
        self._reader = BatchReader(folder, state.manifest)
        price = state.manifest.estimate.price
        if price is None:  # which is refused before
            raise ValueError("the price is not known")
        self._price = Fraction(price) / MILLION
        self._ledger = Ledger(max_cost)
        self._under_way: dict[int, Fraction] = {}
        """What is set aside for each batch."""
        self._counted: dict[int, list[int]] = {}
        """The most tokens of each line, of batches that were counted anew."""
        self._has_hinted = False
        self._tokens = self._billed = 0
        """Of all batches that are over: tokens by their estimate, and as they were billed."""
        for batch in state.batches.values():
            if batch.is_over:
                self._count_in(batch, Fraction())
        ahead = [batch for batch in state.batches.values() if not batch.is_over]
        self._is_tight = not self._ledger.fits(
            self._price * sum(batch.planned.most_tokens for batch in ahead)
        )
        for batch in ahead:
            if batch.batch_id is not None:
                self._under_way[batch.planned.number] = bound = self._bound(batch)
                self._ledger.hold(bound)

    def reserve(self, batch: BatchState) -> bool:
        """Whether a batch may be sent; if so, what it can cost is set aside for it."""
        number = batch.planned.number
        if number in self._under_way:
            return True
        bound = self._bound(batch)
        if not self._ledger.reserve(bound):
            return False
        self._under_way[number] = bound
        return True

    def settle(self, batch: BatchState) -> bool:
        """Count in what a batch was billed, if it has come to its end just now."""
        if not batch.is_over or batch.planned.number not in self._under_way:
            return False
        self._count_in(batch, self._under_way.pop(batch.planned.number))
        return True

    def make_room(self) -> str | None:
        """Go on where nothing is under way, because no batch may be sent as it is.

        Of the first of them as many lines as may be sent become a batch of their own.

        Returns:
            What is to be told, if one was split.

        Raises:
            MaxCostError: Not one line may be sent; or few, and the others are not likely to be.
        """
        if self._under_way:
            return None  # answers will give some of it back
        unsent = [batch for batch in self._state.batches.values() if batch.batch_id is None]
        if any(self._ledger.fits(self._bound(batch)) for batch in unsent):
            return None  # there is something left since it was looked at
        ledger, likely = self._ledger, self._likely(unsent)
        if likely <= ledger.left or ledger.left >= WORTHWHILE * ledger.ceiling:
            for batch in unsent:
                if self._split(batch):
                    hint, self._has_hinted = "" if self._has_hinted else self._hint, True
                    return (
                        f"batch {batch.planned.number} could cost "
                        f"{dollars(float(self._bound(batch)))}, and {dollars(ledger.left)} of "
                        f"max_cost={dollars(ledger.ceiling)} is left: it goes in parts, one after "
                        "the other; all that is left is likely to cost "
                        f"{dollars(float(likely))}.{hint}"
                    )
        raise self._stopped(unsent)

    def __str__(self) -> str:
        ledger = self._ledger
        return (
            f"{dollars(ledger.spent)} of at most {dollars(ledger.ceiling)} was billed, and up to "
            f"{dollars(ledger.reserved)} more may be for what is under way"
        )

    @cached_property
    def _tokenizer(self) -> Count | None:
        return self._counting()

    @property
    def _count(self) -> Count | None:
        return self._tokenizer if self._is_tight else None

    @cached_property
    def _most(self) -> Count:
        return most_tokens(self._task, self._count)

    def _bound(self, batch: BatchState) -> Fraction:
        """The most that a batch can be billed."""
        tokens = batch.planned.most_tokens
        if self._count is not None:
            tokens = min(tokens, sum(self._lines_of(batch)))
        return self._price * tokens

    def _lines_of(self, batch: BatchState) -> list[int]:
        """The most tokens of each line of a batch."""
        number = batch.planned.number
        if number not in self._counted:
            lines = self._reader.lines(batch.planned)
            self._counted[number] = [self._most_of(line) for line in lines]
        return self._counted[number]

    def _most_of(self, line: Line) -> int:
        return sum(self._task.most(item, self._most) for item in line.items)

    def _split(self, batch: BatchState) -> bool:
        """Put as many lines of a batch as may be sent into a batch of their own."""
        most, taken = self._lines_of(batch), 0
        share = batch.planned.tokens / sum(most)
        is_first: list[bool] = []
        for tokens in most:
            fits = self._ledger.fits(self._price * (taken + tokens))
            is_first.append(fits)
            taken += tokens * fits
        if not taken:
            return False
        job, number = self._state.manifest, max(self._state.batches) + 1
        with (
            closing(BatchWriter(self._folder, job.task, job.id, number, exact=job.exact)) as head,
            closing(
                BatchWriter(self._folder, job.task, job.id, number + 1, exact=job.exact)
            ) as tail,
        ):
            for line, tokens, first in zip(
                self._reader.lines(batch.planned), most, is_first, strict=True
            ):
                size = Size()
                for item in line.items:
                    size = size.plus(self._task.size(item, lambda _: 0))
                size = size._replace(tokens=round(tokens * share), most_tokens=tokens)
                (head if first else tail).add(line.name.first, line.items, size)
            self._state.replace(batch, (*head.finish(), *tail.finish()))
        self._folder.input(batch.planned.number).unlink(missing_ok=True)
        return True

    def _count_in(self, batch: BatchState, bound: Fraction) -> None:
        billed = self._billed_for(batch)
        self._ledger.settle(bound, self._price * billed)
        self._tokens += batch.planned.tokens
        self._billed += billed

    def _billed_for(self, batch: BatchState) -> int:
        """Tokens that a batch was billed for; those of lost answers as many as they can be."""
        if batch.errors and not batch.files:
            return 0  # it was refused before any line was run
        number = batch.planned.number
        told: dict[str, int] = {}
        for name in batch.fetched:
            path = self._folder.answers(number, name)
            self._read_usage(path, told, BEYOND * batch.planned.most_tokens)
        lost = 0
        if len(told) < batch.planned.requests:
            most = most_tokens(self._task, self._tokenizer)
            for line in self._reader.lines(batch.planned):
                if str(line.name) not in told:
                    lost += sum(self._task.most(item, most) for item in line.items)
        return sum(told.values()) + min(lost, batch.planned.most_tokens)

    def _read_usage(self, path: Path, told: dict[str, int], most: int) -> None:
        """Add the tokens that a downloaded file reports, by line; 0 for those that failed.

        A count below 0, or above what the batch can have, is not believed.
        """
        with self._folder.open(path) as file:
            for raw in file:
                try:
                    line = BatchOutputLine.from_dict(loads(raw))
                    name = LineName.parse(line.custom_id)
                    if name is None or name.job != self._state.manifest.id:
                        continue
                    tokens = self._reported(line)
                except ValueError:  # a ShapeError is one
                    continue
                if 0 <= tokens <= most:
                    told[line.custom_id] = max(tokens, told.get(line.custom_id, 0))

    def _reported(self, line: BatchOutputLine) -> int:
        if line.error:
            return 0
        if not line.response:
            raise ShapeError("neither an answer nor an error")
        if line.response.status_code != OK:
            return 0
        body = line.response.body
        return self._task.billed(body.to_dict() if body else None)

    def _likely(self, unsent: list[BatchState]) -> Fraction:
        """What batches will cost, if they are as far off their estimate as those that are over."""
        most = sum(map(self._bound, unsent), Fraction())
        if self._count is not None:
            return most  # but for the prompts
        ratio = Fraction(self._billed, self._tokens) if self._billed else Fraction(1)
        tokens = sum(batch.planned.tokens for batch in unsent)
        return min(self._price * tokens * ratio, most)

    @property
    def _hint(self) -> str:
        """What would help, where tokens are not counted."""
        if self._count is not None or self._state.manifest.exact:
            return ""
        model = self._task.params.model
        return (
            f" Without the tokenizer of {model} at hand each byte counts as a token: install "
            f"voyageai[tokenizers], and fetch it once with vo.tokenizer({model!r})"
        )

    def _stopped(self, unsent: list[BatchState]) -> MaxCostError:
        ledger, noun = self._ledger, self._task.noun
        rows, left = self._state.manifest.rows, sum(batch.planned.rows for batch in unsent)
        most = sum(map(self._bound, unsent), Fraction())
        likely = self._likely(unsent)
        stopped = MaxCostError(
            f"max_cost is {dollars(ledger.ceiling)}, of which {dollars(ledger.spent)} was billed; "
            f"{left:,} of {rows:,} {noun} were not sent, as they would cost about "
            f"{dollars(float(likely))}, and at most {dollars(float(most))}. What came of the "
            "others can be read with results(). Go on under a higher max_cost, which is for the "
            f"whole job, with what was billed already.{self._hint}",
            "max_cost",
        )
        stopped.spent, stopped.rows_left = ledger.spent, left
        stopped.likely, stopped.most = float(likely), float(most)
        return stopped
