"""Prices from the catalogue, costs, and budgets that limit them, in US dollars."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import isfinite
from numbers import Real
from typing import Any

from .argument_checks import catalogue_entry
from .error import ArgumentError

__all__ = [
    "MILLION",
    "Budget",
    "MaxCostError",
    "Money",
    "check_max_cost",
    "cost",
    "dollars",
    "list_price",
]

MILLION = 1_000_000
Money = Fraction | float
"""US dollars, summed exactly."""
ROUNDING = 1e-12
"""Tolerance of a budget, as its limit is a rounded float."""


def list_price(model: str | None) -> float | None:
    """Return the list price of a model in US dollars per million tokens; None if unknown."""
    entry = None if model is None else catalogue_entry(model)
    return None if entry is None or entry.price is None else entry.price.usd_per_million_tokens


def cost(price: float | None, tokens: int) -> float | None:
    """Return the cost of tokens at a price per million tokens; None without a price."""
    return None if price is None else price * tokens / MILLION


def dollars(amount: float) -> str:
    """Format US dollars: with cents from one dollar on, with three significant digits below."""
    return f"${amount:,.2f}" if amount >= 1 else f"${Decimal(f'{amount:.3g}'):f}"


def check_max_cost(max_cost: Any) -> None:
    """Raise if a limit of costs is not a number from 0; None passes.

    Raises:
        ArgumentError: `max_cost` is not a finite number from 0. (No cost exceeds NaN: it would be
            no limit.)
    """
    if max_cost is None:
        return
    number = not isinstance(max_cost, bool) and isinstance(max_cost, Real)
    if not number or not isfinite(max_cost) or max_cost < 0:
        raise ArgumentError(
            f"max_cost must be a number of US dollars from 0, or None, not {max_cost!r}",
            "max_cost",
        )


class MaxCostError(ArgumentError):
    """The job could cost more than `max_cost`.

    Either its estimate is above `max_cost`, and nothing was sent; or the job was stopped because
    the rest could cost more. In that case all results are kept, and the job can be continued with
    a higher `max_cost`.

    Attributes:
        spent: US dollars that the job has cost so far; 0 if nothing was sent.
        rows_left: Rows that were not sent.
        likely_cost: Likely cost of these rows in US dollars; None if the price is not known.
        highest_cost: Highest cost of these rows in US dollars; None if the price is not known.
    """

    spent: float = 0.0
    rows_left: int = 0
    likely_cost: float | None = None
    highest_cost: float | None = None


class Budget:
    """A sum that may be spent, of which parts are spent and reserved.

    Before something is sent, its highest cost is reserved, if that fits; once its actual cost is
    known, the difference is free again.

    Args:
        limit: US dollars that may be spent in total.

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
        """The highest cost of what is in flight, in US dollars."""
        return float(self._reserved)

    @property
    def left(self) -> float:
        """US dollars that can still be reserved; negative if more than the limit was spent."""
        return float(self.limit - (self._spent + self._reserved))

    def fits(self, bound: Money) -> bool:
        """Return whether a cost of at most `bound` fits the budget."""
        return self._spent + self._reserved + Fraction(bound) <= self._most

    def reserve(self, bound: Money) -> bool:
        """Reserve `bound` if it fits, and return whether it does."""
        if not self.fits(bound):
            return False
        self.hold(bound)
        return True

    def hold(self, bound: Money) -> None:
        """Reserve `bound` for something that is in flight already, whether or not it fits."""
        self._reserved += Fraction(bound)

    def settle(self, bound: Money, actual: Money) -> None:
        """Replace a reservation by the actual cost.

        Args:
            bound: The amount that was reserved.
            actual: The amount that was billed.
        """
        self._reserved -= Fraction(bound)
        self._spent += Fraction(actual)
