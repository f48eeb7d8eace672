"""What a job will cost, before it is started."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from attrs import frozen
from voyageai_rest.catalogue import BATCH, TOKENIZATION

from ...limits import known

__all__ = ["Estimate", "cost", "dollars"]

UNITS = {"h": "hours", "d": "days"}
MILLION = 1_000_000


@frozen(kw_only=True)
class Estimate:
    """What a job will take.

    Attributes:
        model: The model.
        rows: Texts, documents, or queries with their documents.
        noun: Which of these.
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

    @property
    def price(self) -> float | None:
        """US dollars per million tokens in a batch; None if the model's price is not known."""
        entry = known(self.model)
        if entry is None or entry.price is None or entry.price.usd_per_million_tokens is None:
            return None
        return entry.price.usd_per_million_tokens * (1 - BATCH.discount)

    @property
    def cost(self) -> float | None:
        """US dollars in all, most likely; None if the model's price is not known."""
        return cost(self.price, self.tokens)

    @property
    def cost_range(self) -> tuple[float, float] | None:
        """US dollars in all, at least and at most; None if the model's price is not known.

        The least is for prose whose words are of few tokens; counted tokens are no fewer. The most
        is what `max_cost` goes by.
        """
        if self.price is None:
            return None
        fewest, most = TOKENIZATION.tokens_per_word
        usual = (fewest + most) / 2
        least = 1.0 if self.exact else fewest / usual
        return self.price * self.tokens * least / MILLION, self.price * self.most_tokens / MILLION

    @property
    def longest(self) -> timedelta:
        """Time within which all of it is done or expires, uploads and downloads aside."""
        number, unit = int(BATCH.completion_window[:-1]), BATCH.completion_window[-1]
        return self.rounds * timedelta(**{UNITS[unit]: number})

    @property
    def said_cost(self) -> str:
        """The cost for people, such as `about $0.0402`."""
        if self.cost is None:
            return "an unknown sum"
        return dollars(self.cost) if self.exact else f"about {dollars(self.cost)}"

    def __str__(self) -> str:
        about = "" if self.exact else "about "
        batches = f"{self.batches:,} {'batch' if self.batches == 1 else 'batches'}"
        said = (
            f"{self.rows:,} {self.noun} in {self.requests:,} requests in {batches}, "
            f"{_bytes(self.bytes)}; {about}{self.tokens:,} tokens"
        )
        price = f"the price of {self.model} is not known"
        if self.cost_range is not None:
            least, most = map(dollars, self.cost_range)
            within = f"at most {most}" if self.exact else f"from {least} to at most {most}"
            price = (
                f"{self.said_cost} ({within}) at ${self.price:.4g} per million tokens of "
                f"{self.model}, {BATCH.discount:.0%} off its list price"
            )
        hours = self.longest / timedelta(hours=1)
        return f"{said}; {price}; done within {hours:,.4g} hours"


def cost(price: float | None, tokens: int) -> float | None:
    """What tokens cost at a price per million."""
    return None if price is None else price * tokens / MILLION


def dollars(amount: float) -> str:
    """US dollars for people: with cents, or below one dollar with three digits."""
    return f"${amount:,.2f}" if amount >= 1 else f"${Decimal(f'{amount:.3g}'):f}"


def _bytes(count: int) -> str:
    return f"{count:,} bytes" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"
