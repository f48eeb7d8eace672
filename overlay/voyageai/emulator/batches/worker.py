"""The thread that jobs run in."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..world import World
    from .running import Runner

__all__ = ["Worker"]

TICK = 0.01
"""Seconds to wait at least, as the emulator's clock may stand still."""


class Worker:
    """Takes all jobs further, one step of each in turn, as long as there is something to do.

    Its thread begins when it is first woken.
    """

    def __init__(self, world: World, runner: Runner) -> None:
        self._world = world
        self._runner = runner
        self._changed = threading.Condition()
        self._woken = False
        self._at_rest = True
        self._thread: threading.Thread | None = None

    def nudge(self) -> None:
        """Look at the jobs anew, if there have been any."""
        with self._changed:
            if self._thread is not None:
                self._woken, self._at_rest = True, False
                self._changed.notify_all()

    def wake(self) -> None:
        """Look at the jobs, as there is one to do."""
        with self._changed:
            if self._thread is None and not self._runner.stopping.is_set():
                self._thread = threading.Thread(
                    target=self._work, name="emulator batches", daemon=True
                )
                self._thread.start()
            self.nudge()

    def stop(self) -> None:
        """End the thread, once it has written what it is at."""
        self._runner.stopping.set()
        self.nudge()
        if self._thread is not None:
            self._thread.join()

    def settle(self, timeout: float) -> int:
        """Wait until no job goes further by itself, and tell how many are in flight."""
        with self._changed:
            self._changed.wait_for(lambda: self._at_rest, timeout)
        return len(self._world.store.jobs.in_flight())

    def _work(self) -> None:
        stopping = self._runner.stopping
        while not stopping.is_set():
            self._woken = False
            due = math.inf
            for job in self._world.store.jobs.in_flight():
                if stopping.is_set():
                    return
                due = min(due, self._runner.step(job))
            with self._changed:
                if due > 0 and not self._woken:
                    self._at_rest = True
                    self._changed.notify_all()
                    self._changed.wait_for(
                        lambda: self._woken, None if math.isinf(due) else max(due, TICK)
                    )
                    self._at_rest = False
