"""Batch jobs, run for real in the background.

A job is validating, in progress, finalizing and completed; failed if a line of its input is
invalid; cancelling and cancelled on request. What nobody has recorded is decided so:

- Only a line that cannot be read fails the job, with the codes of `validation`. One that the model
  refuses, as it has too many tokens, fails by itself.
- A cancelled job's lines that were not run are in its error file with the code
  ``batch_cancelled``, and like those of the code ``batch_expired`` they count as failed. Lines
  are checked first in any case; a job with invalid lines is cancelled with errors and no files.
- More tokens in flight than an organization may have fail a job when its lines are counted; while
  as many are in flight, no further job is created.
- The answers come in another order than the lines.
"""

from __future__ import annotations

from .endpoints import BatchEndpoints
from .worker import Batches

__all__ = ["BatchEndpoints", "Batches"]
