"""The HTTP transport of calls. No other package imports the HTTP library."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import anyio
import httpx2

from ..flow import Environment, Request, run, run_async
from .attempts import call_flow
from .config import ConnectionConfig
from .custom_clients import as_async_client, as_client, check_open
from .failures import strip_sensitive_frames
from .pool import STREAMED, AsyncConnectionPool, AsyncTransportClient, ConnectionPool
from .streams import aread, read

if TYPE_CHECKING:
    from ..calls import Call
    from ..options import Options
    from ..results import RawResponse
    from ..telemetry.recorder import CallSpan, Telemetry
    from .logs import Answer

T = TypeVar("T")


class Transport:
    """Sends calls over one pool of connections, safe to share between threads.

    Args:
        config: Settings of connections.
        http: The user's own client or transport, used in place of the pool and never closed here.
        sleep: Blocks for a number of seconds; for tests.
        environment: Clocks and randomness.

    Raises:
        ArgumentError: `http` is asynchronous, or no client or transport.
    """

    def __init__(
        self,
        config: ConnectionConfig | None = None,
        http: httpx2.Client | httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
        environment: Environment | None = None,
    ) -> None:
        self.environment = environment or Environment()
        self.sleep = sleep or time.sleep
        self._pool = ConnectionPool(config or ConnectionConfig(), self.environment.clock)
        self._is_given = http is not None
        self._http = as_client(self._pool if http is None else http)
        self._closed = False

    def run(
        self, call: Call[T], parameters: Mapping[str, Any], options: Options, *, raw: bool = False
    ) -> T | RawResponse[T]:
        """Send a call and return its result, or with `raw` the raw response.

        Raises:
            VoyageError: The call failed.
        """
        telemetry = options.telemetry
        span = None if telemetry is None else _span(telemetry, call, options, self.environment)
        try:
            flow = call_flow(call, parameters, options, self.environment, span, raw=raw)
            result = run(flow, self._send, self.sleep)
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
        if self._is_given:
            check_open(self._http)
        try:
            response = self._http.send(request, stream=True)
            if not request.extensions.get("streamed") or response.status_code not in STREAMED:
                read(response, self.environment.clock)
        except httpx2.RequestError as failure:
            failure.request = request
            return failure
        return response

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        self._pool.close()


class AsyncTransport:
    """Sends calls over one pool of connections per event loop.

    Args:
        config: Settings of connections.
        http: The user's own client or transport, used in place of the pools and never closed here.
        sleep: Suspends for a number of seconds; for tests.
        environment: Clocks and randomness.

    Raises:
        ArgumentError: `http` is blocking, or no client or transport.
    """

    def __init__(
        self,
        config: ConnectionConfig | None = None,
        http: httpx2.AsyncClient | httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        environment: Environment | None = None,
    ) -> None:
        self.environment = environment or Environment()
        self.sleep = sleep or anyio.sleep
        self._given = None if http is None else as_async_client(http)
        self._config = config or ConnectionConfig()
        # Connections belong to the loop they were opened on.
        self._clients: WeakKeyDictionary[Any, AsyncTransportClient] = WeakKeyDictionary()
        if http is None:
            self._config.context()  # now, as it reads files, which must not block an event loop

    async def run(
        self, call: Call[T], parameters: Mapping[str, Any], options: Options, *, raw: bool = False
    ) -> T | RawResponse[T]:
        """Send a call and return its result, or with `raw` the raw response.

        Raises:
            VoyageError: The call failed.
        """
        telemetry = options.telemetry
        span = None if telemetry is None else _span(telemetry, call, options, self.environment)
        try:
            flow = call_flow(call, parameters, options, self.environment, span, raw=raw)
            # Credentials of a cloud may be read from files and the network, which must not block.
            blocks = getattr(parameters.get("auth"), "blocks", False)
            result = await run_async(flow, self._send, self.sleep, in_threads=blocks)
        except BaseException as failure:
            strip_sensitive_frames(failure)
            if span is not None:
                span.fail(failure)
            raise
        if span is not None:
            span.succeed(result)
        return result

    async def _send(self, step: Request[httpx2.Request]) -> Answer:
        request, clock = step.message, self.environment.clock
        deadline: float | None = request.extensions.get("deadline")
        if self._given is not None:
            check_open(self._given)
        client = self._given or self._client()
        try:
            with (
                nullcontext()
                if deadline is None
                else anyio.fail_after(max(0.0, deadline - clock()))
            ):
                response = await client.send(request, stream=True)
                if not request.extensions.get("streamed") or response.status_code not in STREAMED:
                    await aread(response, clock)
        except httpx2.RequestError as failure:
            failure.request = request
            return failure
        except TimeoutError:
            return httpx2.ReadTimeout("the time for this attempt has run out", request=request)
        return response

    def _client(self) -> AsyncTransportClient:
        loop, is_asyncio = _running_loop()
        found = self._clients.get(loop)
        if found is None:
            backend = None
            if is_asyncio:
                from .network_async import AsyncBackend  # here, as trio does not need it

                backend = AsyncBackend
                # A script may run one loop after another: drop those that are closed.
                for other in list(self._clients):
                    if getattr(other, "is_closed", bool)():
                        del self._clients[other]
            pool = AsyncConnectionPool(self._config, self.environment.clock, backend)
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
    """Start the record of a call."""
    return telemetry.call(
        *(call.request.operation, call.model, call.facts, environment.clock),
        is_wrapped=options.is_wrapped,
    )


def _running_loop() -> tuple[Any, bool]:
    """Return an object that identifies the running event loop, and whether it is asyncio's."""
    from asyncio import get_running_loop

    try:
        return get_running_loop(), True
    except RuntimeError:
        if "trio" not in sys.modules:
            raise
        # Imported by name, as type checkers may not find trio.
        return import_module("trio.lowlevel").current_trio_token(), False
