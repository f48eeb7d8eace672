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
"""Paid tiers as the catalogue and the emulator call them."""

LARGEST = max(model.max_request_tokens or 0 for model in MODELS.values())
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
    """A limit of what all calls together may send in any 60 seconds, whatever their models.

    Attributes:
        rpm: Requests per minute; None for no limit.
        tpm: Tokens per minute; None for no limit.

    Raises:
        ArgumentError: A number is no limit, or there is none.

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
    """Lets requests out in order of arrival, never more than the limit in any minute.

    For each request: `reserve`; ask `wait`, and sleep, until it says 0; send; then `correct` with
    what the answer says, or `slow_down` if it is a refusal. `release` at the end, whatever
    happened. Any number of threads, tasks and clients may share one; each process has a count of
    its own. Times are of any clock that only goes forwards, in seconds.

    Args:
        setting: A usage tier of the API (`"free"`, 1, 2 or 3; or `"tier_1"` and so on) or a
            `RateLimit`. The paid tiers have a limit for each model; a model whose limits are not
            known gets the lowest of its endpoint, or the lowest of all if the model is not known
            either. The free tier and a `RateLimit` are one limit for all models together.
        share: Part of the limit that this process may use, such as 1/4 in each of four.
        on_wait: For a progress bar. It gets the model and the seconds that are left of a wait,
            about once a second, and 0 seconds when the wait is over. Clients call it in the thread
            or event loop of the call that waits, so it must not block. A pickled limiter has none.

    Raises:
        ArgumentError: The setting is none of these.

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
        # A forked child starts anew: the requests of its parent's threads are not its own.
        self._budgets: dict[Hashable, Budget] = {}

    @classmethod
    def of(cls, setting: Setting) -> RateLimiter | None:
        """Return a limiter for a setting: the same one if it is a limiter, and none for None.

        Raises:
            ArgumentError: It is no setting.
        """
        return setting if setting is None or isinstance(setting, RateLimiter) else cls(setting)

    def shared(self, share: float) -> RateLimiter:
        """Return a new limiter for a part of what this one may use.

        Args:
            share: The part, above 0 and up to 1.

        Raises:
            ArgumentError: It is no such number.

        Example:
            >>> RateLimiter(RateLimit(rpm=400)).shared(1 / 4).limits("voyage-4")
            (100.0, inf)
        """
        part = RateLimiter(self.setting, self.on_wait, share=share)
        part.share = share * self.share
        return part

    def limits(self, model: str) -> tuple[float, float]:
        """Return the requests and tokens per minute that may be sent; infinite without a limit.

        Args:
            model: The model that they are for.
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
            model: The model it is for.
            tokens: Tokens of its inputs, as counted or estimated.
            now: The time.
            again: Whether it is a retry: it waits before all first attempts.
            alive: A lock that the call holds (`with alive:`) from before this until its end. Once
                it is free, what the call reserved is given back, even if an interrupt kept the
                call from saying so.
        """
        shared = not isinstance(self.setting, int)
        key = (os.getpid(), None if shared else model)
        budget = self._budgets.get(key)
        if budget is None:
            budget = self._budgets.setdefault(key, Budget(*self.limits(model)))
        most = largest(model, tokens)
        reservation = Reservation(key, max(tokens, 0), most, again, alive, next_poll=now)
        budget.reserve(reservation, now)
        return reservation

    def wait(self, reservation: Reservation, now: float) -> float:
        """Return the seconds to sleep before asking again; 0 lets the request out, to be sent now.

        A request of more tokens than the limit goes when nothing else counts, and the server says
        what it thinks of it.
        """
        return self._budgets[reservation.key].wait(reservation, now)

    def at_least(self, reservation: Reservation, now: float) -> float:
        """Return an estimate, rather too low, of the seconds that a request must wait.

        More than the time to a deadline means that there is no point in waiting.
        """
        return self._budgets[reservation.key].at_least(reservation, now)

    def correct(self, reservation: Reservation, tokens: int | None, now: float) -> None:
        """Count the tokens that an answer reports.

        Args:
            reservation: The request's.
            tokens: Tokens that were used; None if the answer is an error that does not say it. A
                number that can't be true (negative, no integer, or more than the model takes in
                one request) is taken for None.
            now: The time.
        """
        self._budgets[reservation.key].correct(reservation, now, tokens)

    def slow_down(self, reservation: Reservation, now: float, retry_after: float | None) -> None:
        """Let all requests of a limit back off, as the server refused one for its rate (429).

        From then on the limit is what the server accepted in the last minute. From 15 seconds later
        requests probe whether the server accepts more: one, and while they are accepted up to four
        at a time. Each that is accepted raises the limit, up to the configured one. A refusal
        starts this anew, with twice the time before it, up to a minute.

        Args:
            reservation: The request's.
            now: The time.
            retry_after: Seconds in which the server wants no request; up to two minutes are kept,
                and nothing of what is no number from 0.
        """
        self._budgets[reservation.key].slow_down(reservation, now, retry_after)

    def release(self, reservation: Reservation, now: float) -> None:
        """Give up a request, or end it after its answer.

        The next request takes the place of one that was not let out. A request that was let out and
        has no answer still counts, as the server may have seen it. Otherwise nothing happens.
        """
        self._budgets[reservation.key].release(reservation, now)

    @safe_repr
    def __repr__(self) -> str:
        share = "" if self.share == 1 else f", share={self.share:.4g}"
        return f"RateLimiter({self.setting!r}{share})"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(RateLimiter, self.setting, share=self.share), ()

    def __copy__(self) -> RateLimiter:
        return self  # copies of a client share the limit

    def __deepcopy__(self, memo: object) -> RateLimiter:
        return self


Setting = Tier | RateLimit | RateLimiter | None
"""The types of a client's rate limit."""


def limits(
    setting: Number | RateLimit, model: str, models: Mapping[str, Model] = MODELS
) -> tuple[float, float]:
    """Return requests and tokens per minute; infinite where there is no limit."""
    if isinstance(setting, RateLimit):
        return setting.rpm or inf, setting.tpm or inf
    if setting == "free":
        return TIERS.free.rpm, TIERS.free.tpm
    entry, factor = models.get(model), PAID[setting].factor
    endpoint = entry.endpoint if entry else None
    kin = [other for other in models.values() if endpoint in (None, other.endpoint)]
    rpm = (entry and entry.rpm) or min(other.rpm or inf for other in kin)
    tpm = (entry and entry.tpm) or min(other.tpm or inf for other in kin)
    return rpm * factor, tpm * factor


def largest(model: str, tokens: int) -> int:
    """Return the most tokens that a request can use: what its model takes, or the estimate."""
    entry = MODELS.get(model)
    return max(tokens, (entry and entry.max_request_tokens) or LARGEST)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
