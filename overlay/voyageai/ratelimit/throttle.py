"""Adaptation to a server that grants less than the configured limit."""

from __future__ import annotations

from math import inf

from .window import MINUTE

FIRST_PAUSE = 15.0
LONGEST_BLOCK = 120.0
MAX_PROBES = 4


class AdaptiveThrottle:
    """Throttles all requests together after a refusal, and recovers by probing.

    Attributes:
        share: Share of the limit that may be used, from 0 to 1: what the server accepted in the
            minute before it refused a request.
        blocked_until: Time until which the server asked for no request.
        probe_at: Time from which a request beyond the share may be sent as a probe.
    """

    def __init__(self) -> None:
        self.share = 1.0
        self.blocked_until = -inf
        self.probe_at = -inf
        self._max_probes = 1
        self._pause = FIRST_PAUSE
        self._refused_at = -inf

    def allows_probe(self, probes: int, now: float) -> bool:
        """Return whether another probe may be sent, with `probes` of them in flight."""
        return self.share < 1 and probes < self._max_probes and now >= self.probe_at

    def accepted(self, share: float, probed: float | None, sent_at: float) -> None:
        """Record that the server accepted a request.

        Args:
            share: Share of the limit that was answered in the last minute.
            probed: Share of the limit in use when the request was sent, if it was a probe.
            sent_at: Time at which the request was admitted.
        """
        if self.share >= 1:
            return
        if probed is not None:
            self._pause = max(FIRST_PAUSE, self._pause / 2)
            if sent_at >= self._refused_at:
                share = max(share, probed)
                self._max_probes = min(MAX_PROBES, self._max_probes + 1)
        self.share = min(1.0, max(self.share, share))
        if self.share >= 1:
            self._pause = FIRST_PAUSE

    def refused(self, share: float, sent_at: float, now: float, retry_after: float | None) -> None:
        """Record that the server refused a request.

        Args:
            share: Share of the limit that was answered in the last minute.
            sent_at: Time at which the request was admitted.
            now: The current time.
            retry_after: Seconds in which the server wants no request.
        """
        self.share = min(self.share, share)
        if retry_after is not None:
            self.blocked_until = max(self.blocked_until, now + min(retry_after, LONGEST_BLOCK))
        if sent_at >= self._refused_at:  # otherwise it was in flight at an earlier refusal
            self._refused_at = now
            self._max_probes = 1
            self.probe_at = now + self._pause
            self._pause = min(MINUTE, 2 * self._pause)
