"""Small helpers of the whole package: reprs that hide secrets, and where warnings point."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, TypeVar

S = TypeVar("S")

PACKAGE = __name__.partition(".")[0]


class Url(str):
    """A URL whose `repr` hides its user name and password. A pickle does not."""

    __slots__ = ()

    def __repr__(self) -> str:
        # All before the last "@", as a password may hold what ends a host.
        return repr(re.sub(r"^(\w+://)?.*@", r"\1...@", self, flags=re.DOTALL))


def with_hidden_passwords(given: Any) -> Any:
    """Return a URL, or a mapping of URLs, whose `repr` hides passwords; anything else as it is."""
    if isinstance(given, str):
        return Url(given)
    if isinstance(given, Mapping):
        return {key: with_hidden_passwords(url) for key, url in given.items()}  # pyright: ignore[reportUnknownVariableType]  # of a user
    return given


def safe_repr(describe: Callable[[S], str]) -> Callable[[S], str]:
    """Make a `__repr__` name no more than the class while an object is half built.

    Error trackers show the locals of a constructor that has raised, and one failing repr would
    cost them the error.
    """

    @functools.wraps(describe)
    def described(self: S) -> str:
        try:
            return describe(self)
        except AttributeError:
            return f"<{type(self).__name__}, half built>"

    return described


def stacklevel() -> int:
    """Return the `stacklevel` that makes a warning point at the nearest line outside this package.

    A number in its place is wrong as soon as another of our functions calls the one that warns.
    """
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # as `warnings` does
    found = 1
    while frame is not None and _is_ours(frame):
        frame, found = frame.f_back, found + 1
    return found


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == PACKAGE
