"""Keyword arguments for how a job is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, cast

from ...error import ArgumentError
from ..polling import Polling
from .display import Watch  # noqa: TC001  # tools read the hints
from .pace import Pace

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["WatchOptions", "check_watch"]


class WatchOptions(TypedDict, total=False):
    """Keyword arguments for how a job is carried out.

    Attributes:
        poll: Seconds between two looks at a batch, or a `voyageai.batches.Polling`.
        progress: None to show what happens if errors go to a terminal, with bars if `rich` is
            installed; True to show it wherever they go; False to show nothing; or a function that
            is given each `voyageai.batches.Progress`. What is not shown is in the log of
            `voyageai.batches`; long waits and failures are warnings, which Python prints where
            logging is not set up.
        pace: How long to wait when the server refuses or fails.
    """

    poll: float | Polling | None
    progress: Watch
    pace: Pace


def check_watch(options: Mapping[str, object], known: type[WatchOptions] = WatchOptions) -> None:
    """Refuse options that are wrong, before anything is done.

    Args:
        options: As the user gave them.
        known: Those that there are.

    Raises:
        ArgumentError: One of them is wrong.
        TypeError: There is none of such a name.
    """
    for name in options:
        if name not in known.__annotations__:
            raise TypeError(f"got an unexpected keyword argument {name!r}")
    Polling.of(cast("float | Polling | None", options.get("poll")))
    pace = options.get("pace")
    if pace is not None and not isinstance(pace, Pace):
        raise ArgumentError(f"pace must be a voyageai.batches.Pace or None, not {pace!r}", "pace")
    progress = options.get("progress")
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ArgumentError(
            f"progress must be True, False, None or a function, not {progress!r}", "progress"
        )
