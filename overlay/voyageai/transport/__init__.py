"""Sending calls over HTTP. No other package imports the HTTP library."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import anyio
import httpx2

from ..flow import Environment, Request, run, run_async
from .clients import AsyncTransportClient, as_async_client, as_client, check_open
from .config import ConnectionConfig
from .failures import strip_sensitive_frames
from .pool import AsyncConnectionPool, ConnectionPool, is_streamed
from .steps import Answer, steps
from .streams import aread, read

if TYPE_CHECKING:
    from ..calls import Call
    from ..options import Options
    from ..results import RawResponse
    from ..telemetry.recorder import CallSpan, Telemetry

T = TypeVar("T")


class Transport:
    """Carries calls over one pool of connections, safe to share between threads.

    Args:
        config: How to reach hosts.
        http: The user's own client or transport, which is used instead and never closed here.
        sleep: Sleeps.
        environment: Clocks and randomness.

    Raises:
        ArgumentError: `http` is no blocking client or transport.
    """

    def __init__(
        self,
        config: ConnectionConfig | None = None,
        http: httpx2.Client | httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
        environment: Environment | None = None,
    ) -> None:
        self._environment = environment or Environment()
        self._sleep = sleep or time.sleep
        self._pool = ConnectionPool(config or ConnectionConfig(), self._environment.clock)
        self._http = as_client(self._pool if http is None else http)
        self._closed = False

    @property
    def environment(self) -> Environment:
        """Clocks and randomness."""
        return self._environment

    def sleep(self, seconds: float) -> None:
        """Sleep for some seconds."""
        self._sleep(seconds)

    def run(
        self, call: Call[T], parameters: Mapping[str, Any], options: Options, *, raw: bool = False
    ) -> T | RawResponse[T]:
        """Send a call and return its result, or with `raw` the response as it came.

        Raises:
            VoyageError: The call failed.
        """
        telemetry = options.telemetry
        span = None if telemetry is None else _span(telemetry, call, options, self._environment)
        try:
            flow = steps(call, parameters, options, self._environment, span, raw=raw)
            result = run(flow, self._send, self._sleep)
        except BaseException as failure:
            strip_sensitive_frames(failure)
            if span is not None:
                span.fail(failure)
            raise
        if span is not None:
            span.succeed(result)
        return result

    def _send(self, step: Request[httpx2.Request]) -> Answer:
        request = step.message
        if self._closed:
            raise RuntimeError("the client is closed")
        check_open(self._http)
        try:
            response = self._http.send(request, stream=True)
            if not is_streamed(request, response):
                read(response, self._environment.clock)
        except httpx2.RequestError as failure:
            failure.request = request
            return failure
        return response

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        self._pool.close()


class AsyncTransport:
    """Carries calls over one pool of connections per event loop.

    Args:
        config: How to reach hosts.
        http: The user's own client or transport, which is used instead and never closed here.
        sleep: Sleeps.
        environment: Clocks and randomness.
    """

    def __init__(
        self,
        config: ConnectionConfig | None = None,
        http: httpx2.AsyncClient | httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        environment: Environment | None = None,
    ) -> None:
        self._environment = environment or Environment()
        self._sleep = sleep or anyio.sleep
        self._given = None if http is None else as_async_client(http)
        self._config = config or ConnectionConfig()
        # Connections belong to the loop they were opened on.
        self._clients: WeakKeyDictionary[Any, AsyncTransportClient] = WeakKeyDictionary()
        if http is None:
            self._config.context()  # reads files, which must not happen later, on an event loop

    @property
    def environment(self) -> Environment:
        """Clocks and randomness."""
        return self._environment

    async def sleep(self, seconds: float) -> None:
        """Sleep for some seconds."""
        await self._sleep(seconds)

    async def run(
        self, call: Call[T], parameters: Mapping[str, Any], options: Options, *, raw: bool = False
    ) -> T | RawResponse[T]:
        """Send a call and return its result, or with `raw` the response as it came.

        Raises:
            VoyageError: The call failed.
        """
        telemetry = options.telemetry
        span = None if telemetry is None else _span(telemetry, call, options, self._environment)
        try:
            flow = steps(call, parameters, options, self._environment, span, raw=raw)
            # Credentials of a cloud are read from files and the network, which must not block.
            blocks = getattr(parameters.get("auth"), "blocks", False)
            result = await run_async(flow, self._send, self._sleep, in_threads=blocks)
        except BaseException as failure:
            strip_sensitive_frames(failure)
            if span is not None:
                span.fail(failure)
            raise
        if span is not None:
            span.succeed(result)
        return result

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
        client = self._given or self._client()
        check_open(client)
        response = await client.send(request, stream=True)
        if not is_streamed(request, response):
            await aread(response, self._environment.clock)
        return response

    def _client(self) -> AsyncTransportClient:
        loop, is_asyncio = _running_loop()
        found = self._clients.get(loop)
        if found is None:
            backend = None
            if is_asyncio:
                from .network_async import AsyncBackend  # only users of asyncio pay for it

                backend = AsyncBackend()
                # A script may run one loop after the other. Those of trio are not referenced.
                for other in list(self._clients):
                    if getattr(other, "is_closed", bool)():
                        del self._clients[other]
            pool = AsyncConnectionPool(self._config, self._environment.clock, backend)
            found = self._clients[loop] = AsyncTransportClient(pool)
        return found

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        client = self._clients.pop(_running_loop()[0], None)
        if client is not None:
            await client.aclose()


def _span(
    telemetry: Telemetry, call: Call[Any], options: Options, environment: Environment
) -> CallSpan:
    """Return what records a call."""
    return telemetry.call(
        *(call.request.operation, call.model, call.facts, environment.clock),
        is_wrapped=options.is_wrapped,
    )


def _running_loop() -> tuple[Any, bool]:
    """Return an object for the event loop that is running, and whether it is asyncio's."""
    from asyncio import get_running_loop

    try:
        return get_running_loop(), True
    except RuntimeError:
        if "trio" not in sys.modules:
            raise
        # By name: type checkers need not find trio.
        return import_module("trio.lowlevel").current_trio_token(), False
