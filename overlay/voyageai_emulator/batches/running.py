"""Taking a job further, step by step.

What a step has done is in the database when it ends, all of it or nothing: the answers to a group
of lines, the counts and the place where to go on are committed together. So whenever the process
dies, the next one goes on where this one was, and no line is lost or answered twice.
"""

from __future__ import annotations

import math
import threading
from itertools import islice
from typing import TYPE_CHECKING, Any

from voyageai_rest import catalogue

from ..contract import decode
from ..files.objects import RETENTION
from ..store import Position, microseconds
from .checking import check_lines
from .endpoints import endpoint_of
from .failures import Failures
from .groups import Group, Sweep
from .outcomes import CANCELLED, EXPIRED, out_of_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voyageai_rest.models.batch_status import BatchStatus

    from ..state import EmulatorState
    from ..store import Job, Line
    from .outcomes import Outcome

__all__ = ["Runner"]

GROUP = 64
"""Lines at most whose answers are written together."""
GROUP_BYTES = 4_194_304
"""Bytes of lines from which on their answers are written."""
SWEEP = 1024
"""Lines at most that will not run, written together."""


class Runner:
    """Takes jobs further. For one thread; the attributes may be set from others.

    Attributes:
        held: Statuses that jobs do not leave.
        seconds_per_line: How long a line takes, in seconds of the emulator's clock.
        failures: Lines that are to fail.
        stopping: Set to make a step end early.
    """

    def __init__(self, world: EmulatorState) -> None:
        self._world = world
        self._readers: dict[int, Iterator[Line]] = {}
        self.held = frozenset[str]()
        self.seconds_per_line = 0.0
        self.failures = Failures()
        self.stopping = threading.Event()

    def step(self, job: Job) -> float:
        """Take a job a step further, and tell in how many seconds the next one is due."""
        if job.status in self.held:
            return math.inf
        if not job.validated:
            self._validate(job)
        elif job.status == "validating":
            self._move(job, "failed" if job.errors else "in_progress")
        elif job.status == "in_progress":
            return self._run(job)
        else:
            self._finish(job)
        return 0

    def begin_anew(self, job: Job) -> None:
        """Read a job's lines from where its answers end, as a step may have read and kept none."""
        self._readers.pop(job.number, None)

    def _validate(self, job: Job) -> None:
        store, limit = self._world.store, catalogue.BATCH.max_tokens_in_flight
        lines = store.files.lines(job.input_file, longest=self._longest(job))
        verdict = check_lines(lines, job.endpoint, self._world.contract, self.stopping.is_set)
        if verdict is None:
            return
        _, others = store.jobs.load(job.owner)
        if others + verdict.tokens > limit:
            verdict.add(
                "too_many_tokens",
                f"The file holds {verdict.tokens} tokens, and of the {limit} that an organization "
                f"may have in flight {others} are in use.",
            )
        store.jobs.change(
            job.number,
            validated=True,
            total=verdict.total,
            tokens=verdict.tokens,
            errors=verdict.errors or None,
        )

    def _run(self, job: Job) -> float:
        now, end = self._world.now(), job.expected_completion_at
        position = self._world.store.jobs.next_position(job.number)
        pace = microseconds(self.seconds_per_line)
        began = job.in_progress_at or job.created_at
        due = now if pace == 0 else began + position.line * pace
        if position.line > job.total or min(now, due) >= end:
            self._move(job, "finalizing")
            return 0
        if due > now:
            return (min(due, end) - now) / microseconds(1)
        most = 1 + (min(now, end - 1) - due) // pace if pace else GROUP
        self._advance(job, Group(self._world, job, self.failures), min(most, GROUP))
        return 0

    def _finish(self, job: Job) -> None:
        """Write what there is to say of lines that were not run, then show the files."""
        store, cancelled = self._world.store, job.status == "cancelling"
        if not job.errors and store.jobs.next_position(job.number).line <= job.total:
            self._advance(job, Sweep(CANCELLED if cancelled else EXPIRED), SWEEP)
            return
        self._readers.pop(job.number, None)
        now = self._world.now()
        with store.transaction():
            ids = {
                name: store.files.publish(number, now, now + RETENTION).id
                for name, number in (
                    ("output_file_id", job.output_file),
                    ("error_file_id", job.error_file),
                )
                if number is not None
            }
            self._move(job, "cancelled" if cancelled else "completed", **ids)

    def _advance(self, job: Job, group: Group | Sweep, most: int) -> None:
        """Take the next lines of a job, and write what comes of them."""
        store = self._world.store
        begin = end = store.jobs.next_position(job.number)
        if job.number not in self._readers:
            self._readers[job.number] = store.files.lines(
                job.input_file, first=begin.line, start=begin.start, longest=self._longest(job)
            )
        for line in islice(self._readers[job.number], most):
            if self.stopping.is_set():  # the next process begins where this step did
                return
            group.add(decode(line.raw or b""))
            end = Position(line.number + 1, line.end)
            if group.is_full or end.start - begin.start >= GROUP_BYTES:
                break
        outcomes = out_of_order(group.outcomes(), begin.line)
        with store.transaction():
            self._write(job, outcomes)
            store.jobs.record_answered(job.number, begin, end)

    def _longest(self, job: Job) -> int:
        """Bytes of the longest line: as many as a live request may have."""
        operation, _ = endpoint_of(self._world.contract, job.endpoint)
        return self._world.max_body(operation)

    def _write(self, job: Job, outcomes: list[Outcome]) -> None:
        store = self._world.store
        failed = [outcome.text for outcome in outcomes if outcome.failed]
        completed = [outcome.text for outcome in outcomes if not outcome.failed]
        changed = {
            "completed": job.completed + len(completed),
            "failed": job.failed + len(failed),
        }
        if completed:
            number = job.output_file or store.files.begin(
                job.owner, f"batch_{job.id}_output", "batch-output"
            )
            store.files.append(number, b"".join(completed))
            changed["output_file"] = number
        if failed:
            number = job.error_file or store.files.begin(
                job.owner, f"batch_{job.id}_error", "batch-error"
            )
            store.files.append(number, b"".join(failed))
            changed["error_file"] = number
        store.jobs.change(job.number, **changed)

    def _move(self, job: Job, to: BatchStatus, **columns: Any) -> None:
        """Move a job on, unless it was cancelled meanwhile."""
        self._world.store.jobs.move(job.number, (job.status,), to, self._world.now(), **columns)
