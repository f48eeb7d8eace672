"""The number of concurrent requests, where no rate limit determines it."""

from __future__ import annotations

__all__ = ["Concurrency"]


class Concurrency:
    """The number of requests in flight, by additive increase and multiplicative decrease.

    Each round of successes raises the number by one; a refusal (429 or 529) halves it, once for all
    requests that were in flight at that time.

    Args:
        maximum: The highest number.
        first: The initial number.

    Example:
        >>> concurrency = Concurrency(maximum=64, first=8)
        >>> concurrency.refused(sent_at=0)
        >>> concurrency.target
        4
    """

    def __init__(self, maximum: int, first: int = 8) -> None:
        self._maximum = maximum
        self._target = float(min(first, maximum))
        self._sent = self._refused_at = 0

    @property
    def target(self) -> int:
        """Number of requests that may be in flight now."""
        return int(self._target)

    def send(self) -> int:
        """Count a request that is sent, and return its number."""
        self._sent += 1
        return self._sent

    def accepted(self) -> None:
        """Count a success."""
        self._target = min(self._maximum, self._target + 1 / self._target)

    def refused(self, sent_at: int) -> None:
        """Count a request that was refused for its rate.

        Args:
            sent_at: Number of the request.
        """
        if sent_at >= self._refused_at:
            self._target = max(1.0, self._target / 2)
            self._refused_at = self._sent + 1
