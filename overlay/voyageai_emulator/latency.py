"""How long answers take."""

from __future__ import annotations

import math

__all__ = ["Latency"]

BASE = 0.03
"""Seconds of the model for a request without tokens."""
THROUGHPUT = 60_000
"""Tokens per second of the model, for all requests that are worked on together."""


class Latency:
    """Seconds that an answer takes, by what is asked and how busy the server is.

    The model is 0.03 seconds, and one second for every 60,000 tokens, multiplied by the requests
    that are worked on at that time, which share the server. So a short text takes some hundredths
    of a second, 120,000 tokens take two seconds, and twice that when there are two such requests.
    These figures are the emulator's own. They were not measured at the API.

    Args:
        said: ``none``, ``model``, or a number of seconds.

    Raises:
        ValueError: It is none of these.

    Example:
        >>> Latency(0.2).seconds(tokens=10, in_flight=1)
        0.2
        >>> Latency("model").seconds(tokens=120_000, in_flight=1)
        2.03
    """

    _said: str = "none"

    def __init__(self, said: str | float = "none") -> None:
        self._said = str(said)
        self._of_load = said == "model"
        self._base = BASE if self._of_load else 0.0 if said == "none" else _seconds(said)

    def __str__(self) -> str:
        """``none``, ``model``, or a number of seconds."""
        return self._said

    def __repr__(self) -> str:
        return f"Latency({self._said!r})"

    def seconds(self, tokens: int, in_flight: int) -> float:
        """Seconds for a request.

        Args:
            tokens: Of the request.
            in_flight: Requests that are worked on, this one included.
        """
        return self._base + tokens * in_flight / THROUGHPUT if self._of_load else self._base


def _seconds(said: str | float) -> float:
    try:
        seconds = float(said)
    except (TypeError, ValueError):
        seconds = math.nan
    if isinstance(said, bool) or not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"latency must be none, model or seconds from 0, not {said!r}")
    return seconds
