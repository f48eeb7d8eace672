"""An event loop whose time passes at once where nothing else is left to do."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Passes the time it would wait."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait only where no timer runs, which is for other threads."""
        ready = super().select(None if timeout is None else 0)
        if timeout is not None and not ready:
            self.passed += max(timeout, 0)
        return ready


class HurryingLoop(asyncio.SelectorEventLoop):
    """Begins at 0 seconds. Timers fire on time, one after the other, without anybody waiting."""

    def __init__(self) -> None:
        self._watch = _Selector()
        super().__init__(self._watch)

    def time(self) -> float:
        """Seconds that have passed."""
        return self._watch.passed


def hurry(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    with asyncio.Runner(loop_factory=HurryingLoop) as runner:
        return runner.run(coroutine)
