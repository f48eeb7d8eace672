"""How long a completion window is."""

from __future__ import annotations

from ..store import microseconds

__all__ = ["length"]

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def length(window: str) -> int:
    """Microseconds of a window, such as ``12h``.

    Example:
        >>> length("2m")
        120000000
    """
    return microseconds(int(window[:-1]) * SECONDS[window[-1]])
