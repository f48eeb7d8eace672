"""What comes of a job's lines, as it stands in its output file or its error file."""

from __future__ import annotations

import json
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.models import (
    BatchLineAnswer,
    BatchLineError,
    BatchLineResponse,
    BatchOutputLine,
)

if TYPE_CHECKING:
    from ..responses import ApiError

__all__ = ["CANCELLED", "EXPIRED", "Outcome", "answered", "not_run", "out_of_order", "refused"]

EXPIRED = BatchLineError(
    code="batch_expired",
    message="This request could not be executed before the completion window expired.",
)
CANCELLED = BatchLineError(
    code="batch_cancelled",
    message="This request was not executed, as the batch was cancelled.",
)


class Outcome(NamedTuple):
    """What came of a line."""

    text: bytes
    """A line of a file."""
    failed: bool
    """Whether that is the error file."""


def answered(custom_id: str, answer: dict[str, Any]) -> Outcome:
    """A line that the endpoint has answered."""
    response = BatchLineResponse(
        status_code=HTTPStatus.OK, body=BatchLineAnswer(additional_properties=answer)
    )
    line = BatchOutputLine(custom_id=custom_id, response=response, error=None)
    return Outcome(_text(line), failed=False)


def refused(custom_id: str, refusal: ApiError) -> Outcome:
    """A line that the endpoint has refused."""
    response = BatchLineResponse(status_code=refusal.status, message=refusal.detail)
    line = BatchOutputLine(custom_id=custom_id, response=response, error=None)
    return Outcome(_text(line), failed=True)


def not_run(custom_id: str, reason: BatchLineError) -> Outcome:
    """A line that was not run."""
    line = BatchOutputLine(custom_id=custom_id, response=None, error=reason)
    return Outcome(_text(line), failed=True)


def out_of_order(outcomes: list[Outcome], seed: int) -> list[Outcome]:
    """The same in another order, which is the same for the same seed and number."""
    shuffled = list(range(len(outcomes)))
    Random(seed).shuffle(shuffled)  # noqa: S311  # nobody is to be surprised twice
    if shuffled == sorted(shuffled):
        shuffled.reverse()
    return [outcomes[place] for place in shuffled]


def _text(line: BatchOutputLine) -> bytes:
    return json.dumps(line.to_dict(), separators=(",", ":")).encode() + b"\n"
