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
        # Everything before the last "@": a password may itself contain "@" or "/".
        return repr(re.sub(r"^(\w+://)?.*@", r"\1...@", self, flags=re.DOTALL))


def with_hidden_passwords(value: Any) -> Any:
    """Return a URL, or a mapping of URLs, whose `repr` hides passwords; anything else as it is."""
    if isinstance(value, str):
        return Url(value)
    if isinstance(value, Mapping):
        return {key: with_hidden_passwords(url) for key, url in value.items()}  # pyright: ignore[reportUnknownVariableType]  # given by a user
    return value


def safe_repr(describe: Callable[[S], str]) -> Callable[[S], str]:
    """Decorate a `__repr__` so that it names only the class of a half-built object.

    Error trackers show the locals of a constructor that has raised; a repr that raises there would
    hide the original error.
    """

    @functools.wraps(describe)
    def wrapped(self: S) -> str:
        try:
            return describe(self)
        except AttributeError:
            return f"<{type(self).__name__}, half built>"

    return wrapped


def stacklevel() -> int:
    """Return the `stacklevel` that makes a warning point at the nearest line outside this package.

    A constant would be wrong as soon as another function of the package calls the one that warns.
    """
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # as `warnings` does
    level = 1
    while frame is not None and _is_ours(frame):
        frame, level = frame.f_back, level + 1
    return level


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == PACKAGE
