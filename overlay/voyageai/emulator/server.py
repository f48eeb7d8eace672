"""The emulator on a socket."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

from .app import create_app
from .connections import Connections, protocol
from .handle import Emulator
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .settings import Settings

__all__ = ["Server", "serving"]

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # not bound here
"""Where an emulator that listens everywhere is reached from its own machine."""
MAX_PORT = 65_535
GRACE = 3
"""Seconds that answers under way get when the server is stopped."""


class Server(uvicorn.Server):
    """One emulator: bound to its port when made, serving while `run` runs.

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
    ) -> None:
        self._listener = _listen(host, port)
        try:
            self._world = World(settings)
        except BaseException:
            self._listener.close()
            raise
        connections = Connections()
        super().__init__(
            uvicorn.Config(
                create_app(self._world, connections),
                loop="asyncio",
                http=protocol(connections),
                ws="none",
                lifespan="off",
                log_config=None,  # logging belongs to the program around
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        reached = LOOPBACK.get(host, host)
        name = f"[{reached}]" if ":" in reached else reached
        origin = f"http://{name}:{self._listener.getsockname()[1]}"
        self.emulator = Emulator(origin, self._world, connections)
        self.ready = threading.Event()
        self._on_ready = on_ready

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop, by `stop` or a signal."""
        try:
            super().run([self._listener, *(sockets or [])])
        finally:
            self._listener.close()
            self._world.close()
            self.ready.set()

    def stop(self) -> None:
        """Ask a running server to stop."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, and say so."""
        await super().startup(sockets)
        if self.started and self._on_ready is not None:
            self._on_ready(self.emulator)
        self.ready.set()

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
        listener.listen()
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
