"""The thread that runs batch jobs, and their controls for tests."""

from __future__ import annotations

import logging
import math
import threading
from typing import TYPE_CHECKING, Any

from attrs import asdict
from voyageai_rest.catalogue import BATCH

from ..bodies import MAX_UPLOAD
from ..state import BatchLimits
from ..store import IN_FLIGHT
from .endpoints import as_batch
from .runner import Runner

if TYPE_CHECKING:
    from voyageai_rest.models import Batch
    from voyageai_rest.models.batch_status import BatchStatus

    from ..state import EmulatorState
    from ..store import Job

__all__ = ["Batches", "Worker"]

LOGGER = logging.getLogger(__name__)
MIN_WAIT = 0.01
"""Minimum of seconds to wait, as the emulator's clock may stand still."""
RETRY_SECONDS = 1.0


class Batches:
    """An emulator's batch jobs, of all API keys. Safe to use from any thread.

    Unfinished jobs of the state file continue at once.

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

    def __init__(self, state: EmulatorState) -> None:
        self._state = state
        self._runner = Runner(state)
        self._worker = Worker(state, self._runner)
        state.clock.on_advance(self._worker.check_again)
        if state.settings.state is not None and state.store.jobs.in_flight():
            self.wake()

    def all(self) -> list[Batch]:
        """Return all jobs, newest first."""
        return [as_batch(job) for job in self._state.store.jobs.all()]

    def hold(self, status: BatchStatus) -> None:
        """Hold jobs in a status, without progress, until `release`.

        They can still be cancelled. Steps that become due in the meantime run after the release.

        Args:
            status: ``validating``, ``in_progress``, ``finalizing`` or ``cancelling``.

        Raises:
            ValueError: `status` is not one of these.
        """
        if status not in IN_FLIGHT:
            raise ValueError(f"jobs can be held in {', '.join(IN_FLIGHT)}, not in {status!r}")
        self._runner.held |= {status}

    def release(self) -> None:
        """Release all held jobs."""
        self._runner.held = frozenset()
        self._worker.check_again()

    def fail(
        self,
        custom_id: str | None = None,
        *,
        times: int | None = None,
        rate: float = 1,
        status: int = 500,
        message: str = "Internal Server Error",
    ) -> None:
        """Make lines fail that have not run yet. If several calls match a line, the first applies.

        Args:
            custom_id: `custom_id` of the lines, in every job; None for all lines.
            times: Number of lines to fail; None for all.
            rate: Share of the lines that fail, from 0 to 1. The selection differs between jobs, but
                is the same in every run of a job.
            status: Status in the error file, from 400 to 599.
            message: Message in the error file.

        Raises:
            ValueError: `times`, `rate` or `status` is out of range.
        """
        self._runner.failures.add(custom_id, times, rate, status, message)

    def stop_failing(self) -> None:
        """Undo all calls of `fail`."""
        self._runner.failures.clear()

    def pace(self, seconds_per_line: float) -> None:
        """Set the seconds of the emulator's clock that each line takes; the default is 0.

        Raises:
            ValueError: `seconds_per_line` is negative or infinite.
        """
        if not 0 <= seconds_per_line < math.inf:
            raise ValueError(f"a line takes 0 seconds or more, not {seconds_per_line}")
        self._runner.seconds_per_line = seconds_per_line
        self._worker.check_again()

    def limit(
        self,
        *,
        max_inputs: int = BATCH.max_inputs,
        max_jobs_in_flight: int = BATCH.max_jobs_in_flight,
        max_tokens_in_flight: int = BATCH.max_tokens_in_flight,
        max_file_bytes: int = MAX_UPLOAD,
    ) -> None:
        """Set the limits of jobs and of their files; the defaults are the API's.

        Args:
            max_inputs: Lines of a job.
            max_jobs_in_flight: Jobs in flight of an API key.
            max_tokens_in_flight: Tokens of these jobs together.
            max_file_bytes: Bytes of an uploaded file.

        Raises:
            ValueError: A limit is not a whole number from 1.
        """
        limits = BatchLimits(
            max_inputs=max_inputs,
            max_jobs_in_flight=max_jobs_in_flight,
            max_tokens_in_flight=max_tokens_in_flight,
            max_file_bytes=max_file_bytes,
        )
        for name, limit in asdict(limits).items():
            if type(limit) is not int or limit < 1:
                raise ValueError(f"{name} must be a whole number from 1, not {limit!r}")
        self._state.batch_limits = limits

    def settle(self, *, timeout: float = 5.0) -> int:
        """Wait until no job can progress, as all have ended, are held, or are due later.

        Args:
            timeout: Maximum of seconds to wait.

        Returns:
            The number of jobs in flight.
        """
        return self._worker.settle(timeout)

    def as_json(self) -> dict[str, Any]:
        """Return the settings of this object, and the jobs with their owners, newest first."""
        return {
            "held": sorted(self._runner.held),
            "seconds_per_line": self._runner.seconds_per_line,
            "limits": asdict(self._state.batch_limits),
            "batches": [
                {"owner": job.owner, **as_batch(job).to_dict()}
                for job in self._state.store.jobs.all()
            ],
        }

    def wake(self) -> None:
        """Start working on jobs."""
        self._worker.wake()

    def stop(self) -> None:
        """Stop working on jobs. The next emulator continues those in a state file."""
        self._worker.stop()


class Worker:
    """A thread that runs all jobs, one step of each in turn.

    The thread starts when it is first woken.

    Args:
        state: The emulator's state.
        runner: Runs the steps.
        retry_seconds: Seconds until a step that failed, as on a full disk, is tried again.
    """

    def __init__(
        self, state: EmulatorState, runner: Runner, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._state = state
        self._runner = runner
        self._retry_seconds = retry_seconds
        self._changed = threading.Condition()
        self._woken = False
        self._idle = True
        self._thread: threading.Thread | None = None

    def check_again(self) -> None:
        """Check the jobs again, if the thread was started."""
        with self._changed:
            if self._thread is not None:
                self._woken, self._idle = True, False
                self._changed.notify_all()

    def wake(self) -> None:
        """Start the thread if necessary, and check the jobs."""
        with self._changed:
            if self._thread is None and not self._runner.stopping.is_set():
                self._thread = threading.Thread(
                    target=self._work, name="emulator batches", daemon=True
                )
                self._thread.start()
            self.check_again()

    def stop(self) -> None:
        """End the thread after the line that it is working on."""
        self._runner.stopping.set()
        self.check_again()
        if self._thread is not None:
            self._thread.join()

    def settle(self, timeout: float) -> int:
        """Wait until no job can progress, and return the number of jobs in flight."""
        with self._changed:
            self._changed.wait_for(lambda: self._idle, timeout)
        return len(self._state.store.jobs.in_flight())

    def _work(self) -> None:
        stopping = self._runner.stopping
        while not stopping.is_set():
            self._woken = False
            due = math.inf
            for job in self._state.store.jobs.in_flight():
                if stopping.is_set():
                    return
                due = min(due, self._step(job))
            with self._changed:
                if due > 0 and not self._woken:
                    self._idle = True
                    self._changed.notify_all()
                    self._changed.wait_for(
                        lambda: self._woken, None if math.isinf(due) else max(due, MIN_WAIT)
                    )
                    self._idle = False

    def _step(self, job: Job) -> float:
        """Run a step of a job; if it fails, log that and try again later."""
        try:
            return self._runner.step(job)
        except Exception:
            LOGGER.exception("a step of %s failed and will be tried again", job.id)
            self._runner.reset(job)
            return self._retry_seconds
