"""Requests and tokens per minute.

The limits are the catalogue's. They are counted by API key and model, over the minute before each
request. Documented is that some count by key, others by organization; an emulator knows keys alone.
A figure that the catalogue does not have limits nothing.

Only requests that are answered count: one that is refused, for whatever reason, uses up nothing.
One with more tokens than the limit is refused even when none were used, so it can never pass; that
was seen of the API. These are guesses: that requests are looked at before tokens, and that the
limits of the free tier hold for each model by itself.
"""

from __future__ import annotations

import math
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from voyageai_rest.catalogue import TIERS, Tier, Tiers, TiersFree

from .responses import ApiError
from .window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from voyageai_rest.catalogue import Model

__all__ = ["TIER_NAMES", "RateLimits", "Usage"]

TIER_NAMES = tuple(Tiers.__annotations__)
"""The usage tiers there are."""
MOST = 10_000
"""Pairs of a key and a model to keep count of; the one not used for longest is dropped."""


class Usage(NamedTuple):
    """What of a rate limit is used."""

    owner: str
    model: str
    requests: int
    tokens: int
    rpm: int | None
    """Requests per minute; None if they are not limited."""
    tpm: int | None
    """Tokens per minute; None if they are not limited."""


class _Limit(NamedTuple):
    """What a minute may hold; None for any number."""

    rpm: int | None = None
    tpm: int | None = None
    free: bool = False
    """Whether it is that of the free tier, which has words of its own."""


class RateLimits:
    """Counts requests and tokens of the last minute, by owner and model. Safe to share.

    Args:
        tier: Usage tier whose limits hold; without one none does.
        models: Models, by name.
        clock: Tells the time, in seconds.
        retry_after: Whether a refusal says when to come again.

    Attributes:
        retry_after: As above; may be set.

    Raises:
        ValueError: There is no such tier.

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
    ) -> None:
        self.tier = tier
        self.retry_after = retry_after
        self._models = models
        self._clock = clock
        self._lock = threading.Lock()
        self._own: dict[str | None, _Limit] = {}
        # In the order of their last use.
        self._windows: dict[tuple[str, str], Window] = {}

    @property
    def tier(self) -> str | None:
        """Usage tier whose limits hold; may be set, and what was used goes on counting."""
        return self._tier

    @tier.setter
    def tier(self, tier: str | int | None) -> None:
        if f"tier_{tier}" in TIER_NAMES:  # 1, as the client has it, and the command line's "1"
            tier = f"tier_{tier}"
        if tier is not None and tier not in TIER_NAMES:
            raise ValueError(f"tier must be one of {', '.join(TIER_NAMES)}, not {tier!r}")
        self._tier = tier

    def set(
        self, model: str | None = None, *, rpm: int | None = None, tpm: int | None = None
    ) -> None:
        """Limit a model otherwise than its tier does, or all that have no such limits.

        Args:
            model: Name of the model; by default all.
            rpm: Requests per minute, from 0; by default any number.
            tpm: Tokens per minute, from 0; by default any number.

        Raises:
            ValueError: There is no such model, or a limit is none.
        """
        if model is not None and model not in self._models:
            raise ValueError(f"there is no model {model!r}")
        for name, limit in (("rpm", rpm), ("tpm", tpm)):
            if limit is not None and (type(limit) is not int or limit < 0):
                raise ValueError(f"{name} must be a whole number from 0, or None, not {limit!r}")
        with self._lock:
            self._own[model] = _Limit(rpm, tpm)

    def clear(self) -> None:
        """Let the tier's limits hold for every model again."""
        with self._lock:
            self._own.clear()

    def take(self, owner: str, model: str, tokens: int) -> None:
        """Count a request, unless that is one too many.

        Args:
            owner: Who asks.
            model: Name of a model.
            tokens: Of the request.

        Raises:
            ApiError: It is.
        """
        with self._lock:
            now = self._clock()
            limit = self._limit(model)
            window = self._window(owner, model, now)
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
        """What was used in the last minute, of limits or not; the latest used last."""
        with self._lock:
            now = self._clock()
            found: list[Usage] = []
            for (owner, model), window in self._windows.items():
                window.roll(now)
                if window.requests:
                    limit = self._limit(model)
                    found.append(
                        Usage(owner, model, window.requests, window.tokens, limit.rpm, limit.tpm)
                    )
            return found

    def _limit(self, model: str) -> _Limit:
        own = self._own.get(model) or self._own.get(None)
        if own is not None or self._tier is None:
            return own or _Limit()
        tier: TiersFree | Tier = getattr(TIERS, self._tier)
        if isinstance(tier, TiersFree):
            return _Limit(tier.rpm, tier.tpm, free=True)
        known = self._models[model]
        return _Limit(_times(known.rpm, tier.factor), _times(known.tpm, tier.factor))

    def _window(self, owner: str, model: str, now: float) -> Window:
        """The window of an owner and a model, after dropping those that are out of use."""
        window = self._windows.pop((owner, model), None) or Window()
        window.roll(now)
        while self._windows:
            oldest = next(iter(self._windows))
            self._windows[oldest].roll(now)
            if self._windows[oldest].requests and len(self._windows) < MOST:
                break
            del self._windows[oldest]
        self._windows[owner, model] = window
        return window


def _times(limit: int | None, factor: float) -> int | None:
    return None if limit is None else int(limit * factor)


def _detail(model: str, limit: _Limit, used: int, *, of_requests: bool) -> str:
    """Why a request is refused. The ends of the first and the last text were not recorded."""
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
