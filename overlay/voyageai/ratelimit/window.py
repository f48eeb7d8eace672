"""The requests that the server may still count against a limit."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import ceil

MINUTE = 60.0
COMPACT = 1024
"""Entries that have expired are deleted when there are so many of them."""


class SlidingWindow:
    """The requests that are in flight, and those that were answered less than a minute ago.

    A request counts from when it is let out until a minute after its answer. The server counts it
    from some moment in between. So two requests that the server sees within a minute were both in
    this window when the later of them was let out, whatever the network did to either; if the
    window never holds more than the limit, no minute of the server's does.

    Attributes:
        requests: Requests that count.
        tokens: Tokens that count.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.tokens = 0
        # Of each answered request: when it stops to count, and the tokens of all up to it.
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
        """Count a request of so many tokens, which is let out."""
        self.requests += 1
        self.tokens += tokens

    def remove(self, tokens: int) -> None:
        """Count a request no longer that was let out with so many tokens."""
        self.requests -= 1
        self.tokens -= tokens

    def answer(self, charge: int, used: int, until: float) -> None:
        """Count what an answered request used.

        Args:
            charge: The tokens it was let out with.
            used: The tokens it used.
            until: When it stops to count.
        """
        self.tokens += used - charge
        self._last += used
        # Threads read the clock before they get here, so times can be a little out of order.
        self._until.append(max(until, self._until[-1] if self._until else until))
        self._sums.append(self._last)

    def expire(self, now: float) -> None:
        """Drop what does not count any longer."""
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
        """Return the earliest time at which so much more can have expired.

        Args:
            requests: Requests that have to expire; any number up to 0 for none.
            tokens: Tokens that have to expire; any number up to 0 for none.
            now: The time.
        """
        at = now
        if requests > 0:
            at = max(at, self._expiry(self._first + ceil(requests) - 1, now))
        if tokens > 0:
            place = bisect_left(self._sums, self._expired + tokens, self._first)
            at = max(at, self._expiry(place, now))
        return at

    def _expiry(self, place: int, now: float) -> float:
        # What has no answer yet counts for a minute at the least.
        return self._until[place] if place < len(self._until) else now + MINUTE
