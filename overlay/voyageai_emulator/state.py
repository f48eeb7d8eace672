"""All that one emulator is made of, but for its socket."""

from __future__ import annotations

import re
import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from voyageai_rest.spec import load

from .authentication import Authenticator
from .batches.control import Batches
from .bodies import max_body
from .clock import Clock
from .contract import Contract
from .engine import LexicalEngine, create_engine
from .faults import FaultPlan
from .handlers import MODEL_HANDLERS, QUICK_HANDLERS
from .latency import Latency
from .media import MediaReader
from .rate_limits import RateLimits
from .recording.log import Requests
from .recording.middleware import RecordFile
from .rules import ModelContext
from .slots import Slots
from .store import Store, microseconds

if TYPE_CHECKING:
    from typing import Any

    from .authentication import Caller
    from .contract import Operation
    from .settings import Settings

__all__ = ["EmulatorState"]

TOKEN = re.compile("[!-~]([ -~]*[!-~])?")
"""What a header can carry."""


class EmulatorState:
    """An emulator's parts, and what they share.

    Attributes:
        settings: What it was told.
        clock: Its time.
        contract: What it follows.
        requests: What it was asked.
        faults: What goes wrong.
        gate: Who may ask.
        limits: How often.
        latency: How long it takes; may be replaced.
        slots: How many are worked on at once.
        batches: The batch jobs that run.
        admin_token: What opens the admin routes.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock(settings.clock)
        self.contract = Contract(load() if settings.document is None else settings.document)
        operations = [operation.id for operation in self.contract.operations]
        self._max_body = {
            endpoint: max_body(m for m in settings.models.values() if m.endpoint == endpoint)
            for endpoint in (operation.path.strip("/") for operation in self.contract.operations)
        }
        self.faults = FaultPlan(operations)
        self.faults.start(settings.faults)
        self.gate = Authenticator(settings.api_key, settings.platform)
        self.limits = RateLimits(
            settings.tier, settings.models, self.clock, retry_after=settings.retry_after
        )
        self.latency = Latency(settings.latency)
        self.slots = Slots(settings.concurrency)
        token = settings.admin_token
        self.admin_token = secrets.token_urlsafe(16) if token is None else token
        if not TOKEN.fullmatch(self.admin_token):
            raise ValueError("admin_token must be printable ASCII, without spaces around it")
        self._engine = create_engine(settings.engine)
        self._media = MediaReader(settings.allow_hosts)
        self._opening = threading.Lock()
        self._store: Store | None = None
        self._journal = None if settings.record is None else RecordFile(settings.record)
        self.requests = Requests(
            operations,
            clock=self.clock,
            on_done=None if self._journal is None else self._journal.write,
        )
        self.batches = Batches(self)
        if settings.state is not None:
            try:
                unfinished = self.store.jobs.in_flight()
            except BaseException:
                self.close()
                raise
            if unfinished:
                self.batches.wake()

    @property
    def store(self) -> Store:
        """Files and batch jobs."""
        # Without a state file it is made when it is needed, which for most it never is.
        with self._opening:
            if self._store is None:
                state = self.settings.state
                # Absolute, as SQLite keeps nothing of names such as ":memory:".
                self._store = Store(None if state is None else str(Path(state).absolute()))
            return self._store

    def now(self) -> int:
        """The time as the store has it."""
        return microseconds(self.clock())

    def close(self) -> None:
        """Stop what runs in the background, and let go of files."""
        self.batches.stop()
        if self._store is not None:
            self._store.close()
        if self._journal is not None:
            self._journal.close()

    def is_quick(self, operation: Operation) -> bool:
        """Whether a small request to an operation takes less time than a thread for it."""
        return operation.id in QUICK_HANDLERS and isinstance(self._engine, LexicalEngine)

    def max_body(self, operation: Operation) -> int:
        """Bytes of the largest body that an operation takes."""
        return self._max_body[operation.path.strip("/")]

    def answer(self, operation: Operation, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """What a model endpoint answers to a checked body.

        Raises:
            ApiError: The model cannot do what is asked.
            ShapeError: The body does not fit the operation's model.
        """
        return MODEL_HANDLERS[operation.id](body, self.serving(operation, caller)).to_dict()

    def serving(self, operation: Operation, caller: Caller) -> ModelContext:
        """What a model endpoint answers a caller with."""
        endpoint = operation.path.strip("/")
        served = {
            name: self.gate.seen(model, caller)
            for name, model in self.settings.models.items()
            if model.endpoint == endpoint and self.gate.serves(model, caller)
        }
        return ModelContext(served, self._engine, self._media)
