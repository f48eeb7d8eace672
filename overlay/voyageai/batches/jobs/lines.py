"""Lines of JSON in a job's files: written, read, and told of when they are damaged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .errors import JobDirectoryError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["changed", "damaged", "dumps", "loads"]


def dumps(value: Any) -> bytes:
    """A value as one line of JSON that a person can read."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def loads(line: bytes) -> Any:
    """What a line holds.

    Raises:
        ValueError: It is no JSON, or is nested too deeply to be read.
    """
    try:
        return json.loads(line)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def damaged(path: Path, reason: object, line: int | None = None) -> JobDirectoryError:
    """An error about a file of a job, or a line of it, that something else has changed."""
    place = path if line is None else f"line {line} of {path}"
    return JobDirectoryError(
        f"{place} was damaged: {reason}; put the file back as it was, or begin another job"
    )


def changed(path: Path) -> JobDirectoryError:
    """An error about a file of a job that is missing, or as a whole not what it was."""
    return JobDirectoryError(
        f"{path} was changed or removed by something else: put it back, or begin another job"
    )
