"""The emulator as a server on a socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

import uvicorn

from .app import Application
from .connections import OpenConnections, Protocol
from .emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from .settings import Settings

__all__ = ["Server", "serving"]

LOGGER = logging.getLogger("voyageai_emulator")
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # not bound here
"""For each wildcard address, the loopback address that reaches a server bound to it."""
MAX_PORT = 65_535
GRACE = 3.0
"""Seconds that requests in progress have to finish when the server is stopped."""
ABORT_GRACE = 0.1
"""Seconds that requests have to notice that their connection was aborted."""
TICK = 1.0
"""Seconds between checks for silent connections."""
ACCEPT_RETRY = 0.1
"""Seconds to wait after a failure to accept a connection."""
BACKLOG = 2048
"""Connections that the operating system queues until they are accepted."""


class Server(uvicorn.Server):
    """A server for one emulator. It binds its port when created, and serves during `run`.

    It accepts connections itself, because uvicorn's limit counts idle connections and refuses
    requests because of them, and because asyncio's server logs a traceback for each connection of
    its backlog that it cannot accept. It stops as soon as the last connection has ended, while
    uvicorn checks ten times a second.

    Args:
        host: Address to listen at.
        port: Port to listen at; 0 for a free one.
        settings: Settings of the emulator.
        on_ready: Called with the emulator when it accepts connections.
        monotonic: Monotonic clock for silent connections, in seconds.
        grace: Seconds that requests in progress have to finish when the server stops.
        tick: Seconds between checks for silent connections.

    Attributes:
        emulator: The emulator, a base URL.
        ready: Set once the server accepts connections, or has failed to start.
    """

    def __init__(
        self,
        host: str,
        port: int,
        settings: Settings,
        on_ready: Callable[[Emulator], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        grace: float = GRACE,
        tick: float = TICK,
    ) -> None:
        self._listener = _listen(host, port)
        try:
            self._app = Application(settings)
        except BaseException:
            self._listener.close()
            raise
        super().__init__(
            uvicorn.Config(
                self._app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,  # the calling program configures logging
                log_level="warning",
                access_log=False,
            )
        )
        reached = LOOPBACK.get(host, host)
        name = f"[{reached}]" if ":" in reached else reached
        origin = f"http://{name}:{self._listener.getsockname()[1]}"
        self.emulator = Emulator(origin, self._app)
        self.ready = threading.Event()
        self._on_ready = on_ready
        self._monotonic = monotonic
        self._grace, self._tick = grace, tick
        self._open = OpenConnections(self._app.connections, settings.max_connections)
        self._stop, self._stop_at_once = asyncio.Event(), asyncio.Event()
        self._warned = False
        self._ended = threading.Event()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `stop` or a signal.

        In the main thread it starts a daemon thread that serves: the worker threads of a daemon
        thread are daemons too, so a request in progress cannot keep the process alive.
        """
        if threading.current_thread() is threading.main_thread():
            with self.capture_signals(), serving(self):
                self._ended.wait()
            return
        try:
            # The default loop on Windows cannot watch a socket for connections.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self.serve(sockets or []))
        finally:
            self._listener.close()
            self._app.close()
            self.ready.set()
            self._ended.set()

    def stop(self) -> None:
        """Ask a running server to stop, from any thread."""
        self.should_exit = True
        self._wake()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop gracefully at the first signal, and immediately at the second."""
        super().handle_exit(sig, frame)
        self._wake()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, and call `on_ready`."""
        await super().startup(sockets or [])
        self._loop = asyncio.get_running_loop()
        self._accepting = asyncio.create_task(self._accept())
        if self._on_ready is not None:
            self._on_ready(self.emulator)
        self.ready.set()

    async def main_loop(self) -> None:
        """Serve until asked to stop."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 10  # at each multiple of 10, uvicorn renews the Date header
            self._open.end_silent(self._monotonic())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._tick):
                    await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, wait for open connections to end, and abort them after the grace."""
        self._accepting.cancel()
        await asyncio.wait((self._accepting,))
        for server in self.servers:
            server.close()
        for sock in (self._listener, *(sockets or ())):
            sock.close()
        for connection in self._open:
            connection.shutdown()
        ended = asyncio.create_task(self._all_ended())
        at_once = asyncio.create_task(self._stop_at_once.wait())
        await asyncio.wait(
            (ended, at_once), timeout=self._grace, return_when=asyncio.FIRST_COMPLETED
        )
        at_once.cancel()
        if ended.done():
            return
        tasks = self.server_state.tasks
        LOGGER.warning("the emulator stops with %d requests in progress", len(tasks))
        for connection in self._open:
            connection.transport.abort()
        # Most requests end with their connection; those that wait for a thread are cancelled.
        await asyncio.wait((ended,), timeout=ABORT_GRACE)
        for task in list(tasks):
            task.cancel()
        await ended

    async def _all_ended(self) -> None:
        """Wait until all connections and requests have ended."""
        while self._open:
            await self._open.changed()
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks))

    async def _accept(self) -> None:
        """Accept connections, up to the limit."""
        while True:
            try:
                sock, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                await self._until_connection()
                continue
            except OSError as error:  # too many open files, in most cases
                self._warn(f"it cannot accept more connections for now: {error.strerror}")
                ended = self._open.end_idle()
                await (self._open.changed() if ended else asyncio.sleep(ACCEPT_RETRY))
                continue
            try:
                sock.setblocking(False)
                if await self._open.room():
                    self._warn("it has reached its limit of open connections (max_connections)")
                await self._loop.connect_accepted_socket(self._protocol, sock)
            except OSError:  # the client has disconnected already
                sock.close()
            except BaseException:
                sock.close()
                raise

    async def _until_connection(self) -> None:
        """Wait for a connection. asyncio's `sock_accept` would lose one if it is cancelled."""
        readable = self._loop.create_future()
        self._loop.add_reader(self._listener, readable.set_result, None)
        try:
            await readable
        finally:
            self._loop.remove_reader(self._listener)

    def _protocol(self) -> Protocol:
        return Protocol(self._open, self.config, self.server_state, self.lifespan.state)

    def _warn(self, reason: str) -> None:
        """Log once why connections are closed, so that many connections do not flood the log."""
        if not self._warned:
            self._warned = True
            LOGGER.warning("the emulator closes idle connections, as %s", reason)

    def _wake(self) -> None:
        """Notify the event loop that it must stop, from any thread or signal handler."""
        event = self._stop_at_once if self.force_exit else self._stop
        with contextlib.suppress(
            AttributeError, RuntimeError
        ):  # the loop has not started, or has ended
            self._loop.call_soon_threadsafe(event.set)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop gracefully at SIGINT and SIGTERM during the block."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= MAX_PORT:
        raise ValueError(f"port must be from 0, for a free one, to {MAX_PORT}, not {port}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the protocol is given explicitly.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def serving(server: Server) -> Generator[Emulator]:
    """Run a server in a thread during the block."""
    thread = threading.Thread(
        target=server.run, name=f"emulator {server.emulator.url}", daemon=True
    )
    thread.start()
    server.ready.wait()
    if not server.started:
        thread.join()
        raise RuntimeError(f"the emulator did not start at {server.emulator}")
    try:
        yield server.emulator
    finally:
        server.stop()
        thread.join()
