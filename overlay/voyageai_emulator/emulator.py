"""A running emulator, as `running` and `in_process` yield it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from .faults import Fault
from .faults.middleware import PREFIX
from .timing import Latency

if TYPE_CHECKING:
    from .app import Application
    from .batches import Batches
    from .connections import Connections
    from .engine import Engine
    from .faults import FaultPlan
    from .faults.fault import Value
    from .rate_limits import RateLimits
    from .recording import RecordedRequests
    from .state import EmulatorState
    from .timing import Clock

__all__ = ["Emulator"]


class Emulator(str):
    """The base URL of a running emulator, such as ``http://127.0.0.1:49152/v1``, and more.

    It is a string, so that it can be given wherever a base URL is asked for. Pickled or copied it
    is a plain string.

    Attributes:
        origin: The URL without a path.
        requests: The requests it received, a sequence of `RecordedRequest`.
        faults: The faults that are planned, a `FaultPlan`.
        clock: Its clock, which can be moved.
        batches: Its batch jobs, which can be held and made to fail.
        connections: Counts of its connections.
        limits: Its rate limits.
        latency: How long its responses take; may be set.
        engine: What makes its vectors and scores; may be set to an `Engine` of one's own.
        admin_token: Token of its admin routes.

    Example:
        >>> import httpx2
        >>> from voyageai_emulator import running
        >>> with running() as emulator:
        ...     emulator.faults.next("status", status=503, retry_after=2)
        ...     body = {"input": "hello", "model": "voyage-4"}
        ...     answer = httpx2.post(f"{emulator}/embeddings", json=body)
        >>> answer.status_code, answer.headers["retry-after"]
        (503, '2')
        >>> emulator.requests.last.model
        EmbeddingsRequest(input='hello', model='voyage-4')
    """

    origin: str
    requests: RecordedRequests
    faults: FaultPlan
    clock: Clock
    batches: Batches
    connections: Connections
    admin_token: str
    _base: str
    _state: EmulatorState

    def __new__(cls, origin: str, app: Application) -> Self:
        """Make the string: its characters cannot be set in `__init__`."""
        state = app.state
        self = super().__new__(cls, origin + state.base)
        self.origin = origin
        self._base = state.base
        self._state = state
        self.requests = state.requests
        self.faults = state.faults
        self.clock = state.clock
        self.batches = app.batches
        self.connections = app.connections
        self.admin_token = state.admin_token
        return self

    @property
    def url(self) -> str:
        """The base URL as a plain string."""
        return str.__str__(self)

    @property
    def limits(self) -> RateLimits:
        """Its rate limits: ``limits.tier = "free"``, ``limits.set(rpm=1)``."""
        return self._state.limits

    @property
    def latency(self) -> Latency:
        """Time that its responses take; may be set to ``"none"``, ``"model"`` or seconds."""
        return self._state.latency

    @latency.setter
    def latency(self, latency: Latency | str | float) -> None:
        self._state.latency = latency if isinstance(latency, Latency) else Latency(latency)

    @property
    def engine(self) -> Engine:
        """What makes its vectors and scores; may be set, as to vectors that a test has chosen."""
        return self._state.engine

    @engine.setter
    def engine(self, engine: Engine) -> None:
        self._state.engine = engine

    def faulty(self, fault: Fault | str, **parameters: Value) -> str:
        """Return a base URL below which a fault happens to every request.

        Args:
            fault: A fault, or its name.
            **parameters: Parameters of the fault, if it is given by name.

        Raises:
            ValueError: There is no such fault or parameter.
        """
        named = Fault(fault, parameters) if isinstance(fault, str) else fault
        return f"{self.origin}{PREFIX}{named.as_path()}{self._base}"

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (self.url,)
