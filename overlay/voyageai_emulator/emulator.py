"""A running emulator, as its owner holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from .faults import Fault
from .faults.middleware import PREFIX
from .latency import Latency

if TYPE_CHECKING:
    from .batches.control import Batches
    from .clock import Clock
    from .connections import Connections
    from .faults import FaultPlan
    from .faults.fault import Value
    from .rate_limits import RateLimits
    from .recording.log import Requests
    from .state import EmulatorState

__all__ = ["Emulator"]


class Emulator(str):
    """The base URL of a running emulator, such as ``http://127.0.0.1:49152/v1``, and more.

    It is a string, so that it can be given wherever a base URL is asked for. Pickled or copied it
    is no more than that.

    Attributes:
        origin: The same without a path.
        requests: What it was asked.
        faults: What goes wrong, by plan.
        clock: Its time, which can be moved.
        batches: The batch jobs that run.
        connections: How many there are.
        limits: How often it may be asked, see `RateLimits`.
        latency: How long its answers take, see `Latency`; may be set.
        admin_token: What opens its admin routes.

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
    requests: Requests
    faults: FaultPlan
    clock: Clock
    batches: Batches
    connections: Connections
    admin_token: str
    _base: str
    _world: EmulatorState

    def __new__(
        cls,
        origin: str,
        world: EmulatorState,
        connections: Connections,
    ) -> Self:
        """Make a string, which must have its characters when it is made."""
        base = world.contract.base
        self = super().__new__(cls, origin + base)
        self.origin = origin
        self._base = base
        self._world = world
        self.requests = world.requests
        self.faults = world.faults
        self.clock = world.clock
        self.batches = world.batches
        self.connections = connections
        self.admin_token = world.admin_token
        return self

    @property
    def url(self) -> str:
        """The base URL as a plain string."""
        return str.__str__(self)

    @property
    def limits(self) -> RateLimits:
        """How often it may be asked: ``limits.tier = "free"``, ``limits.set(rpm=1)``."""
        return self._world.limits

    @property
    def latency(self) -> Latency:
        """How long its answers take; may be set to ``"none"``, ``"model"`` or seconds."""
        return self._world.latency

    @latency.setter
    def latency(self, latency: Latency | str | float) -> None:
        self._world.latency = latency if isinstance(latency, Latency) else Latency(latency)

    def faulty(self, fault: Fault | str, **parameters: Value) -> str:
        """A base URL below which a fault happens to every request.

        Args:
            fault: A fault, or its name.
            **parameters: The fault's, if it is given by name.

        Raises:
            ValueError: There is no such fault or parameter.
        """
        named = Fault(fault, parameters) if isinstance(fault, str) else fault
        return f"{self.origin}{PREFIX}{named.as_path()}{self._base}"

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (self.url,)
