"""Limits: how much a line and a batch may hold, and how many tokens a text can be billed for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from voyageai_rest.catalogue import BATCH, MODELS

from ...error import ArgumentError
from ...limits import known
from ...prompts import prompt
from .lines import Bin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tasks import Count, Task

__all__ = [
    "batch_bin",
    "billable_count",
    "fits_in_flight",
    "line_bin",
    "rounds",
    "rows_per_line",
    "share_in_flight",
    "truncated_count",
]

LINE_ROWS = 100
"""Rows of a line by default: few, as a line succeeds or fails as a whole."""
MARGIN = 2
"""Factor by which an estimate of tokens may be exceeded before a request has too many."""
SPECIAL_TOKENS = 4
"""Tokens that a tokenizer may put around a text. Chosen: a beginning, an end, and two to spare."""
FILE_BYTES = 268_435_456
"""Bytes of a batch's file. Chosen: what is sent again if the connection breaks."""


def line_bin(task: Task[Any, Any], rows: int | None, *, exact: bool) -> Bin:
    """Return an empty line with its limits.

    Args:
        task: The method and its arguments.
        rows: The most rows of a line; None for the default.
        exact: Whether tokens are counted, not estimated.
    """
    entry = known(task.params.model)
    tokens, chunks = (
        (entry.max_request_tokens, entry.max_request_chunks)
        if entry is not None
        else (_lowest(task, "max_request_tokens"), _lowest(task, "max_request_chunks"))
    )
    if tokens is not None and not exact:
        tokens //= MARGIN
    return Bin(rows=rows_per_line(task, rows), tokens=tokens, chunks=chunks)


def batch_bin(*, exact: bool) -> Bin:
    """Return an empty batch with its limits."""
    tokens = BATCH.max_tokens_in_flight
    return Bin(
        inputs=BATCH.max_inputs, tokens=tokens if exact else tokens // MARGIN, bytes=FILE_BYTES
    )


def fits_in_flight(tokens: Sequence[int], *, exact: bool) -> bool:
    """Return whether an organization may have batches of so many tokens in flight together."""
    margin = 1 if exact else MARGIN
    return (
        len(tokens) <= BATCH.max_jobs_in_flight
        and margin * sum(tokens) <= BATCH.max_tokens_in_flight
    )


def share_in_flight(tokens: Sequence[int], *, exact: bool) -> float:
    """Return which part of the tokens that may be in flight these are, as batches are sized."""
    return (1 if exact else MARGIN) * sum(tokens) / BATCH.max_tokens_in_flight


def rounds(batches: Sequence[int], *, exact: bool) -> int:
    """Return in how many rounds batches of so many tokens run, each as large as fits in flight."""
    count, in_flight = 1, list[int]()
    for tokens in batches:
        if in_flight and not fits_in_flight([*in_flight, tokens], exact=exact):
            count, in_flight = count + 1, []
        in_flight.append(tokens)
    return count


def rows_per_line(task: Task[Any, Any], rows: int | None) -> int:
    """Return how many rows a line may hold.

    Raises:
        ArgumentError: `rows` is more than a request holds, or not a number from 1.
    """
    if rows is None:
        return min(LINE_ROWS, task.rows_per_line)
    if type(rows) is not int or not 1 <= rows <= task.rows_per_line:
        raise ArgumentError(
            f"rows_per_line must be from 1 to {task.rows_per_line:,}, not {rows!r}", "rows_per_line"
        )
    return rows


def truncated_count(task: Task[Any, Any], count: Count) -> Count:
    """Return a function that counts the tokens of texts as far as the model reads each."""
    longest = task.longest()
    if longest is None:
        return count
    return lambda texts: sum(min(count([text]), longest) for text in texts)


def billable_count(task: Task[Any, Any], count: Count | None) -> Count:
    """Return a function that counts the tokens that texts can be billed for, at most.

    Each text counts with the prompt of its input type and with what a tokenizer puts around it, as
    the API does not say whether those are billed.

    Args:
        task: The method and its arguments.
        count: Counts tokens by the model's tokenizer. Without it a byte of UTF-8 is a token: the
            models' tokenizers start from bytes, and only join them.
    """
    own, before = truncated_count(task, count or _count_bytes), _prompt(task)
    around = own([before]) if before else 0
    if count is None:
        around += SPECIAL_TOKENS
    return lambda texts: own(texts) + around * len(texts)


def _count_bytes(texts: Sequence[str]) -> int:
    """Return the bytes of texts; of each in the normal form NFC, if it has more bytes in that."""
    total = 0
    for text in texts:
        if text.isascii():
            total += len(text)
        else:
            total += max(len(form.encode()) for form in (text, normalize("NFC", text)))
    return total


def _prompt(task: Task[Any, Any]) -> str:
    """Return the prompt of the input type; where the model's is not known, that of other models."""
    entry = known(task.params.model)
    is_known = entry is not None and entry.prompts is not None
    return prompt(task.role, task.params.model if is_known else None)


def _lowest(task: Task[Any, Any], limit: str) -> int | None:
    """Return the lowest limit of all models of an endpoint, for a model that is not known."""
    models = [model for model in MODELS.values() if model.endpoint == task.endpoint]
    found = (getattr(model, limit) for model in models)
    return min((one for one in found if one is not None), default=None)
