"""All that one emulator is made of, but for its socket."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from voyageai_rest.spec import load

from .clock import Clock
from .contract import Contract
from .engine.lexical import Lexical
from .faults import FaultPlan
from .gate import Gate
from .handlers import MODEL_HANDLERS, Serving
from .latency import Latency
from .media import Media
from .ratelimits import RateLimits
from .recorder import Journal
from .requests import Requests

if TYPE_CHECKING:
    from typing import Any

    from .contract import Operation
    from .engine import Engine
    from .gate import Caller
    from .settings import Settings

__all__ = ["World"]


class World:
    """An emulator's parts, and what they share.

    Attributes:
        settings: What it was told.
        clock: Its time.
        contract: What it follows.
        requests: What it was asked.
        faults: What goes wrong.
        gate: Who may ask.
        limits: How often.
        latency: How long it takes.
        admin_token: What opens the admin routes.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock(settings.clock)
        self.contract = Contract(load() if settings.document is None else settings.document)
        operations = [operation.id for operation in self.contract.operations]
        self.faults = FaultPlan(operations)
        self.faults.start(settings.faults)
        self.gate = Gate(settings.api_key, settings.platform)
        self.limits = RateLimits(
            settings.tier, settings.models, self.clock, retry_after=settings.retry_after
        )
        self.latency = Latency(settings.latency)
        self.admin_token = settings.admin_token or secrets.token_urlsafe(16)
        self._engine: Engine = Lexical()
        self._media = Media(settings.allow_hosts)
        self._journal = None if settings.record is None else Journal(settings.record)
        self.requests = Requests(
            operations,
            clock=self.clock,
            on_done=None if self._journal is None else self._journal.write,
        )

    def close(self) -> None:
        """Let go of files."""
        if self._journal is not None:
            self._journal.close()

    def answer(self, operation: Operation, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """What a model endpoint answers to a checked body.

        Raises:
            Refused: The model cannot do what is asked.
            ShapeError: The body does not fit the operation's model.
        """
        endpoint = operation.path.strip("/")
        served = {
            name: model
            for name, model in self.settings.models.items()
            if model.endpoint == endpoint and self.gate.serves(model, caller)
        }
        handler = MODEL_HANDLERS[operation.id]
        return handler(body, Serving(served, self._engine, self._media)).to_dict()
