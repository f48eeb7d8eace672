"""Observe calls of functions as a profiler does, without replacing the functions."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

__all__ = ["at_calls", "calls_of"]


@contextmanager
def at_calls(
    *functions: Callable[..., Any], act: Callable[[dict[str, Any]], object]
) -> Iterator[None]:
    """Call `act` with the arguments of each call of a function, in the thread of the call.

    Calls are observed in this thread and in threads that start inside the context.
    """
    codes: set[CodeType] = {function.__code__ for function in functions}

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in codes:
            act(dict(frame.f_locals))

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@contextmanager
def calls_of(*functions: Callable[..., Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield a list that gets the arguments of each call of a function, in order."""
    calls: list[dict[str, Any]] = []
    with at_calls(*functions, act=calls.append):
        yield calls
