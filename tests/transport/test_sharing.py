"""Many users of one pool: threads, tasks, processes; bounds, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from blockbuster import blockbuster_ctx
from voyageai.transport import AsyncTransport
from voyageai.transport.config import ConnectionConfig

from .conftest import Carry, Wire, answered, ask, every_loop
from .scripted_server import Peer, Server, echo

pytestmark = pytest.mark.smoke


@pytest.fixture
def blocking(trusting: ssl.SSLContext) -> Iterator[Wire]:
    """A blocking transport."""
    wire = Wire("blocking", verify=trusting)
    yield wire
    wire.stop()


@every_loop
def test_threads_and_tasks_share_a_transport(carry: Carry) -> None:
    """Each of 800 calls gets its own answer, over no more connections than allowed."""
    bodies = [b"%d" % number for number in range(800)]
    with Server(echo) as server:
        wire = carry(max_connections=8)

        async def asked(body: bytes) -> bytes:
            return answered(await wire.transport._send(ask(server.url, body))).content

        async def every() -> list[bytes]:
            return await asyncio.gather(*map(asked, bodies))

        if wire.loop is None:
            with ThreadPoolExecutor(32) as threads:
                found = list(threads.map(lambda body: wire.send(server.url, body).content, bodies))
        else:
            found = wire.run(every())
        assert bodies == found
        assert 8 >= len(server.peers) == wire.connections


@pytest.mark.parametrize("carry", ["asyncio", "uvloop"], indirect=True)
def test_a_thousand_cancelled_tasks_leave_nothing_behind(
    carry: Carry, tls: ssl.SSLContext | None
) -> None:
    """Wherever they were: in line, connecting, sending, reading. And the others go on."""
    ended = threading.Semaphore(0)

    def script(peer: Peer) -> None:
        try:
            echo(peer)
        finally:
            ended.release()

    async def main() -> list[Any]:
        tasks = [
            asyncio.ensure_future(wire.transport._send(ask(server.url, b"%d" % number)))
            for number in range(1000)
        ]
        for number, task in enumerate(tasks):
            if number % 20 == 0:
                await task  # while those behind it connect, send and read
            else:
                task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    with Server(script, tls) as server:
        wire = carry(max_connections=16)
        outcomes = wire.run(main())
        for number, outcome in enumerate(outcomes):
            if isinstance(outcome, httpx2.Response):
                assert b"%d" % number == outcome.content
            else:
                assert isinstance(outcome, asyncio.CancelledError)
                assert number % 20
        assert 16 == wire.pool._free.value
        assert wire.connections == len(wire.slots)
        assert b"last" == wire.send(server.url, b"last").content
        wire.close()
        for _ in server.peers:
            assert ended.acquire(timeout=10)


def test_a_thread_interrupted_while_it_waits_takes_no_slot() -> None:
    """Ctrl-C while waiting must neither lose a slot for good nor give back what it has not."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    wire = Wire("blocking", max_connections=1)
    before = signal.signal(signal.SIGALRM, interrupt)
    with Server(echo) as server:
        held = wire.send(server.url, streamed=True)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(KeyboardInterrupt):
                wire.send(server.url)
        finally:
            signal.signal(signal.SIGALRM, before)
        with pytest.raises(httpx2.PoolTimeout):
            wire.send(server.url, timeout={"pool": 0.01})
        wire.leave(held)
        assert b"again" == wire.send(server.url, b"again").content
        wire.stop()


def test_a_slot_can_be_given_back_by_the_garbage_collector(blocking: Wire) -> None:
    """It runs wherever it likes: in a thread that holds the lock, too, which must not hang."""
    with Server(echo) as server:
        streamed = blocking.send(server.url, streamed=True)
        with blocking.pool._idle._lock:
            streamed.close()
        assert b"again" == blocking.send(server.url, b"again").content
        assert 1 == len(blocking.slots)


def test_each_run_of_trio_has_connections_of_its_own() -> None:
    """Threads that each run trio can't use each other's sockets."""
    trio = pytest.importorskip("trio")
    transport = AsyncTransport(ConnectionConfig())
    both = threading.Barrier(2)

    async def main(url: str) -> None:
        for _ in range(2):
            assert b"here" == answered(await transport._send(ask(url, b"here"))).content
            await trio.to_thread.run_sync(both.wait, 10)
        await transport.aclose()

    with Server(echo) as server, ThreadPoolExecutor(2) as threads:
        for run in [threads.submit(trio.run, main, server.url) for _ in range(2)]:
            run.result(20)
        assert [2, 2] == [len(peer.requests) for peer in server.peers]


@pytest.mark.parametrize("module", ["asyncio", "uvloop"])
def test_a_loop_is_never_blocked_and_may_be_closed_before_the_client(
    module: str, tls: ssl.SSLContext | None, trusting: ssl.SSLContext
) -> None:
    """Scripts run a loop to the end and close it; each loop has connections of its own."""
    transport = AsyncTransport(ConnectionConfig(verify=trusting))
    loops = pytest.importorskip(module)
    with Server(echo, tls) as server:
        for number in range(3):
            loop = loops.new_event_loop()
            with blockbuster_ctx():
                answer = loop.run_until_complete(transport._send(ask(server.url)))
            loop.close()
            assert b"{}" == answered(answer).content
            assert number + 1 == len(server.peers)
            assert 1 == len(transport._clients)  # what was for the loops before is let go
        del loop, transport
        gc.collect()  # a complaint would be a warning, and so an error


def exit_code_of_child(act: Callable[[], bool]) -> int:
    """Fork; return 0 if what the child does succeeds."""
    child = os.fork()
    if child == 0:  # no assertion, no clean-up of pytest's may run here
        code = 1
        try:
            code = int(not act())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# The server's threads are the danger that Python warns of, and the child does not use them.
forking = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@forking
def test_a_child_process_never_uses_its_parents_connections(
    blocking: Wire, tls: ssl.SSLContext | None
) -> None:
    """Answers would be mixed up; and what the child closes must stay open for the parent."""
    with Server(echo, tls) as server:

        def child() -> bool:
            response = blocking.send(server.url, b"child")
            blocking.close()
            return response.content == b"child"

        assert b"parent" == blocking.send(server.url, b"parent").content
        assert 0 == exit_code_of_child(child)
        assert b"again" == blocking.send(server.url, b"again").content
        bodies = [[body for _, body in peer.requests] for peer in server.peers]
        assert [[b"parent", b"again"], [b"child"]] == bodies


@forking
def test_a_fork_while_another_thread_holds_a_lock_does_not_hang(blocking: Wire) -> None:
    """The child has a copy of the lock, and nobody in it to open it."""
    with Server(echo) as server:
        blocking.send(server.url)
        with blocking.pool._idle._lock:
            code = exit_code_of_child(lambda: blocking.send(server.url).status_code == 200)
        assert 0 == code


def test_answers_are_freed_at_once(carry: Carry) -> None:
    """A cycle would keep megabytes until the garbage collector comes, and cost page faults."""
    with Server(echo) as server:
        wire = carry()
        gc.disable()
        try:
            for body in (b"x", b"x" * 1_000_000):
                response = weakref.ref(wire.send(server.url, body))
                assert None is response()
        finally:
            gc.enable()
