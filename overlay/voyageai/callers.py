"""Whose line a warning is about."""

from __future__ import annotations

import sys
from types import FrameType

PACKAGE = __name__.partition(".")[0]


def level() -> int:
    """The `stacklevel` for a warning of the asking function: the nearest line that is not ours.

    Counting the frames by hand is wrong for whoever comes by another way, such as raw responses.
    """
    asking: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # as `warnings` does
    found = 1
    while asking is not None and _ours(asking):
        asking, found = asking.f_back, found + 1
    return found


def _ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == PACKAGE
