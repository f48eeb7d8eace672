"""Prices of the catalogue, and sums of money."""

from __future__ import annotations

from decimal import Decimal

from .limits import known

__all__ = ["MILLION", "cost", "dollars", "list_price"]

MILLION = 1_000_000


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
