"""The rate limiter's records of requests, and the queue in which they wait."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from enum import Enum
from threading import Lock

from attrs import define, field


class State(Enum):
    """The states of a reservation."""

    WAITING = "waiting"
    IN_FLIGHT = "in flight"
    ANSWERED = "answered"
    DONE = "done"


@define(eq=False)
class Reservation:
    """The rate limiter's record of a request.

    Attributes:
        key: Key of the budget that the request counts against.
        tokens: Estimated tokens.
        most: Most tokens that the request can use.
        again: True for a retry, which goes before all first attempts.
        alive: A lock that the call holds until its end; None if the limiter can't know the end.
        next_poll: Time of the next call of `wait`.
        state: The state. All other attributes are set before it, so that an exception between two
            assignments leaves no half of a change.
        position: Number in the queue.
        tokens_before: Tokens of all requests that were queued before.
        charge: Tokens that the request counts with while in flight.
        sent_at: Time at which the request was admitted.
        probe: Requests and tokens in the window, this request included, if it was admitted beyond
            the throttle's share; None otherwise.
        used: Tokens that the request used.
        until: Time at which the request stops counting.
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
        """True if the call has ended without releasing the reservation."""
        is_open = self.state is State.WAITING or self.state is State.IN_FLIGHT
        return is_open and self.alive is not None and not self.alive.locked()

    def counts(self, now: float) -> bool:
        """Return whether the budget still has to remember it."""
        if self.state is State.ANSWERED:
            return self.until > now
        return self.state is not State.DONE


class WaitQueue:
    """A first-in, first-out queue that a request can leave from any position.

    Attributes:
        tokens: Tokens of all waiting requests.
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
        """The next request; None if the queue is empty."""
        return next(iter(self._waiting), None)

    def append(self, reservation: Reservation) -> None:
        """Add a request at the end."""
        reservation.position, reservation.tokens_before = self._requests_ever, self._tokens_ever
        self._requests_ever += 1
        self._tokens_ever += reservation.tokens
        self.tokens += reservation.tokens
        self._waiting[reservation] = None

    def remove(self, reservation: Reservation) -> None:
        """Remove a request; no-op if it is not in the queue."""
        if reservation in self._waiting:
            del self._waiting[reservation]
            self.tokens -= reservation.tokens

    def ahead(self, reservation: Reservation) -> tuple[int, int]:
        """Return the numbers of requests and tokens from the head to a reservation.

        Requests that have left in between may be included until the head moves on, but the numbers
        never exceed those of all other waiting requests.
        """
        head = self.head or reservation
        return (
            min(reservation.position - head.position, len(self) - 1),
            min(reservation.tokens_before - head.tokens_before, self.tokens - reservation.tokens),
        )
