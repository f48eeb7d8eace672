"""Watch functions of ours as a profiler does, so that a test sees their calls and changes none."""

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

    Calls are seen in this thread and in those that start meanwhile.
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
    """Give the arguments of each call of a function, in the order of the calls."""
    calls: list[dict[str, Any]] = []
    with at_calls(*functions, act=calls.append):
        yield calls
