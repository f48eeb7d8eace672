"""The limits of lines and batches, the most billable tokens of texts, and a job's estimate."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from attrs import frozen
from voyageai_rest.catalogue import BATCH, MODELS, TOKENIZATION

from ...error import ArgumentError
from ...html import card
from ...prices import MILLION, cost, dollars, list_price
from ...prompts import prompt
from .lines import Bin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...flow import BatchLimits
    from .tasks import Count, Task

__all__ = [
    "Estimate",
    "batch_bin",
    "batch_price",
    "billable_count",
    "fits_in_flight",
    "line_bin",
    "rounds",
    "rows_per_line",
    "share_in_flight",
    "truncated_count",
]

UNITS = {"h": "hours", "d": "days"}
LINE_ROWS = 100
"""Rows of a line by default: few, as a line succeeds or fails as a whole."""
MARGIN = 2
"""Factor by which an estimate of tokens may be exceeded before a request has too many."""
SPECIAL_TOKENS = 4
"""Tokens that a tokenizer may add to a text. Chosen: begin and end, and two to spare."""


@frozen(kw_only=True, slots=False)  # for its cached property
class Estimate:
    """The size and the cost of a job, before it is sent.

    Attributes:
        model: Name of the model.
        rows: Number of texts, of documents, or of queries with their documents.
        noun: Name of the rows, such as `texts`.
        requests: Lines of the batches' files.
        batches: Batches that they are split into.
        bytes: Bytes to upload.
        tokens: Tokens, estimated from characters or counted.
        most_tokens: Most tokens that can be billed, with prompts; if not counted, one per byte of
            UTF-8.
        exact: True if tokens are counted, False if estimated.
        rounds: Number of rounds in which the batches run, each as large as may be in flight.

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
        return batch_price(self.model)

    @property
    def cost(self) -> float | None:
        """Likely cost in US dollars; None if the model's price is not known."""
        return cost(self.price, self.tokens)

    @property
    def cost_range(self) -> tuple[float, float] | None:
        """Lowest and highest cost in US dollars; None if the model's price is not known.

        The lowest is for prose with few tokens per word, or for the counted tokens. `max_cost` is
        compared with the highest.
        """
        if self.price is None:
            return None
        fewest, most = TOKENIZATION.tokens_per_word
        usual = (fewest + most) / 2
        least = 1.0 if self.exact else fewest / usual
        return self.price * self.tokens * least / MILLION, self.price * self.most_tokens / MILLION

    @property
    def longest(self) -> timedelta:
        """Longest time until all batches are done or expired, without uploads and downloads."""
        number, unit = int(BATCH.completion_window[:-1]), BATCH.completion_window[-1]
        return self.rounds * timedelta(**{UNITS[unit]: number})

    @property
    def cost_text(self) -> str:
        """The cost as text, such as `about $0.0402`."""
        likely = self.cost
        if likely is None:
            return "an unknown sum"
        return dollars(likely) if self.exact else f"about {dollars(likely)}"

    def __str__(self) -> str:
        about = "" if self.exact else "about "
        batches = f"{self.batches:,} {'batch' if self.batches == 1 else 'batches'}"
        amount = (
            f"{self.rows:,} {self.noun} in {self.requests:,} requests in {batches}, "
            f"{_bytes(self.bytes)}; {about}{self.tokens:,} tokens"
        )
        price = f"the price of {self.model} is not known"
        span = self.cost_range
        if span is not None:
            least, most = map(dollars, span)
            within = f"at most {most}" if self.exact else f"from {least} to at most {most}"
            price = (
                f"{self.cost_text} ({within}) at ${self.price:.4g} per million tokens of "
                f"{self.model}, {BATCH.discount:.0%} off its list price"
            )
        hours = self.longest / timedelta(hours=1)
        return f"{amount}; {price}; done within {hours:,.4g} hours"

    def _repr_html_(self) -> str:
        about, span = "" if self.exact else "about ", self.cost_range
        most = None if span is None else dollars(span[1])
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


def batch_price(model: str) -> float | None:
    """Return the US dollars per million tokens in a batch; None if the price is not known."""
    listed = list_price(model)
    return None if listed is None else listed * (1 - BATCH.discount)


