"""Whether to try again, and when: a value, without a clock or randomness of its own."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge

RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504, *range(520, 530)})


@frozen(kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter.

    Attributes:
        max_retries: Retries after the first try, so that 1 means up to two requests.
        first: Longest wait before the first retry, in seconds; it doubles with each.
        longest: Longest wait before any retry, in seconds.
        patience: Longest `Retry-After` that is waited for, in seconds.
    """

    max_retries: int = field(default=0, validator=ge(0))
    first: float = 1.0
    longest: float = 16.0
    patience: float = 120.0

    def wait(self, retries: int, retry_after: float | None, random: float) -> float | None:
        """Seconds to wait before the next retry, or None to give up.

        Args:
            retries: Retries made so far.
            retry_after: Seconds the server asked for.
            random: A random number from 0 up to 1.
        """
        if retries >= self.max_retries:
            return None
        if retry_after is not None:
            return retry_after if retry_after <= self.patience else None
        return min(self.longest, self.first * 2.0**retries) * random
