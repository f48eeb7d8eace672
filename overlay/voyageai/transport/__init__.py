"""How a call travels. The only room that knows the HTTP library."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import httpx2

from .blocking import Connections
from .building import build
from .incoming import STREAMED
from .opening import Wire
from .steps import Answer, Send, Surroundings, steps

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
        sleep: Waits.
        surroundings: Time and chance.
    """

    def __init__(
        self,
        wire: Wire | None = None,
        http: httpx2.Client | httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._wire = wire or Wire()
        self._given = http
        self._sleep = sleep
        self._surroundings = surroundings or Surroundings(clock=time.monotonic, dice=random.random)
        self._pools: dict[tuple[str, str], httpx2.BaseTransport] = {}
        self._process = os.getpid()
        self._closed = False

    @property
    def surroundings(self) -> Surroundings:
        """Time and chance."""
        return self._surroundings

    def pause(self, seconds: float) -> None:
        """Wait."""
        self._sleep(seconds)

    def run(
        self, call: Call[T], parameters: Mapping[str, Any], options: Options, *, raw: bool = False
    ) -> T | RawResponse[T]:
        """Send a call and read its answer, or with `raw` give the answer as it came.

        Raises:
            VoyageError: It failed.
        """
        request = build(call.request, parameters, options, call.on_sent)
        plan = steps(call, request, options, self._surroundings, raw=raw)
        answer: Answer = None
        try:
            while True:
                step = plan.send(answer)
                answer = self._send(step) if isinstance(step, Send) else self._sleep(step.seconds)
        except StopIteration as done:
            result: T | RawResponse[T] = done.value
            return result
        finally:
            plan.close()

    def _send(self, step: Send) -> httpx2.Response | httpx2.RequestError:
        try:
            if isinstance(self._given, httpx2.Client):
                response = self._given.send(step.request, stream=True)
            else:
                transport = self._given or self._pool(step.request)
                response = transport.handle_request(step.request)
                response.request = step.request
            if not _left_open(step.request, response):
                try:
                    response.read()
                finally:
                    response.close()
        except httpx2.RequestError as failure:
            return failure
        return response

    def _pool(self, request: httpx2.Request) -> httpx2.BaseTransport:
        if self._closed:
            raise RuntimeError("the client is closed")
        if self._process != os.getpid():
            # A fork: its parent's connections are not its own. Ours let go of them by themselves.
            self._process = os.getpid()
            for origin, pool in list(self._pools.items()):
                if not isinstance(pool, Connections):
                    del self._pools[origin]
        origin = request.url.scheme, request.url.host
        if origin not in self._pools:
            self._pools[origin] = self._open(self._wire.proxy_of(*origin))
        return self._pools[origin]

    def _open(self, proxy: str | None) -> httpx2.BaseTransport:
        if proxy is not None:
            return httpx2.HTTPTransport(**self._wire.arguments(proxy))
        return Connections(self._wire.context, **self._wire.bounds())

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()


class AsyncTransport:
    """Carries calls over one pool of connections per event loop.

    Args:
        wire: How to reach hosts.
        http: The user's own client or transport, which is used instead and never closed here.
        sleep: Waits.
        surroundings: Time and chance.
    """

    def __init__(
        self,
        wire: Wire | None = None,
        http: httpx2.AsyncClient | httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        # Only asynchronous users should pay for these.
        import anyio

        from .looping import AsyncConnections

        self._connections = AsyncConnections
        self._wire = wire or Wire()
        self._given = http
        self._sleep = sleep or anyio.sleep
        self._surroundings = surroundings or Surroundings(clock=time.monotonic, dice=random.random)
        # Connections belong to the loop they were opened on.
        self._pools: WeakKeyDictionary[Any, dict[tuple[str, str], httpx2.AsyncBaseTransport]] = (
            WeakKeyDictionary()
        )
        if http is None:
            self._wire.context()  # reads files, which must not happen later, on an event loop

    @property
    def surroundings(self) -> Surroundings:
        """Time and chance."""
        return self._surroundings

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await self._sleep(seconds)

    async def run(
        self, call: Call[T], parameters: Mapping[str, Any], options: Options, *, raw: bool = False
    ) -> T | RawResponse[T]:
        """Send a call and read its answer, or with `raw` give the answer as it came.

        Raises:
            VoyageError: It failed.
        """
        request = build(call.request, parameters, options, call.on_sent)
        plan = steps(call, request, options, self._surroundings, raw=raw)
        answer: Answer = None
        try:
            while True:
                step = plan.send(answer)
                if isinstance(step, Send):
                    answer = await self._send(step)
                else:
                    answer = None
                    await self._sleep(step.seconds)
        except StopIteration as done:
            result: T | RawResponse[T] = done.value
            return result
        finally:
            plan.close()

    async def _send(self, step: Send) -> httpx2.Response | httpx2.RequestError:
        try:
            if self._given is None:
                pool = self._pool(step.request)
                if isinstance(pool, self._connections):  # keeps the deadline itself
                    return await pool.handle_async_request(step.request)
            import anyio

            with anyio.fail_after(step.left):
                return await self._exchange(step.request)
        except httpx2.RequestError as failure:
            return failure
        except TimeoutError:
            return httpx2.ReadTimeout("the time for the call is over", request=step.request)

    async def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        if isinstance(self._given, httpx2.AsyncClient):
            response = await self._given.send(request, stream=True)
        else:
            transport = self._given or self._pool(request)
            response = await transport.handle_async_request(request)
            response.request = request
        if not _left_open(request, response):
            try:
                await response.aread()
            finally:
                await response.aclose()
        return response

    def _pool(self, request: httpx2.Request) -> httpx2.AsyncBaseTransport:
        pools = self._pools.setdefault(_loop(), {})
        origin = request.url.scheme, request.url.host
        if origin not in pools:
            pools[origin] = self._open(self._wire.proxy_of(*origin))
        return pools[origin]

    def _open(self, proxy: str | None) -> httpx2.AsyncBaseTransport:
        if proxy is not None or _loop() is OTHER:
            return httpx2.AsyncHTTPTransport(**self._wire.arguments(proxy))
        return self._connections(self._wire.context, **self._wire.bounds())

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        for pool in self._pools.pop(_loop(), {}).values():
            await pool.aclose()


def _left_open(request: httpx2.Request, response: httpx2.Response) -> bool:
    """Whether the body is left for who reads it piece by piece."""
    return request.extensions.get("streamed", False) and response.status_code in STREAMED


def _loop() -> Any:
    from asyncio import get_running_loop

    try:
        return get_running_loop()
    except RuntimeError:  # another async library, such as trio; one pool for all its loops
        return OTHER
