"""The recorded requests as the admin routes tell them."""

from __future__ import annotations

import functools
from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ..recording.log import Requests
    from ..recording.record import RecordedRequest

__all__ = ["brief", "one", "some"]

LARGEST = 8_388_608
"""Bytes of a body that is decoded for its line in a table."""
LONGEST = 200
"""Characters that are told of a field, which a request may fill with anything."""


def some(
    requests: Requests, operation: str | None, after: int, limit: int | None
) -> list[RecordedRequest]:
    """Requests to an operation, or to all, that came after a number; the latest of them.

    Raises:
        ValueError: There is no such operation.
    """
    found = requests[:] if operation is None else requests.of(operation)
    # Numbers only grow, so those that a caller has are skipped without a look at each.
    later = found[bisect_right(found, after, key=attrgetter("number")) :]
    return later if limit is None else later[max(0, len(later) - limit) :]


def one(requests: Requests, number: int) -> RecordedRequest | None:
    """The request with a number, if it is kept."""
    found = some(requests, None, number - 1, None)
    return found[0] if found and found[0].number == number else None


def brief(record: RecordedRequest) -> dict[str, Any]:
    """A record's line in a table."""
    model, input_type = _asked(record) if record.done and record.size <= LARGEST else (None, None)
    return {
        "number": record.number,
        "time": record.time,
        "operation": record.operation,
        "method": record.method,
        "path": record.path,
        "key": record.key,
        "size": record.size,
        "model": model,
        "input_type": input_type,
        "status": record.status,
        "tokens": record.tokens,
        "duration": record.duration,
        "fault": None if record.fault is None else str(record.fault),
        "went_away": record.went_away,
        "done": record.done,
    }


@functools.lru_cache(maxsize=1_000)
def _asked(record: RecordedRequest) -> tuple[str | None, str | None]:
    """Model and input_type of a complete request, whose body is decoded once, however polled."""
    fields = _fields(record.body)
    # A batch job's are one step down.
    fields = {**fields, **_fields(fields.get("request_params"))}
    return _text(fields.get("model")), _text(fields.get("input_type"))


def _fields(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value[:LONGEST] if isinstance(value, str) else None
