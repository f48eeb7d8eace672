"""Reprs for logs and error trackers: they hide passwords, and never fail."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

S = TypeVar("S")


class Url(str):
    """A URL whose `repr` hides its user name and password. A pickle does not."""

    __slots__ = ()

    def __repr__(self) -> str:
        # All before the last "@", as a password may hold what ends a host.
        return repr(re.sub(r"^(\w+://)?.*@", r"\1...@", self, flags=re.DOTALL))


def with_hidden_passwords(given: Any) -> Any:
    """A URL, or a mapping of URLs, whose `repr` hides passwords; anything else as it is."""
    if isinstance(given, str):
        return Url(given)
    if isinstance(given, Mapping):
        return {key: with_hidden_passwords(url) for key, url in given.items()}  # pyright: ignore[reportUnknownVariableType]  # of a user
    return given


def whole(describe: Callable[[S], str]) -> Callable[[S], str]:
    """A `__repr__` that names no more than the class while an object is half built.

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
