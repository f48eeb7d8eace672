"""Batch jobs: `client.batches`."""

from __future__ import annotations

from .objects import Batch, BatchError, RequestCounts
from .polling import Polling
from .resource import Batches, PollOptions
from .resource_async import AsyncBatches

__all__ = [
    "AsyncBatches",
    "Batch",
    "BatchError",
    "Batches",
    "PollOptions",
    "Polling",
    "RequestCounts",
]
