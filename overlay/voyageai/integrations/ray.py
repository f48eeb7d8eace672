"""One rate limit for all workers of a Ray cluster: an actor counts, and clients ask it."""

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
"""Seconds to sleep before asking again, and an estimate, rather too low, of the whole wait."""
NAME = "voyageai"
MINUTE = 60.0
LEASE = 120.0
"""Seconds after the last message about a request until it is given up: its process may be gone."""
SOON = 0.003
"""Seconds until an answer of the actor may be there."""
PATIENCE = 30.0
"""Seconds without an actor until a call fails: another one may be on its way."""


class BudgetHost:
    """A rate limit that is asked by messages: what runs in the actor.

    Times are those of its own clock, as the clocks of machines differ. It lets nothing out for a
    minute unless its maker says that nothing was sent in the last one: an actor that Ray starts
    again does not know.

    Args:
        setting: As `RateLimiter` takes it.
        maker: What its maker will be called in `begin`.
        clock: Returns seconds that only go forwards.
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
        # By id, with the time of the last message, the longest silent first.
        self._open: OrderedDict[str, tuple[Reservation, float]] = OrderedDict()

    def begin(self, caller: str) -> object:
        """Return the limit, and begin at once if the caller is the maker."""
        if caller == self._maker:
            self._opens_at = -inf
        return self._limiter.setting

    def wait(self, id_: str, model: str, tokens: int, *, again: bool) -> Answer:
        """Let a request out, or say when to ask again; an unknown one is queued.

        Args:
            id_: Names the request.
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
        return seconds, max(seconds, self._limiter.at_least(reservation, now))

    def correct(self, id_: str, tokens: int | None) -> None:
        """Count the tokens of an answer."""
        if (reservation := self._take(id_)) is not None:
            self._limiter.correct(reservation, tokens, self._clock())
            self._limiter.release(reservation, self._clock())

    def slow_down(self, id_: str, retry_after: float | None) -> None:
        """Let the requests of all workers back off, as one was refused."""
        if (reservation := self._take(id_)) is not None:
            self._limiter.slow_down(reservation, self._clock(), retry_after)

    def release(self, id_: str) -> None:
        """Give up a request."""
        if (reservation := self._take(id_)) is not None:
            self._limiter.release(reservation, self._clock())

    def _take(self, id_: str) -> Reservation | None:
        return self._open.pop(id_, (None, 0.0))[0]

    def _forget(self, now: float) -> None:
        """Give up requests whose processes have been silent for too long."""
        while self._open:
            id_, (reservation, heard_at) = next(iter(self._open.items()))
            if now - heard_at < LEASE:
                return
            self._limiter.release(reservation, now)
            del self._open[id_]


@define(eq=False)
class _RemoteReservation(Reservation):
    """A request whose reservation is the actor's.

    Attributes:
        id: Names it.
        model: The model that it is for.
        answer: What the actor says, or will say; None if it was not asked.
        least: Seconds that it must wait, as the actor last said.
        lost_at: Since when there is no actor; None if there is one.
        told: Whether the actor knows what became of it.
    """

    id: str = field(factory=lambda: uuid4().hex)
    model: str = ""
    answer: Future[Answer] | None = None
    least: float = 0.0
    lost_at: float | None = None
    told: bool = False


