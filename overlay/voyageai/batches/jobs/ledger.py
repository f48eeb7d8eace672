"""Money that may be spent: what was, what may yet be, and whether more fits below a ceiling."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["Ledger"]

Money = Fraction | float
"""US dollars. Sums of them are exact."""
ROUNDING = 1e-12
"""Of a ceiling, what it may be exceeded by: it was rounded when it was written as a float."""


class Ledger:
    """Sees that no more is spent than a ceiling, on what costs a known sum only once it is done.

    What is about to be sent reserves the most that it can cost, if that fits; when it is done the
    difference is free again. It knows nothing of what the money is spent on.

    Args:
        ceiling: US dollars that may be spent in all.

    Example:
        >>> ledger = Ledger(1.00)
        >>> ledger.reserve(0.75), ledger.reserve(0.75)
        (True, False)
        >>> ledger.settle(0.75, 0.25)
        >>> ledger.reserve(0.75), ledger.spent, ledger.reserved, ledger.left
        (True, 0.25, 0.75, 0.0)
    """

    def __init__(self, ceiling: float) -> None:
        self.ceiling = float(ceiling)
        self._most = self.ceiling * (1 + ROUNDING)
        self._spent = Fraction()
        self._reserved = Fraction()

    @property
    def spent(self) -> float:
        """What has been billed."""
        return float(self._spent)

    @property
    def reserved(self) -> float:
        """What may be billed for all that is under way, at most."""
        return float(self._reserved)

    @property
    def left(self) -> float:
        """What more may be reserved; below zero if more was spent than may be."""
        return float(self.ceiling - (self._spent + self._reserved))

    def fits(self, bound: Money) -> bool:
        """Whether something may be sent that costs no more than this."""
        return self._spent + self._reserved + Fraction(bound) <= self._most

    def reserve(self, bound: Money) -> bool:
        """Set aside what something may cost, if it may be sent; tell whether it may."""
        if not self.fits(bound):
            return False
        self.hold(bound)
        return True

    def hold(self, bound: Money) -> None:
        """Set aside what something may cost that is under way already."""
        self._reserved += Fraction(bound)

    def settle(self, bound: Money, actual: Money) -> None:
        """Something is done: free what was set aside for it, and count what it cost.

        Args:
            bound: What was reserved or held for it.
            actual: What it was billed.
        """
        self._reserved -= Fraction(bound)
        self._spent += Fraction(actual)
