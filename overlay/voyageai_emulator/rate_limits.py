"""Limits on requests and tokens per minute.

The limits are the catalogue's; without a figure there is no limit. Usage is counted for each API
key and model, over the minute before a request. By the documentation some limits count by key and
others by organization, but an emulator only knows keys.

Only answered requests count: a request that is refused, for any reason, uses nothing. As was
recorded of the API, a request with more tokens than the limit is always refused. Two guesses:
requests are checked before tokens, and the limits of the free tier apply to each model separately.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from voyageai_rest.catalogue import TIERS, Tier, Tiers, TiersFree

from .responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from voyageai_rest.catalogue import Model

    from .atlas import Quota

__all__ = ["TIER_NAMES", "RateLimits", "Usage", "Window"]

TIER_NAMES = tuple(Tiers.__annotations__)
"""Names of the usage tiers."""
MAX_WINDOWS = 10_000
"""Maximum of windows, one per key and model; the least recently used one is dropped."""
WINDOW_SECONDS = 60
MAX_ENTRIES = 10_000
"""Maximum of entries in a window. Further requests are merged into the last entry, which expires
with the latest of them."""


class Usage(NamedTuple):
    """Usage of a rate limit in the last minute."""

    owner: str
    model: str
    requests: int
    tokens: int
    rpm: int | None
    """Requests per minute; None if they are not limited."""
    tpm: int | None
    """Tokens per minute; None if they are not limited."""


class _Limit(NamedTuple):
    """Requests and tokens allowed per minute; None for any number."""

    rpm: int | None = None
    tpm: int | None = None
    free: bool = False
    """True for the free tier, whose refusals have another message."""


class _Entry(NamedTuple):
    """Requests that count until the same time."""

    until: float
    requests: int
    tokens: int


class Window:
    """A sliding window of a minute: counts requests and their tokens.

    Args:
        max_entries: Maximum of entries; further requests are merged into the last one.

    Attributes:
        requests: Number of requests in the window, as of the last `roll`.
        tokens: Tokens of these requests.
        quota: Limits of the project whose requests it counts; None if the model's limits apply.

    Example:
        >>> window = Window()
        >>> window.add(100.0, tokens=7)
        >>> window.roll(159.0)
        >>> window.requests, window.tokens
        (1, 7)
        >>> window.roll(160.0)
        >>> window.requests, window.tokens
        (0, 0)
    """

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self.requests = 0
        self.tokens = 0
        self.quota: Quota | None = None
        self._entries: deque[_Entry] = deque()
        self._max_entries = max_entries

    def add(self, now: float, tokens: int) -> None:
        """Count a request."""
        entry = _Entry(now + WINDOW_SECONDS, 1, tokens)
        if len(self._entries) >= self._max_entries:
            last = self._entries.pop()
            entry = _Entry(entry.until, last.requests + 1, last.tokens + tokens)
        self._entries.append(entry)
        self.requests += 1
        self.tokens += tokens

    def roll(self, now: float) -> None:
        """Drop the entries that are a minute old."""
        while self._entries and self._entries[0].until <= now:
            entry = self._entries.popleft()
            self.requests -= entry.requests
            self.tokens -= entry.tokens

    def wait(self, now: float, requests: int, tokens: int) -> float | None:
        """Return the seconds until this many requests and tokens have left the window.

        None if the window does not have as many.
        """
        until = now
        for entry in self._entries:
            if requests <= 0 and tokens <= 0:
                break
            requests -= entry.requests
            tokens -= entry.tokens
            until = entry.until
        return None if requests > 0 or tokens > 0 else until - now


class RateLimits:
    """Counts requests and tokens of the last minute, by owner and model. Safe to share.

    Args:
        tier: Usage tier whose limits apply; None for no limits.
        models: Models by name.
        clock: Clock, in seconds.
        retry_after: Add the header ``retry-after`` to refusals.
        max_windows: Maximum of windows, one per owner and model; the oldest are dropped.

    Attributes:
        retry_after: True if refusals have the header ``retry-after``; may be set.

    Raises:
        ValueError: The name of the tier is unknown.

    Example:
        >>> from voyageai_emulator import running
        >>> with running(tier="free") as emulator:
        ...     emulator.limits.set("rerank-2.5", rpm=1)
        ...     emulator.limits.tier = "tier_1"
    """

    def __init__(
        self,
        tier: str | int | None,
        models: Mapping[str, Model],
        clock: Callable[[], float],
        *,
        retry_after: bool = False,
        max_windows: int = MAX_WINDOWS,
    ) -> None:
        self.tier = tier
        self.retry_after = retry_after
        self._models = models
        self._clock = clock
        self._max_windows = max_windows
        self._lock = threading.Lock()
        self._set_limits: dict[str | None, _Limit] = {}
        # Least recently used first.
        self._windows: dict[tuple[str, str], Window] = {}

    @property
    def tier(self) -> str | None:
        """Usage tier whose limits apply; may be set. Earlier requests still count."""
        return self._tier

    @tier.setter
    def tier(self, tier: str | int | None) -> None:
        if f"tier_{tier}" in TIER_NAMES:  # 1, as in the client, or "1", from the command line
            tier = f"tier_{tier}"
        if tier is not None and tier not in TIER_NAMES:
            raise ValueError(f"tier must be one of {', '.join(TIER_NAMES)}, not {tier!r}")
        self._tier = tier

    def set(
        self, model: str | None = None, *, rpm: int | None = None, tpm: int | None = None
    ) -> None:
        """Set the limits of a model, or of all models without own limits, instead of the tier's.

        Args:
            model: Name of the model; None for all.
            rpm: Requests per minute, from 0; None for no limit.
            tpm: Tokens per minute, from 0; None for no limit.

        Raises:
            ValueError: The model is unknown, or a limit is not a whole number from 0.
        """
        if model is not None and model not in self._models:
            raise ValueError(f"there is no model {model!r}")
        for name, limit in (("rpm", rpm), ("tpm", tpm)):
            if limit is not None and (type(limit) is not int or limit < 0):
                raise ValueError(f"{name} must be a whole number from 0, or None, not {limit!r}")
        with self._lock:
            self._set_limits[model] = _Limit(rpm, tpm)

    def clear(self) -> None:
        """Remove the limits set by `set`, so that the tier's apply again."""
        with self._lock:
            self._set_limits.clear()

    def take(self, owner: str, model: str, tokens: int, quota: Quota | None = None) -> None:
        """Count a request, unless it exceeds a limit.

        Args:
            owner: `fingerprint` of the request's API key.
            model: Name of the model.
            tokens: Tokens of the request.
            quota: Limits of the key's project, shared with its other keys; None for the tier's.

        Raises:
            ApiError: The request exceeds a limit.
        """
        with self._lock:
            now = self._clock()
            limit = self._limit(model) if quota is None else _Limit(quota.rpm, quota.tpm)
            window = self._window(owner if quota is None else quota.owner, model, now)
            window.quota = quota
            requests_over = 0 if limit.rpm is None else window.requests + 1 - limit.rpm
            tokens_over = 0 if limit.tpm is None else window.tokens + tokens - limit.tpm
            if requests_over <= 0 and tokens_over <= 0:
                window.add(now, tokens)
                return
            used = window.tokens
            wait = window.wait(now, requests_over, tokens_over) if self.retry_after else None
        raise ApiError(
            _detail(model, limit, used, of_requests=requests_over > 0),
            HTTPStatus.TOO_MANY_REQUESTS,
            headers=None if wait is None else {"retry-after": str(math.ceil(wait))},
        )

    def usage(self) -> list[Usage]:
        """Return the usage of the last minute per key and model, most recently used last."""
        with self._lock:
            now = self._clock()
            found: list[Usage] = []
            for (owner, model), window in self._windows.items():
                window.roll(now)
                if window.requests:
                    quota = window.quota
                    limit = _Limit(quota.rpm, quota.tpm) if quota else self._limit(model)
                    found.append(
                        Usage(owner, model, window.requests, window.tokens, limit.rpm, limit.tpm)
                    )
            return found

    def _limit(self, model: str) -> _Limit:
        own = self._set_limits.get(model) or self._set_limits.get(None)
        if own is not None or self._tier is None:
            return own or _Limit()
        tier: TiersFree | Tier = getattr(TIERS, self._tier)
        if isinstance(tier, TiersFree):
            return _Limit(tier.rpm, tier.tpm, free=True)
        known = self._models[model]
        return _Limit(_scaled(known.rpm, tier.factor), _scaled(known.tpm, tier.factor))

    def _window(self, owner: str, model: str, now: float) -> Window:
        """Return the window of an owner and a model, after removing unused windows."""
        window = self._windows.pop((owner, model), None) or Window()
        window.roll(now)
        while self._windows:
            oldest = next(iter(self._windows))
            self._windows[oldest].roll(now)
            if self._windows[oldest].requests and len(self._windows) < self._max_windows:
                break
            del self._windows[oldest]
        self._windows[owner, model] = window
        return window


def _scaled(limit: int | None, factor: float) -> int | None:
    return None if limit is None else int(limit * factor)


def _detail(model: str, limit: _Limit, used: int, *, of_requests: bool) -> str:
    """Return the message of a refusal. The ends of the first and the last were not recorded."""
    if limit.free:
        return (
            "You have not yet added your payment method in the billing page and will have reduced "
            f"rate limits of {limit.rpm} RPM and {(limit.tpm or 0) // 1000}K TPM. To unlock our "
            "standard rate limits, please add a payment method in the billing page for the "
            "appropriate organization in the user dashboard"
        )
    if of_requests:
        return (
            "You have exceeded your project's Requests Per Minute (RPM) rate limit of "
            f"{limit.rpm} requests per minute for {model}. See our documentation for ways to avoid "
            "this or to increase the project's rate limits on the dashboard: "
            "https://www.mongodb.com/docs/voyageai/management/rate-limits/#manage-rate-limits"
        )
    return (
        f"You have exceeded the project's Tokens Per Minute (TPM) rate limit of {limit.tpm} tokens "
        f"per minute for {model}. In the minute before this request, you used {used} tokens."
    )
