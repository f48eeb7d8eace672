"""Errors of jobs alone."""

from __future__ import annotations

from ..error import ArgumentError, VoyageError

__all__ = ["JobDirectoryError", "JobInUseError", "MaxCostError"]


class MaxCostError(ArgumentError):
    """The job would cost more than it may. Nothing was sent."""


class JobDirectoryError(VoyageError):
    """A job directory can't be used: it holds something else, or was changed by hand."""


class JobInUseError(JobDirectoryError):
    """Another process, or another thread of this one, is at work on the job."""
