"""Points in time as the database holds them: microseconds since 1970."""

from __future__ import annotations

import datetime

__all__ = ["as_datetime", "instant"]

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def instant(seconds: float) -> int:
    """The instant of a time, or the length of a duration, in seconds."""
    return round(seconds * 1_000_000)


def as_datetime(instant: int) -> datetime.datetime:
    """An instant as a time of UTC.

    Example:
        >>> as_datetime(1_500_000).isoformat()
        '1970-01-01T00:00:01.500000+00:00'
    """
    return EPOCH + datetime.timedelta(microseconds=instant)
