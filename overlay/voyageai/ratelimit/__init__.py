"""Waiting for the rate limit before sending, instead of being refused and sending again."""

from __future__ import annotations

import os
from functools import partial
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Literal, cast

from attrs import field, frozen
from voyageai_rest.catalogue import MODELS, TIERS

from .._utils import safe_repr
from ..error import ArgumentError
from .budget import Budget
from .wait_queue import Reservation

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from threading import Lock

    from attrs import Attribute
    from voyageai_rest.catalogue import Model

__all__ = ["RateLimit", "RateLimiter", "Reservation", "Setting"]

PAID = {1: TIERS.tier_1, 2: TIERS.tier_2, 3: TIERS.tier_3}

NAMES = {f"tier_{number}": number for number in PAID}
"""Paid tiers by the names of the catalogue and the emulator."""

MAX_REQUEST_TOKENS = max(model.max_request_tokens or 0 for model in MODELS.values())
"""The most tokens that any model takes in one request."""

Number = Literal["free", 1, 2, 3]
Tier = Number | Literal["tier_1", "tier_2", "tier_3"]


def _limit(_: object, attribute: Attribute[float | None], value: Any) -> None:
    if value is None:
        return
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not isfinite(value) or value < 1:
        raise ArgumentError(
            f"{attribute.name} must be a number, 1 or more, or None, not {value!r}", attribute.name
        )


@frozen(kw_only=True)
class RateLimit:
    """A limit on what all calls together may send in any 60 seconds, whatever their models.

    Attributes:
        rpm: Requests per minute; None for no limit.
        tpm: Tokens per minute; None for no limit.

    Raises:
        ArgumentError: `rpm` or `tpm` is not a number from 1, or both are None.

    Example:
        >>> RateLimit(rpm=300, tpm=1_000_000)
        RateLimit(rpm=300, tpm=1000000)
    """

    rpm: float | None = field(default=None, validator=_limit)
    tpm: float | None = field(default=None, validator=_limit)

    def __attrs_post_init__(self) -> None:
        if self.rpm is None and self.tpm is None:
            raise ArgumentError("a RateLimit needs rpm, tpm or both", "rate_limit")


