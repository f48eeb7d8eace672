"""The progress of a job, shown as bars if rich is installed, as lines, or in the log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, Literal

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = [
    "Lines",
    "Progress",
    "ProgressCallback",
    "ProgressOption",
    "RichBars",
    "Stage",
    "show_progress",
    "transfer_progress",
]

LOGGER = logging.getLogger("voyageai.batches")
INFO = logging.INFO
LEVELS = {"waiting": logging.WARNING, "failed": logging.WARNING}
"""Levels of the log for some stages; for others it is `INFO`."""
ABOVE_BARS = (*LEVELS, "retrying", "done")
"""Stages that are shown as text above the bars."""
MEGA = 1_000_000

Stage = Literal[
    "preparing",
    "uploading",
    "creating",
    "waiting",
    "retrying",
    "running",
    "downloading",
    "failed",
    "done",
]
"""Phases of a job: writes its lines, uploads them, creates a batch, waits for room among the
organization's batches, retries a request, polls a batch that runs, downloads answers. `failed`
names rows that have failed; `done` is the end."""


@frozen(kw_only=True)
class Progress:
    """The progress of a job, as it is passed to a function given as `progress`.

    Attributes:
        stage: What the job does, such as `uploading`.
        message: The same as text, of one line or several.
        batch: Number of the batch, from 1; None for the whole job.
        done: Number of units that are done.
        total: Number of all units; None if that is not known.
        unit: What is counted: `rows`, `bytes` or `requests`; empty if nothing is.
        detail: Further numbers, which change all the time.
        minutes: Minutes since it began; where lines are written, there is one for each.
    """

    stage: Stage
    message: str
    batch: int | None = None
    done: int = 0
    total: int | None = None
    unit: str = ""
    detail: str = ""
    minutes: int = 0


ProgressCallback = Callable[[Progress], object]
ProgressOption = bool | ProgressCallback | None
"""The option `progress`; `WatchOptions` says what each value does."""


def transfer_progress(
    show: ProgressCallback, stage: Stage, message: str, batch: int
) -> Callable[[int, int], None]:
    """Return a function that shows how many bytes of a batch's file were sent or received."""

    def report(done: int, total: int) -> None:
        show(
            Progress(
                stage=stage, message=message, batch=batch, done=done, total=total, unit="bytes"
            )
        )

    return report


@contextmanager
def show_progress(
    option: ProgressOption, stream: IO[str] | None = None
) -> Generator[ProgressCallback]:
    """Return a function that displays progress, inside a `with`.

    Args:
        option: A function, which is returned as it is; True to write to the stream, None only if
            that is a terminal. Otherwise progress is logged.
        stream: Where to write; by default standard error.
    """
    target = stream or sys.stderr
    terminal = option is not False and bool(target) and target.isatty()  # programs may have none
    if callable(option):
        yield option
    elif terminal and (bars := _bars(target)) is not None:
        with bars:
            yield bars.show
    elif terminal or option:
        yield Lines(lambda _, line: print(line, file=target, flush=True)).show
    else:
        yield _LoggedLines().show


class Lines:
    """Writes a line when something begins, and for each tenth and each minute of it.

    Args:
        write: Writes a line; it is given the progress too.
    """

    def __init__(self, write: Callable[[Progress, str], object]) -> None:
        self._write = write
        self._last: dict[int | None, tuple[str, int, int]] = {}

    def show(self, progress: Progress) -> None:
        """Write a line, unless the last one for the batch says the same."""
        tenth = 10 * progress.done // progress.total if progress.total else 0
        now = progress.message, tenth, progress.minutes
        if self._last.get(progress.batch) == now:
            return
        self._last[progress.batch] = now
        count = _count(progress)
        self._write(progress, f"{progress.message}{count and ': '}{count}")


class _LoggedLines(Lines):
    """Logs the lines that the logger lets through, long waits and failures as warnings."""

    def __init__(self) -> None:
        super().__init__(_log)

    def show(self, progress: Progress) -> None:
        if LOGGER.isEnabledFor(LEVELS.get(progress.stage, INFO)):
            super().show(progress)


def _log(progress: Progress, line: str) -> None:
    LOGGER.log(LEVELS.get(progress.stage, INFO), "%s", line)


class RichBars:
    """Shows a bar of `rich` per batch.

    Raises:
        ImportError: rich is not installed.
    """

    def __init__(self, stream: IO[str]) -> None:
        rich: Any = import_module("rich.progress")  # an extra, which may be missing
        console: Any = import_module("rich.console").Console(file=stream)
        self._bars = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(bar_width=20),
            rich.TextColumn("{task.fields[count]}", markup=False),
            rich.TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[int | None, Any] = {}

    def show(self, progress: Progress) -> None:
        """Update the batch's bar, or print the message above all bars."""
        if progress.stage in ABOVE_BARS or (progress.batch is None and not progress.unit):
            self._bars.console.print(progress.message, markup=False, highlight=False)
            return
        if progress.batch not in self._tasks:
            self._tasks[progress.batch] = self._bars.add_task("", count="")
        self._bars.update(
            self._tasks[progress.batch],
            description=progress.message,
            completed=progress.done,
            total=progress.total,
            count=_count(progress),
        )

    def __enter__(self) -> RichBars:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()


def _bars(stream: IO[str]) -> RichBars | None:
    try:
        return RichBars(stream)
    except ImportError:
        return None


def _count(progress: Progress) -> str:
    done, total, unit = progress.done, progress.total, progress.unit
    if not unit or (total is None and not done):
        return progress.detail
    if total is None:
        count = f"{done:,} {unit}"
    elif unit == "bytes" and total >= MEGA:
        count = f"{done / MEGA:,.1f} of {total / MEGA:,.1f} MB"
    else:
        count = f"{done:,} of {total:,} {unit}"
    return f"{count}, {progress.detail}" if progress.detail else count
