"""How long answers take."""

from __future__ import annotations

__all__ = ["Latency"]


class Latency:
    """Seconds that an answer takes, by what is asked and how busy the server is.

    Args:
        said: ``none``, a number of seconds, or ``model``.
    """

    def __init__(self, said: str = "none") -> None:
        self._said = said

    def seconds(self, tokens: int, in_flight: int) -> float:
        """Seconds for a request.

        Args:
            tokens: Of the request.
            in_flight: Requests that are worked on, this one included.
        """
        return 0.0
