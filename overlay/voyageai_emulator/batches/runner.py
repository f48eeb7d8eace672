"""Run jobs step by step.

Each step is one transaction: the answers to a group of lines, the counts and the position of the
next line are committed together. So after a crash the next process continues at the same line, and
no line is lost or answered twice.
"""

from __future__ import annotations

import math
import threading
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..bodies import decode
from ..files import RETENTION
from ..store import Position, microseconds
from .lines import CANCELLED, EXPIRED, AnsweredLines, LineFailures, SkippedLines, shuffled
from .validation import check_lines, endpoint_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voyageai_rest.models.batch_status import BatchStatus

    from ..state import EmulatorState
    from ..store import Job, Line
    from .lines import LineResult

__all__ = ["Runner"]

MAX_LINES = 64
"""Maximum of lines that are answered and written together."""
MAX_BYTES = 4_194_304
"""Bytes of lines after which their answers are written."""
MAX_SKIPPED = 1024
"""Maximum of lines that were not run and are written together."""


class Runner:
    """Runs the steps of jobs in one thread; other threads may set the attributes.

    Attributes:
        held: Statuses in which jobs are held.
        seconds_per_line: Seconds of the emulator's clock that each line takes.
        failures: Planned failures of lines.
        stopping: Set to end the current step early.
    """

    def __init__(self, state: EmulatorState) -> None:
        self._state = state
        self._readers: dict[int, Iterator[Line]] = {}
        self.held = frozenset[str]()
        self.seconds_per_line = 0.0
        self.failures = LineFailures()
        self.stopping = threading.Event()

    def step(self, job: Job) -> float:
        """Run a step of a job, and return the seconds until the next one is due."""
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

    def reset(self, job: Job) -> None:
        """Read a job's lines again from the first unanswered one, after a step has failed."""
        self._readers.pop(job.number, None)

    def _validate(self, job: Job) -> None:
        store, limits = self._state.store, self._state.batch_limits
        lines = store.files.lines(job.input_file, max_line_bytes=self._max_line(job))
        result = check_lines(
            *(lines, job.endpoint, job.model, self._state.contract),
            max_lines=limits.max_inputs,
            stopping=self.stopping.is_set,
        )
        if result is None:
            return
        _, others = store.jobs.load(job.owner)
        limit = limits.max_tokens_in_flight
        if others + result.tokens > limit:
            result.add(
                "too_many_tokens",
                f"The file holds {result.tokens} tokens, and of the {limit} that an organization "
                f"may have in flight {others} are in use.",
            )
        store.jobs.change(
            job.number,
            validated=True,
            total=result.total,
            tokens=result.tokens,
            errors=result.errors or None,
        )

    def _run(self, job: Job) -> float:
        now, end = self._state.now(), job.expected_completion_at
        position = self._state.store.jobs.next_position(job.number)
        per_line = microseconds(self.seconds_per_line)
        began = job.in_progress_at or job.created_at
        due = now if per_line == 0 else began + position.line * per_line
        if position.line > job.total or min(now, due) >= end:
            self._move(job, "finalizing")
            return 0
        if due > now:
            return (min(due, end) - now) / microseconds(1)
        limit = 1 + (min(now, end - 1) - due) // per_line if per_line else MAX_LINES
        lines = AnsweredLines(self._state, job, self.failures)
        self._advance(job, lines, min(limit, MAX_LINES))
        return 0

    def _finish(self, job: Job) -> None:
        """Write results for lines that were not run, then publish the files."""
        store, cancelled = self._state.store, job.status == "cancelling"
        if not job.errors and store.jobs.next_position(job.number).line <= job.total:
            skipped = SkippedLines(CANCELLED if cancelled else EXPIRED)
            self._advance(job, skipped, MAX_SKIPPED)
            return
        self._readers.pop(job.number, None)
        now = self._state.now()
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

    def _advance(self, job: Job, group: AnsweredLines | SkippedLines, limit: int) -> None:
        """Read the next lines of a job, and write their results."""
        store = self._state.store
        begin = end = store.jobs.next_position(job.number)
        if job.number not in self._readers:
            self._readers[job.number] = store.files.lines(
                job.input_file,
                first=begin.line,
                start=begin.start,
                max_line_bytes=self._max_line(job),
            )
        for line in islice(self._readers[job.number], limit):
            if self.stopping.is_set():  # the next process repeats this step
                return
            group.add(decode(line.raw or b""))
            end = Position(line.number + 1, line.end)
            if group.is_full or end.start - begin.start >= MAX_BYTES:
                break
        results = shuffled(group.results(), begin.line)
        with store.transaction():
            self._write(job, results)
            store.jobs.record_answered(job.number, begin, end)

    def _max_line(self, job: Job) -> int:
        """Return the maximum of bytes of a line: that of a live request."""
        operation, _ = endpoint_of(self._state.contract, job.endpoint)
        return self._state.max_body(operation)

    def _write(self, job: Job, results: list[LineResult]) -> None:
        store = self._state.store
        failed = [result.text for result in results if result.failed]
        completed = [result.text for result in results if not result.failed]
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
        """Change a job's status, unless it was cancelled in the meantime."""
        self._state.store.jobs.move(job.number, (job.status,), to, self._state.now(), **columns)
