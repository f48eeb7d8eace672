"""What a job tells as it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from attrs import frozen

__all__ = ["Progress", "Stage", "Told"]

Stage = Literal[
    "preparing",
    "uploading",
    "creating",
    "waiting",
    "retrying",
    "running",
    "downloading",
    "failed",
    "done",
]
"""What a job is at: writing its lines, sending them, making a batch, waiting for room among the
organization's jobs, trying again what failed, watching a batch run, fetching its answers; or what
has failed; or its end."""


@frozen(kw_only=True)
class Progress:
    """Something that a job tells.

    Attributes:
        stage: What it is at.
        message: The same for people, on one line or several.
        batch: Number of the batch that it is about, from 1; None for the whole job.
        done: How much of it is done.
        total: How much there is; None if that is not known.
        unit: What is counted: `rows`, `bytes`, `requests` or `batches`.
    """

    stage: Stage
    message: str
    batch: int | None = None
    done: int = 0
    total: int | None = None
    unit: str = ""


Told = Callable[[Progress], object]
"""Is told what a job does."""
