"""The size and the cost of a table job, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from unicodedata import normalize

from attrs import frozen
from voyageai_rest.catalogue import BATCH, TOKENIZATION

from ..argument_checks import catalogue_entry
from ..html import card
from ..prices import cost, dollars, list_price
from ..prompts import prompt

__all__ = ["Most", "TableEstimate", "most_tokens"]

Most = Callable[[Sequence[Sequence[str]]], int]
"""A function that counts the most billable tokens of a unit, given its texts by column."""

SPECIAL_TOKENS = 4
"""Tokens that a tokenizer may add to a text. Chosen: begin and end, and two to spare."""


@frozen(kw_only=True)
class TableEstimate:
    """The size and the cost of a table job.

    Attributes:
        model: Name of the model.
        rows: Number of rows; None if the source can be read only once.
        tokens: Tokens of all rows, estimated from characters.
        most_tokens: Most billable tokens of all rows: one per byte of UTF-8.
        failing: Number of rows that are null or empty and not sent.
        via: `live` or `batch`.
    """

    model: str
    rows: int | None
    tokens: int
    most_tokens: int
    failing: int
    via: str = "live"

    @property
    def price(self) -> float | None:
        """US dollars per million tokens; None if the model's price is not known."""
        listed = list_price(self.model)
        off = BATCH.discount if self.via == "batch" else 0.0
        return None if listed is None else listed * (1 - off)

    @property
    def cost(self) -> float | None:
        """Likely cost in US dollars; None if the price or the number of rows is not known."""
        return None if self.rows is None else cost(self.price, self.tokens)

    @property
    def cost_range(self) -> tuple[float, float] | None:
        """Lowest and highest cost in US dollars; None if the price or the rows are not known."""
        if self.rows is None or self.price is None:
            return None
        fewest, most = TOKENIZATION.tokens_per_word
        least = self.tokens * fewest / ((fewest + most) / 2)
        return self.price * least / 1_000_000, self.price * self.most_tokens / 1_000_000

    def __str__(self) -> str:
        if self.rows is None:
            return f"rows of {self.model}, whose number is not known before they are read"
        summary = f"{self.rows:,} rows; about {self.tokens:,} tokens of {self.model}"
        if self.via == "batch":
            summary += f" at the price of batches, {BATCH.discount:.0%} off"
        if self.cost_range is None or self.cost is None:
            return f"{summary}; its price is not known"
        least, most = map(dollars, self.cost_range)
        return f"{summary}; about {dollars(self.cost)} (from {least} to at most {most})"

    def _repr_html_(self) -> str:
        read = self.rows is not None
        facts = {
            "model": self.model,
            "rows": f"{self.rows:,}" if read else "not known before they are read",
            "tokens": f"about {self.tokens:,}" if read else None,
            "cost": None if self.cost is None else f"about {dollars(self.cost)}",
            "at most": None if self.cost_range is None else dollars(self.cost_range[1]),
            "not sent": f"{self.failing:,}" if self.failing else None,
            "via": self.via,
        }
        return card(type(self).__name__, facts)


def most_tokens(method: str, model: str, params: dict[str, Any]) -> Most:
    """Return a function that counts the most billable tokens of a unit.

    Each byte of UTF-8 counts as a token, as the models' tokenizers start from bytes and merge them.
    Each text counts with the prompt of its input type.

    Args:
        method: Name of the method.
        model: Name of the model.
        params: The method's other arguments.
    """
    if method == "rerank":
        return _max_tokens_of_ranking
    entry = catalogue_entry(model)
    named = entry is not None and entry.prompts is not None
    before = prompt(params.get("input_type"), model if named else None)
    around = len(before.encode()) + SPECIAL_TOKENS

    def count(values: Sequence[Sequence[str]]) -> int:
        return sum(_bytes(text) + around for column in values for text in column)

    return count


def _max_tokens_of_ranking(values: Sequence[Sequence[str]]) -> int:
    queries, documents = values
    query = _bytes(queries[0])
    return sum(_bytes(text) + query + SPECIAL_TOKENS for text in documents)


def _bytes(text: str) -> int:
    """Return the bytes of a text in UTF-8, as it is or in NFC, whichever is longer."""
    if text.isascii():
        return len(text)
    return max(len(form.encode()) for form in (text, normalize("NFC", text)))
