"""A running emulator, which `running` and `in_process` yield."""

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
    """The base URL of a running emulator, such as ``http://127.0.0.1:49152/v1``, with its controls.

    It is a string, so it can be passed wherever a base URL is expected. Pickles and copies are
    plain strings.

    Attributes:
        origin: The URL without its path.
        requests: The received requests, a sequence of `RecordedRequest`.
        faults: The plan of faults, a `FaultPlan`.
        clock: Its clock, which can be advanced.
        batches: Its batch jobs, which can be held and made to fail.
        connections: Counts of its connections.
        limits: Its rate limits.
        latency: Latency of its responses; may be set.
        engine: Makes vectors and scores; may be set to an `Engine` of one's own.
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
        """Create the string, which is immutable and so not set in `__init__`."""
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
        """Its rate limits, to be set as in ``limits.tier = "free"`` or ``limits.set(rpm=1)``."""
        return self._state.limits

    @property
    def latency(self) -> Latency:
        """Latency of its responses; may be set to ``"none"``, ``"model"`` or seconds."""
        return self._state.latency

    @latency.setter
    def latency(self, latency: Latency | str | float) -> None:
        self._state.latency = latency if isinstance(latency, Latency) else Latency(latency)

    @property
    def engine(self) -> Engine:
        """The engine that makes vectors and scores; may be set, for example by a test."""
        return self._state.engine

    @engine.setter
    def engine(self, engine: Engine) -> None:
        self._state.engine = engine

    def faulty(self, fault: Fault | str, **parameters: Value) -> str:
        """Return a base URL with a fault: it happens to every request that uses this URL.

        Args:
            fault: A fault, or its name.
            **parameters: Parameters of the fault, if `fault` is a name.

        Raises:
            ValueError: The name of the fault or of a parameter is unknown, or a value is invalid.
        """
        named = Fault(fault, parameters) if isinstance(fault, str) else fault
        return f"{self.origin}{PREFIX}{named.as_path()}{self._base}"

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (self.url,)
