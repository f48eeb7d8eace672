"""The estimate of a job, and sums of money: what it costs and what it may still cost."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from functools import cached_property

from attrs import frozen
from voyageai_rest.catalogue import BATCH, TOKENIZATION

from ...html import card
from ...prices import MILLION, cost, dollars, list_price

__all__ = ["Budget", "Estimate"]

UNITS = {"h": "hours", "d": "days"}
Money = Fraction | float
"""US dollars. Sums of them are exact."""
ROUNDING = 1e-12
"""Share of a budget by which it may be exceeded: it was rounded when it was written as a float."""


@frozen(kw_only=True, slots=False)  # for its cached property
class Estimate:
    """Size and cost of a job, before it is sent.

    Attributes:
        model: The model.
        rows: Texts, documents, or queries with their documents.
        noun: Which of these they are, such as `texts`.
        requests: Lines of the batches' files.
        batches: Batches that they are split into.
        bytes: Bytes to upload.
        tokens: Tokens, estimated from characters or counted.
        most_tokens: Tokens that can be billed at most, with prompts; where they are not counted,
            one for each byte of UTF-8.
        exact: Whether they are counted.
        rounds: How many times as many batches are in flight as an organization may have.

    Example:
        >>> job = vo.batches.prepare_embed(["It rains."] * 1000, model="voyage-4")
        >>> job.estimate.batches, job.estimate.tokens
        (1, 2000)
    """

    model: str
    rows: int
    noun: str
    requests: int
    batches: int
    bytes: int
    tokens: int
    most_tokens: int
    exact: bool
    rounds: int

    @cached_property
    def price(self) -> float | None:
        """US dollars per million tokens in a batch; None if the model's price is not known."""
        listed = list_price(self.model)
        return None if listed is None else listed * (1 - BATCH.discount)

    @property
    def cost(self) -> float | None:
        """Likely cost in US dollars; None if the model's price is not known."""
        return cost(self.price, self.tokens)

    @property
    def cost_range(self) -> tuple[float, float] | None:
        """Lowest and highest cost in US dollars; None if the model's price is not known.

        The lowest holds for prose with few tokens per word, or is that of the counted tokens. The
        highest is what `max_cost` goes by.
        """
        if self.price is None:
            return None
        fewest, most = TOKENIZATION.tokens_per_word
        usual = (fewest + most) / 2
        least = 1.0 if self.exact else fewest / usual
        return self.price * self.tokens * least / MILLION, self.price * self.most_tokens / MILLION

    @property
    def longest(self) -> timedelta:
        """Longest time until all is done or expired, without uploads and downloads."""
        number, unit = int(BATCH.completion_window[:-1]), BATCH.completion_window[-1]
        return self.rounds * timedelta(**{UNITS[unit]: number})

    @property
    def cost_text(self) -> str:
        """The cost as text, such as `about $0.0402`."""
        if self.cost is None:
            return "an unknown sum"
        return dollars(self.cost) if self.exact else f"about {dollars(self.cost)}"

    def __str__(self) -> str:
        about = "" if self.exact else "about "
        batches = f"{self.batches:,} {'batch' if self.batches == 1 else 'batches'}"
        amount = (
            f"{self.rows:,} {self.noun} in {self.requests:,} requests in {batches}, "
            f"{_bytes(self.bytes)}; {about}{self.tokens:,} tokens"
        )
        price = f"the price of {self.model} is not known"
        if self.cost_range is not None:
            least, most = map(dollars, self.cost_range)
            within = f"at most {most}" if self.exact else f"from {least} to at most {most}"
            price = (
                f"{self.cost_text} ({within}) at ${self.price:.4g} per million tokens of "
                f"{self.model}, {BATCH.discount:.0%} off its list price"
            )
        hours = self.longest / timedelta(hours=1)
        return f"{amount}; {price}; done within {hours:,.4g} hours"

    def _repr_html_(self) -> str:
        about = "" if self.exact else "about "
        most = None if self.cost_range is None else dollars(self.cost_range[1])
        facts = {
            "model": self.model,
            self.noun: f"{self.rows:,}",
            "requests": f"{self.requests:,}",
            "batches": f"{self.batches:,}",
            "upload": _bytes(self.bytes),
            "tokens": f"{about}{self.tokens:,}",
            "cost": self.cost_text,
            "at most": most,
            "done within": f"{self.longest / timedelta(hours=1):,.4g} hours",
        }
        return card(type(self).__name__, facts)


class Budget:
    """A sum that may be spent, what was spent of it, and what is reserved.

    What is about to be sent reserves the most that it can cost, if that fits; once its cost is
    known the difference is free again.

    Args:
        limit: US dollars that may be spent in all.

    Example:
        >>> budget = Budget(1.00)
        >>> budget.reserve(0.75), budget.reserve(0.75)
        (True, False)
        >>> budget.settle(0.75, 0.25)
        >>> budget.reserve(0.75), budget.spent, budget.reserved, budget.left
        (True, 0.25, 0.75, 0.0)
    """

    def __init__(self, limit: float) -> None:
        self.limit = float(limit)
        self._most = self.limit * (1 + ROUNDING)
        self._spent = Fraction()
        self._reserved = Fraction()

    @property
    def spent(self) -> float:
        """US dollars that were billed."""
        return float(self._spent)

    @property
    def reserved(self) -> float:
        """US dollars that can be billed at most for what is in flight."""
        return float(self._reserved)

    @property
    def left(self) -> float:
        """US dollars that can still be reserved; below zero if more was spent than the limit."""
        return float(self.limit - (self._spent + self._reserved))

    def fits(self, bound: Money) -> bool:
        """Return whether something may be sent that costs at most `bound`."""
        return self._spent + self._reserved + Fraction(bound) <= self._most

    def reserve(self, bound: Money) -> bool:
        """Reserve `bound` if it fits; return whether it does."""
        if not self.fits(bound):
            return False
        self.hold(bound)
        return True

    def hold(self, bound: Money) -> None:
        """Reserve `bound` for something that is in flight already, whether or not it fits."""
        self._reserved += Fraction(bound)

    def settle(self, bound: Money, actual: Money) -> None:
        """Free what was reserved for something, and count what it was billed.

        Args:
            bound: What was reserved for it.
            actual: What it was billed.
        """
        self._reserved -= Fraction(bound)
        self._spent += Fraction(actual)


def _bytes(count: int) -> str:
    return f"{count:,} bytes" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"
