"""The thread that jobs run in."""

from __future__ import annotations

import logging
import math
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..state import EmulatorState
    from ..store import Job
    from .running import Runner

__all__ = ["Worker"]

LOG = logging.getLogger(__name__)
TICK = 0.01
"""Seconds to wait at least, as the emulator's clock may stand still."""
AGAIN = 1.0
"""Seconds after which a step that failed, as on a full disk, is tried again."""


class Worker:
    """Takes all jobs further, one step of each in turn, as long as there is something to do.

    Its thread begins when it is first woken.
    """

    def __init__(self, world: EmulatorState, runner: Runner) -> None:
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
        """End the thread, once it is done with the line that it is at."""
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
                due = min(due, self._step(job))
            with self._changed:
                if due > 0 and not self._woken:
                    self._at_rest = True
                    self._changed.notify_all()
                    self._changed.wait_for(
                        lambda: self._woken, None if math.isinf(due) else max(due, TICK)
                    )
                    self._at_rest = False

    def _step(self, job: Job) -> float:
        """Take a job further; what goes wrong with one is not to stop the others."""
        try:
            return self._runner.step(job)
        except Exception:
            LOG.exception("%s is tried again, as it could not be taken further", job.id)
            self._runner.begin_anew(job)
            return AGAIN
