"""How much of a limit the server has shown to grant."""

from __future__ import annotations

from math import inf

from .window import MINUTE

FIRST_PAUSE = 15.0
LONGEST_BLOCK = 120.0
MOST_AT_ONCE = 4


class Brake:
    """Lets all requests back off together after a refusal, and recover by trying.

    Attributes:
        share: How much of the limit may be used, from 0 to 1; what the server took in the minute
            before it refused something.
        blocked: Until when nothing may be sent, as the server asked.
        try_at: From when a request may be sent beyond the share, to try out if that is too much.
    """

    def __init__(self) -> None:
        self.share = 1.0
        self.blocked = -inf
        self.try_at = -inf
        self._at_once = 1
        self._pause = FIRST_PAUSE
        self._slowed = -inf

    def may_try(self, trying: int, now: float) -> bool:
        """Whether a request may be sent beyond the share, while so many others try that out."""
        return self.share < 1 and trying < self._at_once and now >= self.try_at

    def took(self, share: float, tried: float | None, out: float) -> None:
        """The server took a request.

        Args:
            share: What it answered in the last minute, as a share of the limit.
            tried: What was in use with the request, as a share of the limit, if it was sent to
                try that out.
            out: When the request was let out.
        """
        if self.share >= 1:
            return
        if tried is not None:
            self._pause = max(FIRST_PAUSE, self._pause / 2)
            if out >= self._slowed:
                share = max(share, tried)
                self._at_once = min(MOST_AT_ONCE, self._at_once + 1)
        self.share = min(1.0, max(self.share, share))
        if self.share >= 1:
            self._pause = FIRST_PAUSE

    def refused(self, share: float, out: float, now: float, retry_after: float | None) -> None:
        """The server refused a request.

        Args:
            share: What it answered in the last minute, as a share of the limit.
            out: When the request was let out.
            now: The time.
            retry_after: Seconds in which the server wants no request.
        """
        self.share = min(self.share, share)
        if retry_after is not None:
            self.blocked = max(self.blocked, now + min(retry_after, LONGEST_BLOCK))
        if out >= self._slowed:  # otherwise it was on its way already when another was refused
            self._slowed = now
            self._at_once = 1
            self.try_at = now + self._pause
            self._pause = min(MINUTE, 2 * self._pause)
