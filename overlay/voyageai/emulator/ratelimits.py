"""Requests and tokens per minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from voyageai_rest.catalogue import Model

__all__ = ["RateLimits", "Usage"]


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


class RateLimits:
    """Counts requests and tokens of the last minute, by owner and model.

    Args:
        tier: Usage tier whose limits hold; without one none does.
        models: Models, by name.
        clock: Tells the time, in seconds.
        retry_after: Whether a refusal says when to come again.
    """

    def __init__(
        self,
        tier: str | None,
        models: Mapping[str, Model],
        clock: Callable[[], float],
        *,
        retry_after: bool = False,
    ) -> None:
        self._tier = tier
        self._models = models
        self._clock = clock
        self._retry_after = retry_after

    def take(self, owner: str, model: str, tokens: int) -> None:
        """Count a request, unless that is one too many.

        Raises:
            Refused: It is.
        """

    def usage(self) -> list[Usage]:
        """What was used in the last minute."""
        return []