class RateBudget(RateLimiter):
    """A rate limit that all processes of a Ray cluster share: clients take it as `rate_limit`.

    A named actor counts the requests of all of them; each call asks it, without blocking, and tells
    it what became of the call. A refusal (429) slows all of them down. The actor needs no
    processor. Its pickle is its name and its limit: it holds no key.

    Where the actor's process dies, Ray starts it again, and it lets nothing out for a minute, as it
    does not know what was sent. A worker that dies takes its requests along: they stop to count two
    minutes later, or three if they were sent.

    Args:
        setting: As in `RateLimiter`.
        name: Names the actor. One that is there already is used.
        namespace: Ray's namespace for it; programs with the same one share the budget.
        lifetime: None ends the actor with this object or this program; `detached` lets it live
            until `close`, or until the cluster ends.
        update: Whether an actor that is there may be replaced if it has another limit.

    Raises:
        ArgumentError: The setting is none, or an actor of this name has another limit.
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
    _made: Any  # an actor ends with the handle that made it

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
        self._actor = self._made = self._created(lifetime, update=update)

    def _attach(self, setting: Tier | RateLimit, name: str, namespace: str) -> None:
        super().__init__(setting)
        self.name, self.namespace = name, namespace
        self._actor = self._made = None

    @classmethod
    def _named(cls, setting: Tier | RateLimit, name: str, namespace: str) -> RateBudget:
        """Return a budget whose actor is somewhere in the cluster."""
        budget = cls.__new__(cls)
        budget._attach(setting, name, namespace)
        return budget

    def _created(self, lifetime: str | None, *, update: bool) -> Any:
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
        me, replaced = uuid4().hex, False
        give_up = time.monotonic() + PATIENCE
        while True:
            actor = host.remote(self.setting, me)
            try:
                # What an actor that was replaced has let out still counts for a minute.
                other = ray.get(actor.begin.remote("" if replaced else me))
            except ray.exceptions.RayActorError:  # one that is about to end still has the name
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.1)
                continue
            if other == self.setting:
                return actor
            if not update:
                raise ArgumentError(
                    f"the budget {self.name!r} has the limit {other!r}, not {self.setting!r}; take "
                    "another name, or pass update=True to change it for all",
                    "setting",
                )
            replaced = True
            ray.kill(actor)

    def close(self) -> None:
        """End the actor, for all who share it."""
        ray = require("ray", "ray")
        try:
            ray.kill(self._handle())
        except ValueError:  # it is gone
            return
        finally:
            self._actor = self._made = None

    def shared(self, share: float) -> RateLimiter:
        """Refuse: all who have a budget share the whole of it.

        Raises:
            ArgumentError: Always.
        """
        raise ArgumentError(
            f"share={share!r} is for limits that each process counts by itself; a RateBudget is "
            "shared as it is, so leave share out",
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
        """Make a reservation, which the actor learns of with the first `wait`."""
        count = max(tokens, 0)
        return _RemoteReservation(model, count, count, again, alive, next_poll=now, model=model)

    def wait(self, reservation: Reservation, now: float) -> float:
        """Return the seconds to sleep before asking again; 0 lets the request out.

        Raises:
            VoyageError: There is no actor, for half a minute now.
        """
        own = cast("_RemoteReservation", reservation)
        ray = require("ray", "ray")
        try:
            if own.answer is None:
                asked = self._handle().wait.remote(own.id, own.model, own.tokens, again=own.again)
                own.answer = asked.future()
                return SOON
            if not own.answer.done():
                return SOON
            answer, own.answer = own.answer, None
            seconds, own.least = answer.result()
        except (ray.exceptions.RayActorError, ValueError) as failure:
            self._actor = own.answer = None
            own.lost_at = now if own.lost_at is None else own.lost_at
            if now - own.lost_at < PATIENCE:
                return 1.0
            raise VoyageError(
                f"the rate budget {self.name!r} has no actor any more: keep the RateBudget that "
                "made it while others use it, or make it with lifetime='detached'"
            ) from failure
        own.lost_at = None
        return seconds

    def at_least(self, reservation: Reservation, now: float) -> float:  # noqa: ARG002  # as in the base
        """Return an estimate, rather too low, of the seconds that a request must wait."""
        return cast("_RemoteReservation", reservation).least

    def correct(self, reservation: Reservation, tokens: int | None, now: float) -> None:  # noqa: ARG002  # as in the base
        """Count the tokens that an answer reports."""
        self._tell(reservation, "correct", tokens)

    def slow_down(self, reservation: Reservation, now: float, retry_after: float | None) -> None:  # noqa: ARG002  # as in the base
        """Let all requests of the cluster back off, as the server refused one for its rate."""
        self._tell(reservation, "slow_down", retry_after)

    def release(self, reservation: Reservation, now: float) -> None:  # noqa: ARG002  # as in the base
        """Give up a request, or end it after its answer."""
        self._tell(reservation, "release")

    def _tell(self, reservation: Reservation, method: str, *what: float | None) -> None:
        """Tell the actor what became of a request, once, without waiting for it."""
        own = cast("_RemoteReservation", reservation)
        if own.told:
            return
        own.told = True
        ray = require("ray", "ray")
        with suppress(ray.exceptions.RayError, ValueError):  # without an actor nothing counts it
            getattr(self._handle(), method).remote(own.id, *what)

    def _handle(self) -> Any:
        """Return the actor.

        Raises:
            ValueError: There is none of this name.
            VoyageError: This process is in no cluster.
        """
        if self._actor is None:
            ray = require("ray", "ray")
            if not ray.is_initialized():  # asking would start a cluster without the actor
                raise VoyageError(
                    f"the rate budget {self.name!r} lives in a Ray cluster, and this process is in "
                    "none: call ray.init first"
                )
            self._actor = ray.get_actor(self.name, namespace=self.namespace)
        return self._actor

    @safe_repr
    def __repr__(self) -> str:
        return f"RateBudget({self.setting!r}, {self.name!r}, namespace={self.namespace!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return RateBudget._named, (self.setting, self.name, self.namespace)
