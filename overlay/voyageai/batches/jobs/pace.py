"""When a job tries again."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, gt
from voyageai_rest.catalogue import BATCH

from ...retry import RetryPolicy

__all__ = ["Pace"]


@frozen(kw_only=True)
class Pace:
    """How long a job waits for what, beside the pauses between two looks at its batches.

    Attributes:
        full: Seconds to wait when the organization has too many jobs or tokens in flight, and the
            server does not say how many; the API's documentation asks for as many.
        settling: Seconds for which a request may still take effect after its answer was lost, or
            after a job was taken up again: only then the server is asked whether it has.
        retries: What to do when the server fails or can't be reached.
    """

    full: float = field(default=BATCH.backoff_minutes * 60.0, validator=gt(0))
    settling: float = field(default=5.0, validator=ge(0))
    retries: RetryPolicy = field(
        factory=lambda: RetryPolicy(max_retries=8, initial_delay=2.0, max_delay=60.0)
    )
