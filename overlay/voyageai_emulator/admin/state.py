"""What an emulator is and how it stands, as JSON."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from voyageai_rest.constraints import CONSTRAINTS

from ..authentication import Caller
from ..faults import FAULTS
from ..labels import NOTICE
from ..store import IN_FLIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..connections import Connections
    from ..state import EmulatorState

__all__ = ["State", "faults_there_are"]

TOLD = ("platform", "concurrency", "engine")
"""Settings that do not change, and are neither secrets nor paths."""


class State:
    """Tells what there is to know of an emulator that does not change with every request.

    Args:
        world: The emulator.
        connections: Those of its server, if it has one.
        timer: Tells seconds that pass, for the uptime.
    """

    def __init__(
        self,
        world: EmulatorState,
        connections: Connections | None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._connections = connections
        self._timer = timer
        self._started = timer()
        # Tells one emulator from the next at the same address.
        self._id = uuid4().hex

    def as_json(self) -> dict[str, Any]:
        """It all, as JSON has it."""
        world, connections = self._world, self._connections
        return {
            "id": self._id,
            "notice": NOTICE,
            "version": version("voyageai"),
            "uptime": round(self._timer() - self._started, 3),
            "clock": self.clock(),
            "connections": connections
            and {"open": connections.open, "accepted": connections.accepted},
            "requests": {"in_flight": world.slots.in_flight, "waiting": world.slots.waiting},
            "tier": world.limits.tier,
            "latency": str(world.latency),
            "settings": {name: getattr(world.settings, name) for name in TOLD},
            "base": world.contract.base,
            "operations": [
                {"id": operation.id, "method": operation.method, "path": operation.path}
                for operation in world.contract.operations
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
        """The emulator's time, and how far it was moved."""
        world = self._world
        unmoved, now = world.settings.clock(), world.clock()
        return {"time": now, "ahead": round(now - unmoved, 3)}

    def _models(self) -> dict[str, list[dict[str, Any]]]:
        """The models that answer, by endpoint."""
        world = self._world
        caller = Caller("", world.settings.platform)
        found: dict[str, list[dict[str, Any]]] = {}
        for each in world.settings.models.values():
            model = world.gate.seen(each, caller)
            if model.endpoint is None or model.lifecycle == "retired":
                continue
            if world.gate.serves(model, caller):
                line = {"name": model.name, "lifecycle": model.lifecycle, "batch": model.batch}
                found.setdefault(model.endpoint, []).append(line)
        return found


def faults_there_are() -> list[dict[str, Any]]:
    """The faults that can be planned, with the defaults of their parameters."""
    return [
        {
            "name": kind.name,
            "description": kind.description,
            "parameters": dict(kind.parameters),
        }
        for kind in FAULTS.values()
    ]
