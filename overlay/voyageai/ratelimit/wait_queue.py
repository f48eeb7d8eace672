"""Requests as the rate limiter sees them, and the queue in which they wait."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from enum import Enum
from threading import Lock

from attrs import define, field


class State(Enum):
    """The stages of a request."""

    WAITING = "waiting"
    IN_FLIGHT = "in flight"
    ANSWERED = "answered"
    DONE = "done"


@define(eq=False)
class Reservation:
    """A request, to the rate limiter.

    Attributes:
        key: Names the budget that it counts against.
        tokens: Its tokens as estimated.
        most: Tokens that it can have used at the most.
        again: Whether it is a retry, which waits before all first attempts.
        alive: A lock that its call holds until its end; None if the limiter can't know the end.
        next_poll: When it will ask again whether it may go.
        state: How far it has come. All other attributes are set before it, so that an exception
            between two assignments leaves no half of a change.
        position: Its number in the queue.
        tokens_before: Tokens of all that were queued before it.
        charge: Tokens it counted with when it was let out.
        sent_at: When it was let out.
        probe: Requests and tokens in the window, itself included, if it was let out beyond the
            throttle's share; None otherwise.
        used: Tokens it used.
        until: When it stops to count.
    """

    key: Hashable = field(repr=False)
    tokens: int
    most: int
    again: bool
    alive: Lock | None = field(repr=False)
    next_poll: float
    state: State = State.WAITING
    position: int = 0
    tokens_before: int = 0
    charge: int = 0
    sent_at: float = 0.0
    probe: tuple[int, int] | None = None
    used: int = 0
    until: float = 0.0

    @property
    def abandoned(self) -> bool:
        """True if its call has ended without releasing it."""
        open_ = self.state is State.WAITING or self.state is State.IN_FLIGHT
        return open_ and self.alive is not None and not self.alive.locked()

    def counts(self, now: float) -> bool:
        """Return whether the budget still has to remember it."""
        if self.state is State.ANSWERED:
            return self.until > now
        return self.state is not State.DONE


class WaitQueue:
    """A first-in, first-out queue that a request can leave from any position.

    Attributes:
        tokens: Tokens of all requests that wait.
    """

    def __init__(self) -> None:
        self.tokens = 0
        self._waiting: OrderedDict[Reservation, None] = OrderedDict()
        self._requests_ever = 0
        self._tokens_ever = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, reservation: Reservation) -> bool:
        return reservation in self._waiting

    @property
    def head(self) -> Reservation | None:
        """The request that is next."""
        return next(iter(self._waiting), None)

    def append(self, reservation: Reservation) -> None:
        """Add a request at the end."""
        reservation.position, reservation.tokens_before = self._requests_ever, self._tokens_ever
        self._requests_ever += 1
        self._tokens_ever += reservation.tokens
        self.tokens += reservation.tokens
        self._waiting[reservation] = None

    def remove(self, reservation: Reservation) -> None:
        """Take a request out, if it waits here."""
        if reservation in self._waiting:
            del self._waiting[reservation]
            self.tokens -= reservation.tokens

    def ahead(self, reservation: Reservation) -> tuple[int, int]:
        """Return the requests and tokens from the head to a reservation.

        Requests that left from between may be part of it until the head moves on, but the numbers
        never exceed those of all other requests that wait.
        """
        head = self.head or reservation
        return (
            min(reservation.position - head.position, len(self) - 1),
            min(reservation.tokens_before - head.tokens_before, self.tokens - reservation.tokens),
        )
