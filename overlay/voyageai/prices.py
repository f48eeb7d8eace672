"""Prices from the catalogue, costs and their limits, in US dollars."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from numbers import Real
from typing import Any

from .error import ArgumentError
from .limits import known

__all__ = ["MILLION", "check_max_cost", "cost", "dollars", "list_price"]

MILLION = 1_000_000


def list_price(model: str | None) -> float | None:
    """Return the list price of a model in US dollars per million tokens; None if unknown."""
    entry = None if model is None else known(model)
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
