"""As much of a wrong body as it takes to say what is wrong with it.

A validator tells of every value that is wrong, in hundreds of bytes each, and a body has room for
millions of them.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, cast

__all__ = ["excerpt"]

LARGE = 20_000
"""Values of a body from which on not all of them are looked at."""
OUTER = 2_000
"""Items of a list that are, which is more than the contract allows any list that it bounds."""
INNER = 10
"""The same of a list within a list."""


def excerpt(body: object) -> Any:
    """A body, or the first items of all its lists and objects if it is large.

    Raises:
        RecursionError: It is nested too deeply.

    Example:
        >>> excerpt(["a", "b"])
        ['a', 'b']
        >>> len(excerpt(["a"] * 100_000))
        2000
    """
    return body if _is_small(body) else _cut(body, OUTER)


def _is_small(body: object) -> bool:
    left, pending = LARGE, [body]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            inner = list(cast("dict[str, object]", value).values())
        elif isinstance(value, list):
            inner = cast("list[object]", value)
        else:
            continue
        left -= len(inner)
        if left < 0:
            return False
        pending.extend(inner)
    return True


def _cut(value: object, most: int) -> object:
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {name: _cut(inner, most) for name, inner in islice(fields.items(), most)}
    if isinstance(value, list):
        return [_cut(inner, INNER) for inner in islice(cast("list[object]", value), most)]
    return value