def line_bin(task: Task[Any, Any], rows: int | None, *, exact: bool) -> Bin:
    """Return an empty bin with the limits of a line.

    Args:
        task: The method and its arguments.
        rows: Most rows of a line; None for the default.
        exact: True if tokens are counted, False if estimated.
    """
    entry = task.entry
    tokens, chunks = (
        (entry.max_request_tokens, entry.max_request_chunks)
        if entry is not None
        else (_lowest(task, "max_request_tokens"), _lowest(task, "max_request_chunks"))
    )
    if tokens is not None and not exact:
        tokens //= MARGIN
    return Bin(rows=rows_per_line(task, rows), tokens=tokens, chunks=chunks)


def batch_bin(limits: BatchLimits, *, exact: bool) -> Bin:
    """Return an empty bin with the limits of a batch."""
    tokens = limits.tokens_in_flight
    return Bin(
        inputs=limits.inputs,
        tokens=tokens if exact else tokens // MARGIN,
        bytes=limits.file_bytes,
    )


def fits_in_flight(limits: BatchLimits, tokens: Sequence[int], *, exact: bool) -> bool:
    """Return True if batches of these tokens may be in flight together."""
    return (
        len(tokens) <= limits.jobs_in_flight and share_in_flight(limits, tokens, exact=exact) <= 1
    )


def share_in_flight(limits: BatchLimits, tokens: Sequence[int], *, exact: bool) -> float:
    """Return the share of the limit of tokens in flight that batches take."""
    return (1 if exact else MARGIN) * sum(tokens) / limits.tokens_in_flight


def rounds(limits: BatchLimits, batches: Sequence[int], *, exact: bool) -> int:
    """Return the number of rounds in which batches run, each as large as may be in flight."""
    count, in_flight = 1, list[int]()
    for tokens in batches:
        if in_flight and not fits_in_flight(limits, [*in_flight, tokens], exact=exact):
            count, in_flight = count + 1, []
        in_flight.append(tokens)
    return count


def rows_per_line(task: Task[Any, Any], rows: int | None) -> int:
    """Return the most rows of a line.

    Raises:
        ArgumentError: `rows` is not an integer from 1 to the most rows of a request.
    """
    if rows is None:
        return min(LINE_ROWS, task.rows_per_line)
    if type(rows) is not int or not 1 <= rows <= task.rows_per_line:
        raise ArgumentError(
            f"rows_per_line must be from 1 to {task.rows_per_line:,}, not {rows!r}", "rows_per_line"
        )
    return rows


def truncated_count(task: Task[Any, Any], count: Count, around: int = 0) -> Count:
    """Return a function that counts the tokens of texts, each truncated as the model does.

    Args:
        task: The method and its arguments.
        count: Function that counts the tokens of whole texts.
        around: Tokens to add for each text.
    """
    longest = task.longest
    if longest is None:
        return lambda texts: count(texts) + around * len(texts)
    return lambda texts: sum(min(count([text]), longest) + around for text in texts)


def billable_count(task: Task[Any, Any], count: Count | None) -> Count:
    """Return a function that counts the most tokens that texts can be billed for.

    Prompts and special tokens are included, as the API does not document whether they are billed.

    Args:
        task: The method and its arguments.
        count: Function that counts tokens with the model's tokenizer. Without it each byte of UTF-8
            counts as a token: the models' tokenizers start from bytes and merge them.
    """
    before = _prompt(task)
    around = 0 if count is not None else SPECIAL_TOKENS
    count = count or _count_bytes
    if before:
        around += truncated_count(task, count)([before])
    return truncated_count(task, count, around)


def _count_bytes(texts: Sequence[str]) -> int:
    """Return the bytes of texts in UTF-8, each as it is or in NFC, whichever is longer."""
    total = 0
    for text in texts:
        if text.isascii():
            total += len(text)
        else:
            total += max(len(form.encode()) for form in (text, normalize("NFC", text)))
    return total


def _prompt(task: Task[Any, Any]) -> str:
    """Return the prompt of the input type, or the common one if the model's is not known."""
    is_known = task.entry is not None and task.entry.prompts is not None
    return prompt(task.role, task.params.model if is_known else None)


def _lowest(task: Task[Any, Any], limit: str) -> int | None:
    """Return the lowest limit of all models of an endpoint, for an unknown model."""
    models = [model for model in MODELS.values() if model.endpoint == task.endpoint]
    found = (getattr(model, limit) for model in models)
    return min((one for one in found if one is not None), default=None)


def _bytes(count: int) -> str:
    return f"{count:,} bytes" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"
