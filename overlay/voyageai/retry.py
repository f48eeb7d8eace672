"""The retry policy, as pure values: clock and randomness are arguments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

from attrs import field, frozen
from attrs.validators import ge

from .error import APIConnectionError, Timeout, VoyageError

RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504, *range(520, 530)})


@frozen
class ServerHint:
    """The server's advice on retrying.

    Attributes:
        seconds: Seconds to wait before the retry; None without advice.
        retry: True to retry, False not to; None without advice.
    """

    seconds: float | None = None
    retry: bool | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], now: datetime) -> ServerHint:
        """Read the headers `retry-after-ms`, `retry-after` and `x-should-retry`.

        Args:
            headers: Headers of the response, with names in lower case.
            now: The current time, with a time zone, to which an HTTP date is compared.
        """
        seconds = _seconds(headers.get("retry-after-ms"), 1000.0)
        if seconds is None:
            seconds = _seconds(headers.get("retry-after"), 1.0)
        if seconds is None:
            seconds = _seconds_until(headers.get("retry-after"), now)
        advice = headers.get("x-should-retry", "").strip().lower()
        return cls(seconds, {"true": True, "false": False}.get(advice))


@frozen
class Retry:
    """The decision to retry.

    Attributes:
        seconds: Seconds to wait before the retry.
    """

    seconds: float


@frozen
class GiveUp:
    """The decision not to retry.

    Attributes:
        reason: The reason, where the failure itself does not give it.
    """

    reason: str = ""


@frozen(kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter.

    Attributes:
        max_retries: Retries after the first attempt: 1 means up to two requests.
        initial_delay: Longest wait before the first retry, in seconds; it doubles with each retry.
        max_delay: Longest wait before any retry, in seconds.
        max_retry_after: Longest wait that the server may ask for, in seconds.

    Example:
        >>> policy = RetryPolicy(max_retries=5, initial_delay=0.5)
        >>> policy.decide(0, 503, ServerHint(), random=0.5, left=None)
        Retry(seconds=0.25)
    """

    max_retries: int = field(default=0, validator=ge(0))
    initial_delay: float = field(default=1.0, validator=ge(0))
    max_delay: float = field(default=16.0, validator=ge(0))
    max_retry_after: float = field(default=120.0, validator=ge(0))

    def decide(
        self,
        retries: int,
        status: int | None,
        hint: ServerHint,
        *,
        random: float,
        left: float | None,
    ) -> Retry | GiveUp:
        """Decide whether to retry after a failed attempt.

        Args:
            retries: Retries made so far.
            status: Status of the response; None without a response.
            hint: The server's advice.
            random: A random number, at least 0 and below 1.
            left: Seconds until the deadline; None without a deadline.
        """
        transient = status is None or status in RETRYABLE
        if not (transient if hint.retry is None else hint.retry):
            return GiveUp()
        if retries >= self.max_retries:
            return GiveUp()
        if hint.seconds is not None:
            seconds, reason = hint.seconds, f"the server asks to wait {hint.seconds:g} s"
            if seconds > self.max_retry_after:
                return GiveUp(f"{reason}, more than max_retry_after ({self.max_retry_after:g} s)")
        else:
            delay = min(self.max_delay, self.initial_delay * 2.0 ** min(retries, 64))
            seconds = delay * random
            reason = f"the next try would be in {seconds:.3g} s"
        if left is not None and seconds >= left:
            return GiveUp(f"{reason}, but only {max(left, 0.0):.3g} s are left")
        return Retry(seconds)


def is_transient(failure: VoyageError) -> bool:
    """Return whether a failure may go away by itself."""
    if failure.http_status is None:
        return isinstance(failure, (APIConnectionError, Timeout))
    return failure.http_status in RETRYABLE


def _seconds(value: str | None, scale: float) -> float | None:
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
