"""Prices of the catalogue, costs, and budgets: how much may be spent."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import isfinite
from numbers import Real
from typing import Any

from .error import ArgumentError
from .limits import known

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
"""US dollars. Sums of them are exact."""
ROUNDING = 1e-12
"""Share of a budget by which it may be exceeded: it was rounded when it was written as a float."""


def list_price(model: str | None) -> float | None:
    """Return US dollars per million tokens of a model; None if that is not known."""
    entry = None if model is None else known(model)
    return None if entry is None or entry.price is None else entry.price.usd_per_million_tokens


def cost(price: float | None, tokens: int) -> float | None:
    """Return what tokens cost at a price per million; None if the price is not known."""
    return None if price is None else price * tokens / MILLION


def dollars(amount: float) -> str:
    """Return US dollars as text: with cents, or below one dollar with three digits."""
    return f"${amount:,.2f}" if amount >= 1 else f"${Decimal(f'{amount:.3g}'):f}"


def check_max_cost(max_cost: Any) -> None:
    """Refuse a limit of costs that is not a number from 0; None passes.

    Raises:
        ArgumentError: It is something else: no sum is above NaN, so that it would be no limit.
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
    """The job would cost more than `max_cost`.

    Either its estimate is above it, and nothing was sent; or the job was stopped, because the rest
    could have cost more. Then what is done is kept, and the job goes on under a higher one.

    Attributes:
        spent: US dollars that the job has cost so far; 0 if nothing was sent.
        rows_left: Rows that were not sent.
        likely: US dollars that these would likely cost; None if their price is not known.
        most: US dollars that they would cost at most; None if their price is not known.
    """

    spent: float = 0.0
    rows_left: int = 0
    likely: float | None = None
    most: float | None = None


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
