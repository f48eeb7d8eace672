"""How a call travels. The only room that knows the HTTP library."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import anyio
import httpx2

from ..flow import Environment, Request, run, run_async
from .clients import AsyncSender, asynchronous, blocking
from .environment import Wire
from .failures import without_heads
from .steps import Answer, steps
from .streams import aread, read
from .wire.blocking import Slots
from .wire.slots import left_open

if TYPE_CHECKING:
    from ..calls import Call
    from ..options import Options
    from ..results import RawResponse

T = TypeVar("T")

OTHER = type("OtherLoops", (), {})
"""Stands for the event loops of libraries other than asyncio."""


class Transport:
    """Carries calls over one pool of connections, safe to share between threads.

    Args:
        wire: How to reach hosts.
        http: The user's own client or transport, which is used instead and never closed here.
        sleep: Sleeps.
        environment: Clocks and randomness.

    Raises:
        ArgumentError: `http` is no blocking client or transport.
    """

    def __init__(
        self,
        wire: Wire | None = None,
        http: httpx2.Client | httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
        environment: Environment | None = None,
    ) -> None:
        self._environment = environment or Environment()
        self._sleep = sleep or time.sleep
        self._slots = Slots(wire or Wire(), self._environment.clock)
        self._http = blocking(self._slots if http is None else http)
        self._closed = False

    @property
    def environment(self) -> Environment:
        """Clocks and randomness."""
        return self._environment

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        self._sleep(seconds)

    def run(
        self, call: Call[T], parameters: Mapping[str, Any], options: Options, *, raw: bool = False
    ) -> T | RawResponse[T]:
        """Send a call and read its answer, or with `raw` give the answer as it came.

        Raises:
            VoyageError: It failed.
        """
        try:
            flow = steps(call, parameters, options, self._environment, raw=raw)
            return run(flow, self._send, self._sleep)
        except BaseException as failure:
            without_heads(failure)
            raise

    def _send(self, step: Request[httpx2.Request]) -> Answer:
        request = step.message
        if self._closed:
            raise RuntimeError("the client is closed")
        try:
            response = self._http.send(request, stream=True)
            if not left_open(request, response):
                read(response, self._environment.clock)
        except httpx2.RequestError as failure:
            failure.request = request
            return failure
        return response

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        self._slots.close()


class AsyncTransport:
    """Carries calls over one pool of connections per event loop.

    Args:
        wire: How to reach hosts.
        http: The user's own client or transport, which is used instead and never closed here.
        sleep: Sleeps.
        environment: Clocks and randomness.
    """

    def __init__(
        self,
        wire: Wire | None = None,
        http: httpx2.AsyncClient | httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        environment: Environment | None = None,
    ) -> None:
        self._environment = environment or Environment()
        self._sleep = sleep or anyio.sleep
        self._given = None if http is None else asynchronous(http)
        self._wire = wire or Wire()
        # Connections belong to the loop they were opened on.
        self._senders: WeakKeyDictionary[Any, AsyncSender] = WeakKeyDictionary()
        if http is None:
            self._wire.context()  # reads files, which must not happen later, on an event loop

    @property
    def environment(self) -> Environment:
        """Clocks and randomness."""
        return self._environment

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await self._sleep(seconds)

    async def run(
        self, call: Call[T], parameters: Mapping[str, Any], options: Options, *, raw: bool = False
    ) -> T | RawResponse[T]:
        """Send a call and read its answer, or with `raw` give the answer as it came.

        Raises:
            VoyageError: It failed.
        """
        try:
            flow = steps(call, parameters, options, self._environment, raw=raw)
            return await run_async(flow, self._send, self._sleep)
        except BaseException as failure:
            without_heads(failure)
            raise

    async def _send(self, step: Request[httpx2.Request]) -> Answer:
        request = step.message
        deadline: float | None = request.extensions.get("deadline")
        left = None if deadline is None else max(0.0, deadline - self._environment.clock())
        try:
            with anyio.fail_after(left):
                return await self._exchange(request)
        except httpx2.RequestError as failure:
            failure.request = request
            return failure
        except TimeoutError:
            return httpx2.ReadTimeout("the time for this attempt is over", request=request)

    async def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        response = await (self._given or self._sender()).send(request, stream=True)
        if not left_open(request, response):
            await aread(response, self._environment.clock)
        return response

    def _sender(self) -> AsyncSender:
        loop = _loop()
        found = self._senders.get(loop)
        if found is None:
            from .wire.looping import AsyncSlots, Backend  # only asynchronous users pay for it

            # A script may run one loop after the other.
            for other in [each for each in self._senders if each is not OTHER]:
                if other.is_closed():
                    del self._senders[other]
            backend = None if loop is OTHER else Backend()
            found = AsyncSender(AsyncSlots(self._wire, self._environment.clock, backend))
            self._senders[loop] = found
        return found

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        sender = self._senders.pop(_loop(), None)
        if sender is not None:
            await sender.aclose()


def _loop() -> Any:
    from asyncio import get_running_loop

    try:
        return get_running_loop()
    except RuntimeError:  # another async library, such as trio; one pool for all its loops
        return OTHER
