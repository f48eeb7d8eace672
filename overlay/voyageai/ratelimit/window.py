"""The sliding window of requests that the server may still count against a limit."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import ceil

MINUTE = 60.0
COMPACT = 1024
"""Number of expired entries from which they are deleted."""


class SlidingWindow:
    """The requests in flight, and those answered less than a minute ago.

    A request counts from its admission until a minute after its response; the server counts it
    from some moment in between. So two requests that the server sees within a minute were both in
    this window when the later one was admitted, however long the network took: if the window never
    exceeds the limit, no minute on the server does.

    Attributes:
        requests: Requests that count.
        tokens: Tokens that count.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.tokens = 0
        # For each answered request: when it stops counting, and the cumulative tokens.
        self._until: list[float] = []
        self._sums: list[int] = []
        self._first = 0
        self._expired = 0
        self._last = 0

    @property
    def answered(self) -> tuple[int, int]:
        """Requests and tokens that were answered less than a minute ago."""
        return len(self._until) - self._first, self._last - self._expired

    def add(self, tokens: int) -> None:
        """Count an admitted request and its tokens."""
        self.requests += 1
        self.tokens += tokens

    def remove(self, tokens: int) -> None:
        """Stop counting an admitted request and its tokens."""
        self.requests -= 1
        self.tokens -= tokens

    def answer(self, charge: int, used: int, until: float) -> None:
        """Count the tokens that an answered request used.

        Args:
            charge: Tokens that it counted with while in flight.
            used: Tokens that it used.
            until: Time at which it stops counting.
        """
        self.tokens += used - charge
        self._last += used
        # Threads read the clock before they take the lock: times can be slightly out of order.
        self._until.append(max(until, self._until[-1] if self._until else until))
        self._sums.append(self._last)

    def expire(self, now: float) -> None:
        """Stop counting requests that were answered a minute ago."""
        first = bisect_right(self._until, now, lo=self._first)
        if first == self._first:
            return
        self.requests -= first - self._first
        self.tokens -= self._sums[first - 1] - self._expired
        self._expired = self._sums[first - 1]
        self._first = first
        if first >= COMPACT and 2 * first >= len(self._until):
            del self._until[:first], self._sums[:first]
            self._first = 0

    def room_at(self, requests: float, tokens: float, now: float) -> float:
        """Return the earliest time at which some number of requests and tokens can have expired.

        Args:
            requests: Requests that have to expire; 0 or less for none.
            tokens: Tokens that have to expire; 0 or less for none.
            now: The current time.
        """
        at = now
        if requests > 0:
            at = max(at, self._expiry(self._first + ceil(requests) - 1, now))
        if tokens > 0:
            place = bisect_left(self._sums, self._expired + tokens, self._first)
            at = max(at, self._expiry(place, now))
        return at

    def _expiry(self, place: int, now: float) -> float:
        # Requests without a response count for at least another minute.
        return self._until[place] if place < len(self._until) else now + MINUTE