class RateLimiter:
    """Admits requests in order of arrival, never more than the limit in any minute.

    For each request: call `reserve`; call `wait` and sleep until it returns 0; send the request;
    then call `correct` with the tokens of the response, or `slow_down` if the server answered 429;
    and always call `release` at the end. Any number of threads, tasks and clients may share a
    limiter; each process counts for itself. Times are seconds of any clock that only goes forwards.

    Args:
        setting: A usage tier of the API (`"free"`, 1, 2 or 3; or `"tier_1"` and so on) or a
            `RateLimit`. The paid tiers have a limit for each model; a model whose limits are not
            known gets the lowest of its endpoint, and an unknown model the lowest of all. The free
            tier and a `RateLimit` are one limit for all models together.
        share: The part of the limit that this process may use, such as 1/4 in each of four.
        on_wait: Called with the model and the remaining seconds of a wait, about once a second, and
            with 0 seconds when the wait is over: for a progress bar. Clients call it in the thread
            or event loop of the waiting call, so it must not block. It is not pickled.

    Raises:
        ArgumentError: `setting` is neither a tier nor a `RateLimit`, or `share` is not above 0 and
            up to 1.

    Example:
        >>> limiter = RateLimiter(RateLimit(rpm=1))
        >>> first, second = (limiter.reserve("voyage-4", 20, now=0.0) for _ in range(2))
        >>> limiter.wait(first, now=0.0)
        0.0
        >>> limiter.correct(first, tokens=18, now=0.5)
        >>> limiter.wait(second, now=60.0) > 0
        True
        >>> limiter.wait(second, now=60.5)
        0.0
    """

    def __init__(
        self,
        setting: Tier | RateLimit,
        on_wait: Callable[[str, float], object] | None = None,
        *,
        share: float = 1.0,
    ) -> None:
        if isinstance(setting, str):
            setting = cast("Number", NAMES.get(setting, setting))
        paid = type(setting) is int and setting in PAID
        free = isinstance(setting, str) and setting == "free"
        if not paid and not free and not isinstance(setting, RateLimit):
            raise ArgumentError(
                "rate_limit must be None, a tier ('free', 1, 2 or 3), a RateLimit or a "
                f"RateLimiter, not {setting!r}",
                "rate_limit",
            )
        if not _is_number(share) or not 0 < share <= 1:
            raise ArgumentError(f"share must be a number above 0, up to 1, not {share!r}", "share")
        self.setting: Number | RateLimit = setting
        self.share = share
        self.on_wait = on_wait
        # Keys hold the process id: a forked child does not count its parent's requests.
        self._budgets: dict[Hashable, Budget] = {}

    @classmethod
    def of(cls, setting: Setting) -> RateLimiter | None:
        """Return a limiter for a setting: a limiter itself, and None for None.

        Raises:
            ArgumentError: `setting` is not one of the types of `Setting`.
        """
        return setting if setting is None or isinstance(setting, RateLimiter) else cls(setting)

    def shared(self, share: float) -> RateLimiter:
        """Return a new limiter that may use a part of what this one may use.

        Args:
            share: The part, above 0 and up to 1.

        Raises:
            ArgumentError: `share` is not above 0 and up to 1.

        Example:
            >>> RateLimiter(RateLimit(rpm=400)).shared(1 / 4).limits("voyage-4")
            (100.0, inf)
        """
        part = RateLimiter(self.setting, self.on_wait, share=share)
        part.share = share * self.share
        return part

    def limits(self, model: str) -> tuple[float, float]:
        """Return the requests and the tokens per minute that may be sent; infinite without a limit.

        Args:
            model: Name of the model.
        """
        rpm, tpm = limits(self.setting, model)
        return max(1.0, rpm * self.share), max(1.0, tpm * self.share)

    def reserve(
        self,
        model: str,
        tokens: int,
        now: float,
        *,
        again: bool = False,
        alive: Lock | None = None,
    ) -> Reservation:
        """Queue a request.

        Args:
            model: The model of the request.
            tokens: Tokens of its inputs, counted or estimated.
            now: The current time.
            again: True for a retry, which goes before all first attempts.
            alive: A lock that the call holds (`with alive:`) from before this until its end. Once
                the lock is free, the reservation is released, even if an interrupt kept the call
                from releasing it.
        """
        shared = not isinstance(self.setting, int)
        key = (os.getpid(), None if shared else model)
        budget = self._budgets.get(key)
        if budget is None:
            budget = self._budgets.setdefault(key, Budget(*self.limits(model)))
        max_tokens = max_tokens_of_request(model, tokens)
        reservation = Reservation(key, max(tokens, 0), max_tokens, again, alive, next_poll=now)
        budget.reserve(reservation, now)
        return reservation

    def wait(self, reservation: Reservation, now: float) -> float:
        """Return the seconds to sleep before calling again; 0 admits the request, to be sent now.

        A request of more tokens than the limit is admitted when no other request counts; the server
        decides about it.
        """
        return self._budgets[reservation.key].wait(reservation, now)

    def min_wait(self, reservation: Reservation, now: float) -> float:
        """Return a lower estimate of the seconds that a request has to wait.

        If it exceeds the time to a deadline, waiting is pointless.
        """
        return self._budgets[reservation.key].min_wait(reservation, now)

    def correct(self, reservation: Reservation, tokens: int | None, now: float) -> None:
        """Count the tokens that a response reports.

        Args:
            reservation: The reservation of the request.
            tokens: Tokens that were used; None if the response is an error without a count. An
                impossible number (negative, no integer, or more than the model takes in one
                request) is treated as None.
            now: The current time.
        """
        self._budgets[reservation.key].correct(reservation, now, tokens)

    def slow_down(self, reservation: Reservation, now: float, retry_after: float | None) -> None:
        """Throttle all requests of the limit, after the server refused one for its rate (429).

        The limit becomes what the server accepted in the last minute. After 15 seconds, requests
        beyond it probe whether the server accepts more: one at first, then up to four at a time.
        Each accepted probe raises the limit, up to the configured one. Another refusal starts over,
        with twice the time before the first probe, up to a minute.

        Args:
            reservation: The reservation of the refused request.
            now: The current time.
            retry_after: Seconds in which the server wants no request, of which at most two minutes
                are kept; ignored unless a number from 0.
        """
        self._budgets[reservation.key].slow_down(reservation, now, retry_after)

    def release(self, reservation: Reservation, now: float) -> None:
        """End a reservation, whether its request was answered or given up.

        A request that still waits leaves the queue. One that was admitted and has no response still
        counts, as the server may have seen it. For others, nothing changes.
        """
        self._budgets[reservation.key].release(reservation, now)

    @safe_repr
    def __repr__(self) -> str:
        share = "" if self.share == 1 else f", share={self.share:.4g}"
        return f"RateLimiter({self.setting!r}{share})"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(RateLimiter, self.setting, share=self.share), ()

    def __copy__(self) -> RateLimiter:
        return self  # copies of a client share its limit

    def __deepcopy__(self, memo: object) -> RateLimiter:
        return self


Setting = Tier | RateLimit | RateLimiter | None
"""The types of a client's rate limit."""


def limits(
    setting: Number | RateLimit, model: str, models: Mapping[str, Model] = MODELS
) -> tuple[float, float]:
    """Return the requests and tokens per minute of a setting; infinite where there is no limit."""
    if isinstance(setting, RateLimit):
        return setting.rpm or inf, setting.tpm or inf
    if setting == "free":
        return TIERS.free.rpm, TIERS.free.tpm
    entry, factor = models.get(model), PAID[setting].factor
    endpoint = entry.endpoint if entry else None
    candidates = [other for other in models.values() if endpoint in (None, other.endpoint)]
    rpm = (entry and entry.rpm) or min(other.rpm or inf for other in candidates)
    tpm = (entry and entry.tpm) or min(other.tpm or inf for other in candidates)
    return rpm * factor, tpm * factor


def max_tokens_of_request(model: str, tokens: int) -> int:
    """Return the most tokens that a request can use: the model's limit, or a larger estimate."""
    entry = MODELS.get(model)
    return max(tokens, (entry and entry.max_request_tokens) or MAX_REQUEST_TOKENS)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
