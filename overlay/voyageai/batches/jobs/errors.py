"""Errors of jobs alone."""

from __future__ import annotations

from ...error import ArgumentError, VoyageError

__all__ = ["JobDirectoryError", "JobInUseError", "MaxCostError"]


class MaxCostError(ArgumentError):
    """The job would cost more than it may.

    Either it was estimated to, and nothing was sent; or it was stopped, because what is left to
    send could have cost more. Then what is done is kept, and the job goes on under a higher one.

    Attributes:
        spent: US dollars that the job has cost so far; 0 if nothing was sent.
        rows_left: Rows that were not sent.
        likely: US dollars that these would cost, most likely; None if nobody knows.
        most: US dollars that they would cost at most; None if nobody knows.
    """

    spent: float = 0.0
    rows_left: int = 0
    likely: float | None = None
    most: float | None = None


class JobDirectoryError(VoyageError):
    """A job directory can't be used: it holds something else, or was damaged; says which file."""


class JobInUseError(JobDirectoryError):
    """Another process, or another thread of this one, is at work on the job."""
