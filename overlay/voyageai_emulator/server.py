"""The emulator on a socket."""

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

from .app import create_app
from .connections import Connections, OpenConnections, Protocol
from .emulator import Emulator
from .state import EmulatorState

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from .settings import Settings

__all__ = ["Server", "serving"]

LOGGER = logging.getLogger("voyageai_emulator")
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # not bound here
"""Where an emulator that listens everywhere is reached from its own machine."""
MAX_PORT = 65_535
GRACE = 3.0
"""Seconds that answers under way get when the server is stopped."""
LAST = 0.1
"""Seconds that requests get to notice that their connection was ended."""
TICK = 1.0
"""Seconds between looks at connections that are silent."""
AGAIN = 0.1
"""Seconds after which connections are accepted again where none could be."""
BACKLOG = 2048
"""Connections that the system keeps until they are accepted."""


class Server(uvicorn.Server):
    """One emulator: bound to its port when made, serving while `run` runs.

    It accepts connections itself. uvicorn's limit would count those that ask nothing, and refuse
    requests because of them; asyncio's server logs a traceback for each that it cannot accept, as
    often as its backlog is long. And it ends as soon as the last connection has, where uvicorn
    looks ten times a second.

    Args:
        host: Address to listen at.
        port: Port to listen at; 0 for a free one.
        settings: What it is told.
        on_ready: Is given the emulator when it accepts connections.
        monotonic: Tells the seconds by which silent connections are ended.

    Attributes:
        emulator: Its base URL, and what there is to know about it.
        ready: Set when the server accepts connections, or has failed to.
    """

    def __init__(
        self,
        host: str,
        port: int,
        settings: Settings,
        on_ready: Callable[[Emulator], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listener = _listen(host, port)
        try:
            self._world = EmulatorState(settings)
        except BaseException:
            self._listener.close()
            raise
        connections = Connections()
        super().__init__(
            uvicorn.Config(
                create_app(self._world, connections),
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,  # logging belongs to the program around
                log_level="warning",
                access_log=False,
            )
        )
        reached = LOOPBACK.get(host, host)
        name = f"[{reached}]" if ":" in reached else reached
        origin = f"http://{name}:{self._listener.getsockname()[1]}"
        self.emulator = Emulator(origin, self._world, connections)
        self.ready = threading.Event()
        self._on_ready = on_ready
        self._monotonic = monotonic
        self._open = OpenConnections(connections, settings.max_connections)
        self._told_to_stop, self._told_to_hurry = asyncio.Event(), asyncio.Event()
        self._warned = False
        self._ended = threading.Event()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop, by `stop` or a signal.

        In the main thread, it has a daemon thread serve: the threads that this one starts are
        daemons, too, so that none which still makes an answer keeps the process from ending.
        """
        if threading.current_thread() is threading.main_thread():
            with self.capture_signals(), serving(self):
                self._ended.wait()
            return
        try:
            # Windows has another loop by default, which cannot tell that somebody connects.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self.serve(sockets or []))
        finally:
            self._listener.close()
            self._world.close()
            self.ready.set()
            self._ended.set()

    def stop(self) -> None:
        """Ask a running server to stop."""
        self.should_exit = True
        self._tell()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at a signal; at the second, without any grace."""
        super().handle_exit(sig, frame)
        self._tell()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, and say so."""
        await super().startup(sockets or [])
        self._loop = asyncio.get_running_loop()
        self._accepting = asyncio.create_task(self._accept())
        if self._on_ready is not None:
            self._on_ready(self.emulator)
        self.ready.set()

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 10  # at every tenth, uvicorn renews the date that answers carry
            self._open.end_silent(self._monotonic())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._told_to_stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and end when all connections have; after the grace, end them."""
        self._accepting.cancel()
        await asyncio.wait((self._accepting,))
        for server in self.servers:
            server.close()
        for sock in (self._listener, *(sockets or ())):
            sock.close()
        for connection in self._open:
            connection.shutdown()
        ended = asyncio.create_task(self._all_ended())
        hurry = asyncio.create_task(self._told_to_hurry.wait())
        await asyncio.wait((ended, hurry), timeout=GRACE, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if ended.done():
            return
        tasks = self.server_state.tasks
        LOGGER.warning("the emulator stops with %d requests under way", len(tasks))
        for connection in self._open:
            connection.transport.abort()
        # Most requests end with their connection; what waits for a thread is cancelled.
        await asyncio.wait((ended,), timeout=LAST)
        for task in list(tasks):
            task.cancel()
        await ended

    async def _all_ended(self) -> None:
        """Wait until no connection is left, nor a request."""
        while self._open:
            await self._open.changed()
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks))

    async def _accept(self) -> None:
        """Accept connections, as long as there may be more of them."""
        while True:
            try:
                sock, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                await self._asked()
                continue
            except OSError as error:  # too many open files, in most cases
                self._warn(f"it cannot accept more connections for now: {error.strerror}")
                await (self._open.changed() if self._open.end_idle() else asyncio.sleep(AGAIN))
                continue
            try:
                sock.setblocking(False)
                if await self._open.room():
                    self._warn("it has reached its limit of open connections (max_connections)")
                await self._loop.connect_accepted_socket(self._protocol, sock)
            except OSError:  # it has gone already
                sock.close()
            except BaseException:
                sock.close()
                raise

    async def _asked(self) -> None:
        """Wait until somebody connects; asyncio's `sock_accept` loses one where it is cancelled."""
        asked = self._loop.create_future()
        self._loop.add_reader(self._listener, asked.set_result, None)
        try:
            await asked
        finally:
            self._loop.remove_reader(self._listener)

    def _protocol(self) -> Protocol:
        return Protocol(self._open, self.config, self.server_state, self.lifespan.state)

    def _warn(self, reason: str) -> None:
        """Say once why connections are ended; who opens too many is not to fill the log, too."""
        if not self._warned:
            self._warned = True
            LOGGER.warning("the emulator ends connections that ask nothing, as %s", reason)

    def _tell(self) -> None:
        """Have the event loop see that it is to stop, from any thread or signal handler."""
        told = self._told_to_hurry if self.force_exit else self._told_to_stop
        with contextlib.suppress(AttributeError, RuntimeError):  # not begun, or ended
            self._loop.call_soon_threadsafe(told.set)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take the signals that end a program as a wish to stop, not as a failure."""
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
    # asyncio sends without delay only where the protocol is spelled out.
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
    """Run a server in a thread for as long as the block lasts."""
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
