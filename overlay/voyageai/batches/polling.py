"""How often to ask how a job stands: a value, without a clock or randomness of its own."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, gt

from ..error import ArgumentError

STEPS = 64
"""Polls after which the pauses grow no more, whatever their factor."""


@frozen(kw_only=True)
class Polling:
    """Pauses between polls, which grow up to a bound.

    Attributes:
        first: Seconds before the second poll.
        factor: How much longer each pause is than the one before.
        longest: Longest pause, in seconds.
        jitter: Share of a pause by which it may be shorter, by chance, so that many waiting
            programs do not ask at the same moment.
        patience: Seconds for which polls may fail without a break before the wait fails too.

    Example:
        >>> from voyageai.batches import Polling
        >>> [Polling(first=1, factor=2, longest=5).pause(polls, 0.0) for polls in range(4)]
        [1.0, 2.0, 4.0, 5.0]
    """

    first: float = field(default=1.0, validator=gt(0))
    factor: float = field(default=1.5, validator=ge(1))
    longest: float = field(default=60.0, validator=gt(0))
    jitter: float = field(default=0.2, validator=ge(0))
    patience: float = field(default=3600.0, validator=ge(0))

    @classmethod
    def of(cls, poll: float | Polling | None) -> Polling:
        """What was given: pauses, seconds between polls, or None for the usual ones.

        Raises:
            ArgumentError: It is none of these.
        """
        if poll is None:
            return cls()
        if isinstance(poll, Polling):
            return poll
        if type(poll) not in (int, float) or not poll > 0:
            raise ArgumentError(
                f"poll must be a number of seconds greater than 0, or a Polling, not {poll!r}",
                "poll",
            )
        return cls(first=poll, factor=1.0, longest=poll)

    def pause(self, polls: int, random: float) -> float:
        """Seconds to wait after a poll.

        Args:
            polls: Pauses made so far.
            random: A random number from 0 up to 1.
        """
        grown = min(self.longest, self.first * self.factor ** min(polls, STEPS))
        return grown * (1 - min(self.jitter, 1.0) * random)
