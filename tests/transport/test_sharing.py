"""One pool shared by threads, tasks and processes, within its limits and without leaks."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from blockbuster import blockbuster_ctx
from voyageai.transport import AsyncTransport
from voyageai.transport.config import ConnectionConfig
from voyageai.transport.pool import IdleSlots, Slot

from .conftest import Wire, answered, ask, either_scheme
from .scripted_server import CLIENT_TLS, SERVER_TLS, Server, echo

pytestmark = pytest.mark.smoke


@pytest.fixture
def blocking():
    """Return a blocking transport."""
    wire = Wire("blocking", max_connections=8)
    yield wire
    wire.stop()


def test_threads_share_a_transport(blocking):
    """Each of 800 calls gets its own response, over no more connections than allowed."""
    bodies = [b"%d" % number for number in range(800)]
    with Server(echo) as server, ThreadPoolExecutor(32) as threads:
        found = threads.map(lambda body: blocking.send(server.url, body).content, bodies)
        assert bodies == list(found)
        assert 8 >= len(server.peers) == blocking.connections


@pytest.mark.parametrize(
    ("carry", "tls"),
    [
        pytest.param("asyncio", None, id="plain-asyncio"),
        pytest.param("uvloop", SERVER_TLS, id="tls-uvloop"),
        pytest.param("uvloop", None, id="plain-uvloop", marks=pytest.mark.full),
        pytest.param("asyncio", SERVER_TLS, id="tls-asyncio", marks=pytest.mark.full),
    ],
    indirect=["carry"],
)
def test_a_thousand_cancelled_tasks_leave_nothing_behind(carry, tls):
    """Cancelled while queued, connecting, sending or reading, they free their slots for others."""
    ended = threading.Semaphore(0)

    def script(peer):
        try:
            echo(peer)
        finally:
            ended.release()

    async def main():
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


def test_a_thread_interrupted_while_it_waits_takes_no_slot():
    """Ctrl-C during a wait must neither lose a slot nor free one that was never taken."""

    def interrupt(number, frame):
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


def test_a_body_that_is_begun_and_dropped_gives_its_place_back(blocking):
    """The garbage collector closes the body: it must neither hang nor lose a slot."""
    gc.collect()
    gc.freeze()  # so that nine collections skip what other tests have left
    with Server(echo) as server:
        for _ in range(9):  # one more than there are slots
            pieces = blocking.pieces(blocking.send(server.url, b"dropped", streamed=True))
            assert b"dropped" == next(pieces)
            del pieces
            gc.collect()
        assert b"again" == blocking.send(server.url, b"again", timeout={"pool": 0.01}).content
        assert 1 == len(blocking.slots)


def test_each_run_of_trio_has_connections_of_its_own():
    """Threads that each run trio can't use each other's sockets."""
    trio = pytest.importorskip("trio")
    transport = AsyncTransport(ConnectionConfig())
    both = threading.Barrier(2)

    async def main(url):
        for _ in range(2):
            assert b"here" == answered(await transport._send(ask(url, b"here"))).content
            await trio.to_thread.run_sync(both.wait, 10)
        await transport.aclose()

    with Server(echo) as server, ThreadPoolExecutor(2) as threads:
        for run in [threads.submit(trio.run, main, server.url) for _ in range(2)]:
            run.result(20)
        assert [2, 2] == [len(peer.requests) for peer in server.peers]


@pytest.mark.parametrize("module", ["asyncio", "uvloop"])
@either_scheme
def test_a_loop_is_never_blocked_and_may_be_closed_before_the_client(module, tls):
    """Scripts call asyncio.run several times, and each event loop has its own connections."""
    transport = AsyncTransport(ConnectionConfig(verify=CLIENT_TLS))
    loops = [pytest.importorskip(module).new_event_loop() for _ in range(3)]
    with Server(echo, tls) as server:
        for number, loop in enumerate(loops):
            with blockbuster_ctx():
                answer = loop.run_until_complete(transport._send(ask(server.url)))
            loop.close()
            assert b"{}" == answered(answer).content
            assert number + 1 == len(server.peers)
            assert 1 == len(transport._clients)  # the clients of earlier loops are released
        del loop, loops, transport
        gc.collect()  # an open connection would warn, and warnings are errors


def exit_code_of_child(act):
    """Return 0 if a function succeeds in a forked child."""
    child = os.fork()
    if child == 0:  # neither assertions nor pytest's clean-up may run here
        code = 1
        try:
            code = int(not act())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# Python warns because of the server's threads, which the child does not use.
forking = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@forking
@either_scheme
def test_a_child_process_never_uses_its_parents_connections(blocking, tls):
    """Responses would get mixed up, and closing in the child must not close for the parent."""
    with Server(echo, tls) as server:

        def child():
            response = blocking.send(server.url, b"child")
            blocking.close()
            return response.content == b"child"

        assert b"parent" == blocking.send(server.url, b"parent").content
        assert 0 == exit_code_of_child(child)
        assert b"again" == blocking.send(server.url, b"again").content
        bodies = [[body for _, body in peer.requests] for peer in server.peers]
        assert [[b"parent", b"again"], [b"child"]] == bodies


def test_answers_are_freed_at_once(carry):
    """A reference cycle would keep megabytes until the next garbage collection."""
    with Server(echo) as server:
        wire = carry()
        gc.disable()
        try:
            for body in (b"x", b"x" * 1_000_000):
                response = weakref.ref(wire.send(server.url, body))
                assert None is response()
        finally:
            gc.enable()


def test_a_connection_that_another_thread_returned_meanwhile_is_kept():
    """Opening one for a host closes idle ones of other hosts, if there are too many; not its own."""
    ours, other = httpx2.URL("https://api.example/v1"), httpx2.URL("https://files.example/")
    idle = IdleSlots(httpx2.Limits(max_keepalive_connections=8))
    slots = [Slot(url, httpx2.HTTPTransport(), None, None) for url in (other, ours, other)]
    assert (None, []) == idle.take(ours, 0.0)
    for slot in slots:
        assert [] == idle.put(slot, 0.0)
    assert [slots[0]] == idle.shrink(2, ours)
    assert [slots[2]] == idle.shrink(0, ours)
    assert (slots[1], []) == idle.take(ours, 0.0)
    for slot in slots:
        slot.transport.close()
