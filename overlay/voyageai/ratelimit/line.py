"""Those who wait, in the order in which they came."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .budget import Reservation


class Line:
    """A queue that can be left from any place.

    Attributes:
        tokens: Tokens of all who wait.
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
        """Who is next."""
        return next(iter(self._waiting), None)

    def enter(self, reservation: Reservation) -> None:
        """Wait behind everybody else."""
        reservation.place, reservation.tokens_before = self._requests_ever, self._tokens_ever
        self._requests_ever += 1
        self._tokens_ever += reservation.tokens
        self.tokens += reservation.tokens
        self._waiting[reservation] = None

    def leave(self, reservation: Reservation) -> None:
        """Wait no longer; nothing happens to who does not wait here."""
        if reservation in self._waiting:
            del self._waiting[reservation]
            self.tokens -= reservation.tokens

    def ahead(self, reservation: Reservation) -> tuple[int, int]:
        """Requests and tokens from the head to a reservation.

        Some who left from between may be part of it until the head moves on, but never more than
        all others who wait.
        """
        head = self.head or reservation
        return (
            min(reservation.place - head.place, len(self) - 1),
            min(reservation.tokens_before - head.tokens_before, self.tokens - reservation.tokens),
        )
