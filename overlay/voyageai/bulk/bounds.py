"""How much a line and a batch may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voyageai_rest.catalogue import BATCH, MODELS

from ..error import ArgumentError
from ..limits import known
from .packing import Load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .task import Task

__all__ = ["batch_load", "fits_in_flight", "line_load", "rows_per_line"]

LINE_ROWS = 100
"""Rows of a line, if nothing else is asked for: few, as a line succeeds or fails as a whole."""
MARGIN = 2
"""How many times an estimate of tokens may be exceeded before a request has too many."""
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


def _least(task: Task[Any, Any], limit: str) -> int | None:
    """The lowest limit of all models of an endpoint, for one that is not in the catalogue."""
    models = [model for model in MODELS.values() if model.endpoint == task.endpoint]
    found = (getattr(model, limit) for model in models)
    return min((one for one in found if one is not None), default=None)
