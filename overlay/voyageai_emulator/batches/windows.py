"""How long a completion window is."""

from __future__ import annotations

from ..store.instants import instant

__all__ = ["length"]

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def length(window: str) -> int:
    """Microseconds of a window, such as ``12h``.

    Example:
        >>> length("2m")
        120000000
    """
    return instant(int(window[:-1]) * SECONDS[window[-1]])
