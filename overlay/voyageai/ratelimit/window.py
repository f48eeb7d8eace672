"""What the server may still count against a limit."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import ceil

MINUTE = 60.0
COMPACT = 1024  # entries that left are forgotten in lots


class Window:
    """The requests that are on their way, and those that were answered less than a minute ago.

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
        self._gone = 0
        self._last = 0

    @property
    def answered(self) -> tuple[int, int]:
        """Requests and tokens that were answered less than a minute ago."""
        return len(self._until) - self._first, self._last - self._gone

    def enter(self, tokens: int) -> None:
        """A request of so many tokens is let out."""
        self.requests += 1
        self.tokens += tokens

    def forget(self, tokens: int) -> None:
        """A request that was let out does not count after all."""
        self.requests -= 1
        self.tokens -= tokens

    def answer(self, entered: int, tokens: int, until: float) -> None:
        """A request is answered.

        Args:
            entered: The tokens it was let out with.
            tokens: The tokens it used.
            until: When it stops to count.
        """
        self.tokens += tokens - entered
        self._last += tokens
        # Threads read the clock before they get here, so times can be a little out of order.
        self._until.append(max(until, self._until[-1] if self._until else until))
        self._sums.append(self._last)

    def expire(self, now: float) -> None:
        """Drop what does not count any longer."""
        first = bisect_right(self._until, now, lo=self._first)
        if first == self._first:
            return
        self.requests -= first - self._first
        self.tokens -= self._sums[first - 1] - self._gone
        self._gone = self._sums[first - 1]
        self._first = first
        if first >= COMPACT and 2 * first >= len(self._until):
            del self._until[:first], self._sums[:first]
            self._first = 0

    def room(self, requests: float, tokens: float, now: float) -> float:
        """The earliest time at which so much more than now can have left.

        Args:
            requests: Requests that have to leave; any number up to 0 for none.
            tokens: Tokens that have to leave; any number up to 0 for none.
            now: The time.
        """
        at = now
        if requests > 0:
            at = max(at, self._time(self._first + ceil(requests) - 1, now))
        if tokens > 0:
            at = max(at, self._time(bisect_left(self._sums, self._gone + tokens, self._first), now))
        return at

    def _time(self, place: int, now: float) -> float:
        # What has no answer yet counts for a minute at the least.
        return self._until[place] if place < len(self._until) else now + MINUTE
