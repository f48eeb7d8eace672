"""A rate limit shared by all workers of a Ray cluster: an actor counts, and clients ask it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast
from uuid import uuid4

from attrs import define, field

from .._utils import safe_repr
from ..error import ArgumentError, VoyageError
from ..extras import require
from ..ratelimit import RateLimiter, Reservation

if TYPE_CHECKING:
    from ..ratelimit import RateLimit, Tier

__all__ = ["RateBudget"]

Answer = tuple[float, float]
"""Seconds to sleep before asking again, and a lower estimate of the whole wait."""
NAME = "voyageai"
MINUTE = 60.0
LEASE = 120.0
"""Seconds without a message about a request until it is released, as its process may be gone."""
SOON = 0.003
"""Seconds until the actor's answer is checked for."""
PATIENCE = 30.0
"""Seconds without an actor until a call fails, as a new one may be starting."""


class BudgetHost:
    """The rate limit in the actor, used by messages.

    Times are those of its own clock, as the clocks of machines differ. It admits nothing for a
    minute unless its maker calls `begin`, which implies that nothing was sent before: an actor that
    Ray restarts does not know.

    Args:
        setting: Setting of the `RateLimiter`.
        maker: Id that the maker passes to `begin`.
        clock: A monotonic clock, in seconds.
    """

    def __init__(
        self,
        setting: Tier | RateLimit,
        maker: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limiter = RateLimiter(setting)
        self._maker, self._clock = maker, clock
        self._opens_at = clock() + MINUTE
        # By id, each with the time of the last message, the longest silent first.
        self._open: OrderedDict[str, tuple[Reservation, float]] = OrderedDict()

    def begin(self, caller: str) -> object:
        """Return the limit; open at once if the caller is the maker."""
        if caller == self._maker:
            self._opens_at = -inf
        return self._limiter.setting

    def wait(self, id_: str, model: str, tokens: int, *, again: bool) -> Answer:
        """Admit a request or return the time to wait; an unknown request is queued.

        Args:
            id_: Id of the request.
            model, tokens, again: As in `RateLimiter.reserve`.
        """
        now = self._clock()
        self._forget(now)
        if now < self._opens_at:
            left = self._opens_at - now
            return min(1.0, left), left
        found = self._open.pop(id_, None)
        reservation = (
            self._limiter.reserve(model, tokens, now, again=again) if found is None else found[0]
        )
        self._open[id_] = reservation, now
        seconds = self._limiter.wait(reservation, now)
        return seconds, max(seconds, self._limiter.min_wait(reservation, now))

    def correct(self, id_: str, tokens: int | None) -> None:
        """Count the tokens that a response reports."""
        if (reservation := self._take(id_)) is not None:
            self._limiter.correct(reservation, tokens, self._clock())
            self._limiter.release(reservation, self._clock())

    def slow_down(self, id_: str, retry_after: float | None) -> None:
        """Throttle the requests of all workers, after one was refused."""
        if (reservation := self._take(id_)) is not None:
            self._limiter.slow_down(reservation, self._clock(), retry_after)

    def release(self, id_: str) -> None:
        """End a reservation."""
        if (reservation := self._take(id_)) is not None:
            self._limiter.release(reservation, self._clock())

    def _take(self, id_: str) -> Reservation | None:
        return self._open.pop(id_, (None, 0.0))[0]

    def _forget(self, now: float) -> None:
        """Release the requests of processes that have been silent for too long."""
        while self._open:
            id_, (reservation, heard_at) = next(iter(self._open.items()))
            if now - heard_at < LEASE:
                return
            self._limiter.release(reservation, now)
            del self._open[id_]


@define(eq=False)
class _RemoteReservation(Reservation):
    """The client's record of a reservation in the actor.

    Attributes:
        id: Id of the request.
        model: Name of the request's model.
        answer: The actor's pending or last answer; None if it was not asked.
        at_least_seconds: Lower estimate of the remaining wait in seconds, from the last answer.
        lost_at: Time since which there is no actor; None if there is one.
        is_reported: True once the outcome was reported to the actor.
    """

    id: str = field(factory=lambda: uuid4().hex)
    model: str = ""
    answer: Future[Answer] | None = None
    at_least_seconds: float = 0.0
    lost_at: float | None = None
    is_reported: bool = False


class RateBudget(RateLimiter):
    """A rate limit that all processes of a Ray cluster share, for `Client(rate_limit=...)`.

    A named actor counts the requests of all processes; each call asks it without blocking, and
    reports its outcome. A refusal (429) throttles all of them. The actor needs no CPU. A pickle of
    the budget is its name and its limit, without a key.

    If the actor's process dies, Ray restarts it, and it admits nothing for a minute, as it does not
    know what was sent. If a worker dies, its requests stop counting two minutes later, or three if
    they were sent.

    Args:
        setting: A tier or a `RateLimit`, as in `RateLimiter`.
        name: Name of the actor. An existing one of this name is used.
        namespace: Ray namespace of the actor; programs with the same one share the budget.
        lifetime: None to end the actor with this object or this program; `detached` to keep it
            until `close`, or until the cluster ends.
        update: True to replace an existing actor that has another limit.

    Raises:
        ArgumentError: `setting` is neither a tier nor a `RateLimit`, or an actor of this name has
            another limit.
        ImportError: Ray is not installed.

    Example:
        >>> budget = RateBudget(1, name="example")
        >>> vo = voyageai.Client(rate_limit=budget)
        >>> len(vo.embed_documents(["It rains."], model="voyage-4"))
        1
        >>> budget.close()
    """

    _host: ClassVar[type[BudgetHost]] = BudgetHost
    _actor: Any
    _made_by: Any  # kept, as an actor ends with the handle that made it

    def __init__(
        self,
        setting: Tier | RateLimit,
        name: str = NAME,
        *,
        namespace: str = NAME,
        lifetime: Literal["detached"] | None = None,
        update: bool = False,
    ) -> None:
        self._attach(setting, name, namespace)
        self._actor = self._made_by = self._create(lifetime, update=update)

    def _attach(self, setting: Tier | RateLimit, name: str, namespace: str) -> None:
        super().__init__(setting)
        self.name, self.namespace = name, namespace
        self._actor = self._made_by = None

    @classmethod
    def _by_name(cls, setting: Tier | RateLimit, name: str, namespace: str) -> RateBudget:
        """Return a budget whose actor is found by name."""
        budget = cls.__new__(cls)
        budget._attach(setting, name, namespace)
        return budget

    def _create(self, lifetime: str | None, *, update: bool) -> Any:
        ray = require("ray", "ray")
        host = ray.remote(self._host).options(
            name=self.name,
            namespace=self.namespace,
            lifetime=lifetime,
            get_if_exists=True,
            num_cpus=0,
            max_restarts=-1,
            max_task_retries=-1,
        )
        own_id, replaced = uuid4().hex, False
        give_up = time.monotonic() + PATIENCE
        while True:
            actor = host.remote(self.setting, own_id)
            try:
                # Requests that a replaced actor has admitted still count for a minute.
                other = ray.get(actor.begin.remote("" if replaced else own_id))
            except ray.exceptions.RayActorError:  # an ending actor still has the name
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.1)
                continue
            if other == self.setting:
                return actor
            if not update:
                raise ArgumentError(
                    f"the budget {self.name!r} has the limit {other!r}, not {self.setting!r}; "
                    "choose another name, or pass update=True to change it for all",
                    "setting",
                )
            replaced = True
            ray.kill(actor)

    def close(self) -> None:
        """End the actor, for all processes that share it."""
        ray = require("ray", "ray")
        try:
            ray.kill(self._handle())
        except ValueError:  # it has ended already
            return
        finally:
            self._actor = self._made_by = None

    def shared(self, share: float) -> RateLimiter:
        """Raise, as a budget is always shared as a whole.

        Raises:
            ArgumentError: Always.
        """
        raise ArgumentError(
            f"share={share!r} is for limits that each process counts by itself; a RateBudget is "
            "shared as a whole, so leave share out",
            "share",
        )

    def reserve(
        self,
        model: str,
        tokens: int,
        now: float,
        *,
        again: bool = False,
        alive: Lock | None = None,
    ) -> Reservation:
        """Return a reservation, which is sent to the actor by the first `wait`."""
        count = max(tokens, 0)
        return _RemoteReservation(model, count, count, again, alive, next_poll=now, model=model)

    def wait(self, reservation: Reservation, now: float) -> float:
        """Return the seconds to sleep before asking again; 0 admits the request.

        Raises:
            VoyageError: There has been no actor for half a minute.
        """
        own = cast("_RemoteReservation", reservation)
        ray = require("ray", "ray")
        try:
            if own.answer is None:
                reference = self._handle().wait.remote(
                    own.id, own.model, own.tokens, again=own.again
                )
                own.answer = reference.future()
                return SOON
            if not own.answer.done():
                return SOON
            answer, own.answer = own.answer, None
            seconds, own.at_least_seconds = answer.result()
        except (ray.exceptions.RayActorError, ValueError) as failure:
            self._actor = own.answer = None
            own.lost_at = now if own.lost_at is None else own.lost_at
            if now - own.lost_at < PATIENCE:
                return 1.0
            raise VoyageError(
                f"the rate budget {self.name!r} has lost its actor: keep the RateBudget that made "
                "it while others use it, or make it with lifetime='detached'"
            ) from failure
        own.lost_at = None
        return seconds

    def min_wait(self, reservation: Reservation, now: float) -> float:  # noqa: ARG002  # of the base class
        """Return a lower estimate of the seconds that a request has to wait."""
        return cast("_RemoteReservation", reservation).at_least_seconds

    def correct(self, reservation: Reservation, tokens: int | None, now: float) -> None:  # noqa: ARG002  # of the base class
        """Count the tokens that a response reports."""
        self._report(reservation, "correct", tokens)

    def slow_down(self, reservation: Reservation, now: float, retry_after: float | None) -> None:  # noqa: ARG002  # of the base class
        """Throttle all requests of the cluster, after the server refused one for its rate."""
        self._report(reservation, "slow_down", retry_after)

    def release(self, reservation: Reservation, now: float) -> None:  # noqa: ARG002  # of the base class
        """End a reservation, whether its request was answered or given up."""
        self._report(reservation, "release")

    def _report(self, reservation: Reservation, method: str, *arguments: float | None) -> None:
        """Report the outcome of a request to the actor, once, without waiting."""
        own = cast("_RemoteReservation", reservation)
        if own.is_reported:
            return
        own.is_reported = True
        ray = require("ray", "ray")
        with suppress(ray.exceptions.RayError, ValueError):  # without an actor nothing counts it
            getattr(self._handle(), method).remote(own.id, *arguments)

    def _handle(self) -> Any:
        """Return a handle to the actor.

        Raises:
            ValueError: No actor has this name.
            VoyageError: This process is not connected to a cluster.
        """
        if self._actor is None:
            ray = require("ray", "ray")
            if not ray.is_initialized():  # asking for the actor would start a new cluster
                raise VoyageError(
                    f"the rate budget {self.name!r} is in a Ray cluster, but this process is not "
                    "connected to one: call ray.init first"
                )
            self._actor = ray.get_actor(self.name, namespace=self.namespace)
        return self._actor

    @safe_repr
    def __repr__(self) -> str:
        return f"RateBudget({self.setting!r}, {self.name!r}, namespace={self.namespace!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return RateBudget._by_name, (self.setting, self.name, self.namespace)
