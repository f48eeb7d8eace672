"""The progress of a job, shown as bars (with rich), as lines, or in the log."""

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
"""Log levels of some stages; the others have `INFO`."""
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
"""Stages of a job, in order: writing lines, uploading them, creating a batch, waiting until another
batch may be in flight, retrying a request, polling a running batch, downloading responses. `failed`
reports failed rows; `done` is the end."""


@frozen(kw_only=True)
class Progress:
    """The progress of a job, as it is passed to a function given as `progress`.

    Attributes:
        stage: The stage of the job, such as `uploading`.
        message: Description of the stage, in one or several lines.
        batch: Number of the batch, from 1; None for the whole job.
        done: Number of units that are done.
        total: Number of all units; None if unknown.
        unit: The unit, `rows`, `bytes` or `requests`; empty if nothing is counted.
        detail: Further numbers, which change constantly.
        minutes: Minutes since the start of the stage; printed lines are repeated every minute.
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
"""The types of the option `progress`, described in `WatchOptions`."""


def transfer_progress(
    show: ProgressCallback, stage: Stage, message: str, batch: int
) -> Callable[[int, int], None]:
    """Return a function that shows the bytes of a batch's file that were sent or received."""

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
    """Enter with a function that displays progress.

    Args:
        option: A function, which is used itself; True to write to the stream, None to do so only if
            it is a terminal. Otherwise progress is logged.
        stream: The stream; standard error by default.
    """
    target = stream or sys.stderr
    terminal = option is not False and bool(target) and target.isatty()  # stderr may be None
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
    """Writes a line at the start of each stage, and for each tenth and each minute of it.

    Args:
        write: Function that writes a line; called with the progress and the line.
    """

    def __init__(self, write: Callable[[Progress, str], object]) -> None:
        self._write = write
        self._last: dict[int | None, tuple[str, int, int]] = {}

    def show(self, progress: Progress) -> None:
        """Write a line, unless it would repeat the batch's last one."""
        tenth = 10 * progress.done // progress.total if progress.total else 0
        now = progress.message, tenth, progress.minutes
        if self._last.get(progress.batch) == now:
            return
        self._last[progress.batch] = now
        count = _count(progress)
        self._write(progress, f"{progress.message}{count and ': '}{count}")


class _LoggedLines(Lines):
    """Logs lines, long waits and failures as warnings; skips levels that are not enabled."""

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
        rich: Any = import_module("rich.progress")  # an optional package
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
