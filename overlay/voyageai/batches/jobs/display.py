"""Showing people what a job does: bars where rich is installed, lines where not, or in the log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

from .progress import Progress, Told

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Lines", "RichBars", "Watch", "log", "showing"]

Watch = bool | Told | None
"""What `progress` may be: see `WatchOptions`."""
LOGGER = logging.getLogger("voyageai.batches")
ALARMING = ("waiting", "failed")
"""Stages that people should hear of wherever they look."""
ASIDE = (*ALARMING, "retrying", "done")
"""Stages that are told in words, above the bars."""
MEGA = 1_000_000


@contextmanager
def showing(watch: Watch, stream: IO[str] | None = None) -> Generator[Told]:
    """Show what a job does for as long as the block lasts.

    Args:
        watch: A function is told. True shows it on the stream, None only if that is a terminal;
            what is not shown goes to the log.
        stream: Where to show it; by default where errors go.
    """
    target = stream or sys.stderr
    terminal = watch is not False and bool(target) and target.isatty()  # programs may have none
    if callable(watch):
        yield watch
    elif terminal and (bars := _bars(target)) is not None:
        with bars:
            yield bars.tell
    elif terminal or watch:
        yield Lines(lambda _, line: print(line, file=target, flush=True)).tell
    else:
        yield Lines(log).tell


def log(progress: Progress, line: str) -> None:
    """Write a line to the logger `voyageai.batches`, long waits and failures as warnings."""
    level = logging.WARNING if progress.stage in ALARMING else logging.INFO
    LOGGER.log(level, "%s", line)


class Lines:
    """A line whenever something begins, and for each tenth of it that is done.

    Args:
        write: Is given each line, and what it is about.
    """

    def __init__(self, write: Callable[[Progress, str], object]) -> None:
        self._write = write
        self._last: dict[int | None, tuple[str, int]] = {}

    def tell(self, progress: Progress) -> None:
        """Show it."""
        tenth = 10 * progress.done // progress.total if progress.total else 0
        now = progress.message, tenth
        if self._last.get(progress.batch) == now:
            return
        self._last[progress.batch] = now
        count = _count(progress)
        self._write(progress, f"{progress.message}{count and ': '}{count}")


class RichBars:
    """Bars of `rich`, one per batch.

    Raises:
        ImportError: It is not installed.
    """

    def __init__(self, stream: IO[str]) -> None:
        rich: Any = import_module("rich.progress")  # optional, and without it never looked at
        console: Any = import_module("rich.console").Console(file=stream)
        self._bars = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(bar_width=20),
            rich.TextColumn("{task.fields[count]}", markup=False),
            rich.TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[int | None, Any] = {}

    def tell(self, progress: Progress) -> None:
        """Show it."""
        if progress.stage in ASIDE or (progress.batch is None and not progress.unit):
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
        return ""
    if total is None:
        return f"{done:,} {unit}"
    if unit == "bytes" and total >= MEGA:
        return f"{done / MEGA:,.1f} of {total / MEGA:,.1f} MB"
    return f"{done:,} of {total:,} {unit}"
