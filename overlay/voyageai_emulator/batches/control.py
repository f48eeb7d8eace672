"""The batch jobs of an emulator, as its owner sees and steers them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..store import IN_FLIGHT
from .objects import as_batch
from .running import Runner
from .worker import Worker

if TYPE_CHECKING:
    from voyageai_rest.models import Batch
    from voyageai_rest.models.batch_status import BatchStatus

    from ..state import EmulatorState

__all__ = ["Batches"]


class Batches:
    """An emulator's batch jobs, of all API keys. Safe to use from any thread.

    Example:
        >>> from voyageai_emulator import running
        >>> with running() as emulator:
        ...     emulator.batches.hold("in_progress")
        ...     emulator.batches.fail("line-7", status=503, message="Service Unavailable")
        ...     # a client creates a job, and sees it in progress ...
        ...     emulator.batches.release()
        ...     emulator.batches.settle()
        0
    """

    def __init__(self, world: EmulatorState) -> None:
        self._world = world
        self._runner = Runner(world)
        self._worker = Worker(world, self._runner)
        world.clock.on_advance(self._worker.nudge)

    def all(self) -> list[Batch]:
        """All jobs, the newest first."""
        return [as_batch(job) for job in self._world.store.jobs.all()]

    def hold(self, status: BatchStatus) -> None:
        """Keep jobs from leaving a status, and from getting on within it, until `release`.

        A job can be cancelled all the same. What the clock brings happens when it is released.

        Args:
            status: ``validating``, ``in_progress``, ``finalizing`` or ``cancelling``.

        Raises:
            ValueError: Jobs do not leave such a status, or there is none.
        """
        if status not in IN_FLIGHT:
            raise ValueError(f"jobs can be held in {', '.join(IN_FLIGHT)}, not in {status!r}")
        self._runner.held |= {status}

    def release(self) -> None:
        """Hold jobs no longer."""
        self._runner.held = frozenset()
        self._worker.nudge()

    def fail(
        self,
        custom_id: str | None = None,
        *,
        times: int | None = None,
        rate: float = 1,
        status: int = 500,
        message: str = "Internal Server Error",
    ) -> None:
        """Let lines fail that are yet to run. Of several such orders the first that fits holds.

        Args:
            custom_id: The line, in every job; by default any.
            times: How often; by default always.
            rate: Share of the lines that fail, from 0 to 1. Which they are differs between jobs,
                and not between runs of the same job.
            status: Status in the error file, from 400 to 599.
            message: Message in the error file.

        Raises:
            ValueError: There is no such number, share or status.
        """
        self._runner.failures.add(custom_id, times, rate, status, message)

    def stop_failing(self) -> None:
        """Let no more lines fail that were told to."""
        self._runner.failures.clear()

    def pace(self, seconds_per_line: float) -> None:
        """Say how long each line of a job takes, in seconds of the emulator's clock; at first 0.

        Raises:
            ValueError: No time is as long as that.
        """
        if not 0 <= seconds_per_line < math.inf:
            raise ValueError(f"a line takes 0 seconds or more, not {seconds_per_line}")
        self._runner.seconds_per_line = seconds_per_line
        self._worker.nudge()

    def settle(self, *, timeout: float = 5.0) -> int:
        """Wait until no job goes further by itself: all are at their end, held, or due later.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            How many are in flight then.
        """
        return self._worker.settle(timeout)

    def as_json(self) -> dict[str, Any]:
        """How the jobs are steered, and the jobs with their owners, the newest first."""
        return {
            "held": sorted(self._runner.held),
            "seconds_per_line": self._runner.seconds_per_line,
            "batches": [
                {"owner": job.owner, **as_batch(job).to_dict()}
                for job in self._world.store.jobs.all()
            ],
        }

    def wake(self) -> None:
        """Begin with the jobs, as there is one to do."""
        self._worker.wake()

    def stop(self) -> None:
        """Leave off. A job in a state file is taken up again by the next emulator."""
        self._worker.stop()
