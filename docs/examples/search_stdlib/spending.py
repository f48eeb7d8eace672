"""Requests of a run, and their cost at list price."""

from collections import Counter
from dataclasses import dataclass, field

from voyageai_rest import catalogue


@dataclass(slots=True)
class Spending:
    """Requests sent and tokens billed, by model."""

    requests: Counter[str] = field(default_factory=Counter[str])
    tokens: Counter[str] = field(default_factory=Counter[str])

    def add(self, model: str, tokens: int, requests: int = 1) -> None:
        """Count a request of one model."""
        self.requests[model] += requests
        self.tokens[model] += tokens

    def cost(self, *models: str) -> float | None:
        """Return the cost for `models`, or for all, in US dollars; None if a price is unknown.

        It is the list price: free tokens are not subtracted.
        """
        total = 0.0
        for model in models or self.tokens:
            price = catalogue.find(model).price
            if price is None or price.usd_per_million_tokens is None:
                return None
            total += price.usd_per_million_tokens * self.tokens[model] / 1e6
        return total
