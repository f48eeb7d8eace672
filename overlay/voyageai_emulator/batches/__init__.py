"""Batch jobs, which run in the background.

A job is first validating, then in progress, finalizing and completed. It is failed if a line of its
input is invalid, and cancelling, then cancelled, on request. These details were not recorded, and
are guesses:

- Only an invalid line fails the job, with the codes of `validation`. A line that the model refuses,
  for example because it has too many tokens, fails alone.
- Lines of a cancelled job that were not run are in its error file with the code
  ``batch_cancelled``. Like those with the code ``batch_expired``, they count as failed. Lines are
  validated in any case; a job with invalid lines is cancelled with errors and without files.
- A job fails if its tokens, counted after its lines, exceed the organization's limit of tokens in
  flight. While that limit is used up, no job can be created.
- Results are in another order than the lines.
"""

from __future__ import annotations

from .endpoints import BatchEndpoints
from .worker import Batches

__all__ = ["BatchEndpoints", "Batches"]
