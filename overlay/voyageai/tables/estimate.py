"""What a table will cost, before anything is sent."""

from __future__ import annotations

from attrs import frozen
from voyageai_rest.catalogue import BATCH, TOKENIZATION

from ..batches.jobs.estimate import cost, dollars
from ..limits import known

__all__ = ["TableEstimate"]


@frozen(kw_only=True)
class TableEstimate:
    """What a table job will take.

    Attributes:
        model: The model.
        rows: Rows of the table; None where the source can be read only once.
        tokens: Their tokens, estimated from their characters.
        most_tokens: Tokens that they can be billed for, at most: one for each byte of UTF-8.
        failing: Rows that are null or empty, which are not sent.
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
        entry = known(self.model)
        if entry is None or entry.price is None or entry.price.usd_per_million_tokens is None:
            return None
        off = BATCH.discount if self.via == "batch" else 0.0
        return entry.price.usd_per_million_tokens * (1 - off)

    @property
    def cost(self) -> float | None:
        """US dollars in all, most likely; None if the price or the rows are not known."""
        return None if self.rows is None else cost(self.price, self.tokens)

    @property
    def cost_range(self) -> tuple[float, float] | None:
        """US dollars in all, at least and at most."""
        if self.rows is None or self.price is None:
            return None
        fewest, most = TOKENIZATION.tokens_per_word
        least = self.tokens * fewest / ((fewest + most) / 2)
        return self.price * least / 1_000_000, self.price * self.most_tokens / 1_000_000

    def __str__(self) -> str:
        if self.rows is None:
            return f"rows of {self.model}, whose number is not known before they are read"
        said = f"{self.rows:,} rows; about {self.tokens:,} tokens of {self.model}"
        if self.cost_range is None or self.cost is None:
            return f"{said}; its price is not known"
        least, most = map(dollars, self.cost_range)
        return f"{said}; about {dollars(self.cost)} (from {least} to at most {most})"
