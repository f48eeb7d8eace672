"""How much a line and a batch may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from voyageai_rest.catalogue import BATCH, MODELS

from ...error import ArgumentError
from ...limits import known
from ...prompts import prompt
from .packing import Load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .task import Count, Task

__all__ = [
    "batch_load",
    "fits_in_flight",
    "line_load",
    "most_tokens",
    "read_tokens",
    "rows_per_line",
]

LINE_ROWS = 100
"""Rows of a line, if nothing else is asked for: few, as a line succeeds or fails as a whole."""
MARGIN = 2
"""How many times an estimate of tokens may be exceeded before a request has too many."""
SPECIAL_TOKENS = 4
"""Tokens that a tokenizer may put around a text. Chosen: a beginning, an end, and two to spare."""
FILE_BYTES = 268_435_456
"""Bytes of a batch's file. Chosen: what is sent again if the connection breaks."""


def line_load(task: Task[Any, Any], rows: int | None, *, exact: bool) -> Load:
    """An empty line.

    Args:
        task: What its rows are.
        rows: The most of them; None for a few.
        exact: Whether tokens are counted, not estimated.
    """
    entry = known(task.params.model)
    tokens, chunks = (
        (entry.max_request_tokens, entry.max_request_chunks)
        if entry is not None
        else (_least(task, "max_request_tokens"), _least(task, "max_request_chunks"))
    )
    if tokens is not None and not exact:
        tokens //= MARGIN
    return Load(rows=rows_per_line(task, rows), tokens=tokens, chunks=chunks)


def batch_load(*, exact: bool) -> Load:
    """An empty batch."""
    tokens = BATCH.max_tokens_in_flight
    return Load(
        inputs=BATCH.max_inputs, tokens=tokens if exact else tokens // MARGIN, bytes=FILE_BYTES
    )


def fits_in_flight(tokens: Sequence[int], *, exact: bool) -> bool:
    """Whether an organization may have batches of so many tokens in flight together."""
    margin = 1 if exact else MARGIN
    return (
        len(tokens) <= BATCH.max_jobs_in_flight
        and margin * sum(tokens) <= BATCH.max_tokens_in_flight
    )


def read_tokens(task: Task[Any, Any], count: Count) -> Count:
    """Counts the tokens of texts as far as the model reads each."""
    longest = task.longest()
    if longest is None:
        return count
    return lambda texts: sum(min(count([text]), longest) for text in texts)


def most_tokens(task: Task[Any, Any], count: Count | None) -> Count:
    """Counts the tokens that texts can be billed for, at most.

    Each text counts with the prompt of its input type and with what a tokenizer puts around it, as
    the API does not say whether those are billed.

    Args:
        task: What the texts are for.
        count: Counts tokens by the model's tokenizer. Without it a byte of UTF-8 is a token: the
            models' tokenizers begin with bytes, and only join them.
    """
    own, before = read_tokens(task, count or _bytes), _prompt(task)
    around = own([before]) if before else 0
    if count is None:
        around += SPECIAL_TOKENS
    return lambda texts: own(texts) + around * len(texts)


def rows_per_line(task: Task[Any, Any], rows: int | None) -> int:
    """How many rows a line may hold.

    Raises:
        ArgumentError: No request holds as many as are asked for.
    """
    if rows is None:
        return min(LINE_ROWS, task.rows_per_line)
    if type(rows) is not int or not 1 <= rows <= task.rows_per_line:
        raise ArgumentError(
            f"rows_per_line must be from 1 to {task.rows_per_line:,}, not {rows!r}", "rows_per_line"
        )
    return rows


def _bytes(texts: Sequence[str]) -> int:
    """Bytes of texts, in the normal form that a tokenizer may bring them into if that has more."""
    total = 0
    for text in texts:
        if text.isascii():
            total += len(text)
        else:
            total += max(len(form.encode()) for form in (text, normalize("NFC", text)))
    return total


def _prompt(task: Task[Any, Any]) -> str:
    """What is put before each text; the prompt of other models where the model's is not known."""
    entry = known(task.params.model)
    is_known = entry is not None and entry.prompts is not None
    return prompt(task.role, task.params.model if is_known else None)


def _least(task: Task[Any, Any], limit: str) -> int | None:
    """The lowest limit of all models of an endpoint, for one that is not in the catalogue."""
    models = [model for model in MODELS.values() if model.endpoint == task.endpoint]
    found = (getattr(model, limit) for model in models)
    return min((one for one in found if one is not None), default=None)
