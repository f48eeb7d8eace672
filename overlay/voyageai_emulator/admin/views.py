"""The JSON objects that the admin routes return."""

from __future__ import annotations

import functools
import time
from bisect import bisect_right
from importlib.metadata import version
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import attrs
from voyageai_rest.constraints import CONSTRAINTS
from voyageai_rest.models import CreateBatchRequest, EmbeddingsRequest

from ..authentication import Caller
from ..faults import FAULTS
from ..responses import NOTICE
from ..store import IN_FLIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..connections import Connections
    from ..recording import RecordedRequest, RecordedRequests
    from ..state import EmulatorState

__all__ = ["StateView", "fault_kinds", "find_request", "find_requests", "summary"]

SHOWN_SETTINGS = ("platform", "concurrency", "engine")
"""Settings shown on the page: those that do not change, and are neither secrets nor paths."""
# From the generated models, so that a field that is renamed or gone fails the import.
MODEL: str = attrs.fields(EmbeddingsRequest).model.name
INPUT_TYPE: str = attrs.fields(EmbeddingsRequest).input_type.name
PARAMS: str = attrs.fields(CreateBatchRequest).request_params.name
MAX_DECODED = 8_388_608
"""Maximum of bytes of a body that is decoded for a summary."""
MAX_SHOWN = 200
"""Maximum of characters of a field in a summary, as a request may have any value there."""


class StateView:
    """The state of an emulator as JSON, without its requests.

    Args:
        state: State of the emulator.
        connections: Counts of its connections.
        timer: Monotonic clock for the uptime, in seconds.
    """

    def __init__(
        self,
        state: EmulatorState,
        connections: Connections,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._connections = connections
        self._timer = timer
        self._started = timer()
        # Distinguishes this emulator from the next one at the same address.
        self._id = uuid4().hex

    def as_json(self) -> dict[str, Any]:
        """Return the state that the page shows."""
        state, connections = self._state, self._connections
        return {
            "id": self._id,
            "notice": NOTICE,
            "version": version("voyageai"),
            "uptime": round(self._timer() - self._started, 3),
            "clock": self.clock(),
            "connections": {"open": connections.open, "accepted": connections.accepted},
            "requests": {"in_flight": state.slots.in_flight, "waiting": state.slots.waiting},
            "tier": state.limits.tier,
            "latency": str(state.latency),
            "settings": {name: getattr(state.settings, name) for name in SHOWN_SETTINGS},
            "base": state.contract.base,
            "operations": [
                {"id": operation.id, "method": operation.method, "path": operation.path}
                for operation in state.contract.operations
            ],
            "models": self._models(),
            "choices": {
                "input_type": CONSTRAINTS["EmbeddingsRequest"]["input_type"].values,
                "purpose": CONSTRAINTS["UploadFileRequest"]["purpose"].values,
                "endpoint": CONSTRAINTS["CreateBatchRequest"]["endpoint"].values,
                "completion_window": CONSTRAINTS["CreateBatchRequest"]["completion_window"].values,
                "hold": IN_FLIGHT,
            },
        }

    def clock(self) -> dict[str, float]:
        """Return the emulator's time, and the seconds by which it was advanced."""
        state = self._state
        unmoved, now = state.settings.clock(), state.clock()
        return {"time": now, "ahead": round(now - unmoved, 3)}

    def _models(self) -> dict[str, list[dict[str, Any]]]:
        """Return the models that are not retired, by endpoint."""
        state = self._state
        caller = Caller("", state.settings.platform)
        found: dict[str, list[dict[str, Any]]] = {}
        for each in state.settings.models.values():
            model = state.authenticator.at_host(each, caller)
            if model.endpoint is None or model.lifecycle == "retired":
                continue
            if state.authenticator.serves(model, caller):
                line = {"name": model.name, "lifecycle": model.lifecycle, "batch": model.batch}
                found.setdefault(model.endpoint, []).append(line)
        return found


def fault_kinds() -> list[dict[str, Any]]:
    """Return all kinds of faults, with the defaults of their parameters."""
    return [
        {
            "name": kind.name,
            "description": kind.description,
            "parameters": dict(kind.parameters),
        }
        for kind in FAULTS.values()
    ]


def find_requests(
    requests: RecordedRequests, operation: str | None, after: int, limit: int | None
) -> list[RecordedRequest]:
    """Return the latest requests with numbers above `after`, to an operation or to all.

    Raises:
        ValueError: The operation is unknown.
    """
    found = requests[:] if operation is None else requests.of(operation)
    # Sorted by number, so a binary search skips those up to `after`.
    later = found[bisect_right(found, after, key=attrgetter("number")) :]
    return later if limit is None else later[max(0, len(later) - limit) :]


def find_request(requests: RecordedRequests, number: int) -> RecordedRequest | None:
    """Return the request with a number; None if it was dropped or does not exist."""
    found = find_requests(requests, None, number - 1, None)
    return found[0] if found and found[0].number == number else None


def summary(record: RecordedRequest) -> dict[str, Any]:
    """Return a request without headers and body, for a row of the page's table."""
    is_decoded = record.done and record.size <= MAX_DECODED
    model, input_type = _model_and_input_type(record) if is_decoded else (None, None)
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
        "disconnected": record.disconnected,
        "done": record.done,
    }


@functools.lru_cache(maxsize=1_000)
def _model_and_input_type(record: RecordedRequest) -> tuple[str | None, str | None]:
    """Return these fields of a complete request. The cache avoids decoding its body repeatedly."""
    fields = _object(record.body)
    # The body of `createBatch` has them in `request_params`.
    fields = {**fields, **_object(fields.get(PARAMS))}
    return _text(fields.get(MODEL)), _text(fields.get(INPUT_TYPE))


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value[:MAX_SHOWN] if isinstance(value, str) else None
