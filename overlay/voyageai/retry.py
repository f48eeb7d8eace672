"""Whether to try again, and when: a value, without a clock or randomness of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

from attrs import field, frozen
from attrs.validators import ge

RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504, *range(520, 530)})


@frozen
class Advice:
    """What the server said about trying again.

    Attributes:
        seconds: How long to wait first.
        retry: Whether to try at all.
    """

    seconds: float | None = None
    retry: bool | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], now: datetime) -> Advice:
        """Read it from headers: `retry-after-ms`, `retry-after`, `x-should-retry`.

        Args:
            headers: Headers of the answer, names in lower case.
            now: The time, with a zone, that a date is compared with.
        """
        seconds = _number(headers.get("retry-after-ms"), 1000.0)
        if seconds is None:
            seconds = _number(headers.get("retry-after"), 1.0)
        if seconds is None:
            seconds = _seconds_until(headers.get("retry-after"), now)
        said = headers.get("x-should-retry", "").strip().lower()
        return cls(seconds, {"true": True, "false": False}.get(said))


@frozen
class GiveUp:
    """A decision not to try again.

    Attributes:
        reason: Why, where the failure itself does not say it.
    """

    reason: str = ""


@frozen(kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter.

    Attributes:
        max_retries: Retries after the first try, so that 1 means up to two requests.
        first: Longest wait before the first retry, in seconds; it doubles with each.
        longest: Longest wait before any retry, in seconds.
        patience: Longest wait that the server may ask for, in seconds.

    Example:
        >>> RetryPolicy(max_retries=5, first=0.5).decide(0, 503, Advice(), random=0.5, left=None)
        0.25
    """

    max_retries: int = field(default=0, validator=ge(0))
    first: float = field(default=1.0, validator=ge(0))
    longest: float = field(default=16.0, validator=ge(0))
    patience: float = field(default=120.0, validator=ge(0))

    def decide(
        self, retries: int, status: int | None, advice: Advice, *, random: float, left: float | None
    ) -> float | GiveUp:
        """Seconds to wait before the next try, or to give up.

        Args:
            retries: Retries made so far.
            status: Status of the answer; None where none came.
            advice: What the server said.
            random: A random number from 0 up to 1.
            left: Seconds until the deadline; None without one.
        """
        passing = status is None or status in RETRYABLE
        if not (passing if advice.retry is None else advice.retry):
            return GiveUp()
        if retries >= self.max_retries:
            return GiveUp()
        if advice.seconds is not None:
            seconds, asker = advice.seconds, f"the server asks to wait {advice.seconds:g} s"
            if seconds > self.patience:
                return GiveUp(f"{asker}, more than the {self.patience:g} s that are waited at most")
        else:
            seconds = min(self.longest, self.first * 2.0 ** min(retries, 64)) * random
            asker = f"the next try would be in {seconds:.3g} s"
        if left is not None and seconds >= left:
            return GiveUp(f"{asker}, but only {max(left, 0.0):.3g} s are left")
        return seconds


def _number(value: str | None, scale: float) -> float | None:
    try:
        seconds = float(value or "") / scale
    except ValueError:
        return None
    return seconds if isfinite(seconds) and seconds >= 0 else None


def _seconds_until(date: str | None, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
