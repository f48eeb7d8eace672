"""Many users of one pool: threads, tasks, processes; bounds, order, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import ssl
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import httpcore2
import httpx2
import pytest
from blockbuster import blockbuster_ctx
from voyageai.transport import AsyncTransport
from voyageai.transport.network import set_backend

from .conftest import Blocking, Carry, Looping, answered, ask, kept, step, wire
from .scripted_server import Peer, Server, echo

pytestmark = pytest.mark.smoke


def test_threads_share_a_transport() -> None:
    """Each of 1,600 calls gets its own answer, over no more connections than allowed."""
    carrier = Blocking(wire(max_connections=8))
    with Server(echo) as server:

        def work(thread: int) -> list[bytes]:
            return [
                carrier.send(ask(server.url, b"%d %d" % (thread, n))).content for n in range(50)
            ]

        with ThreadPoolExecutor(32) as executor:
            answers = list(executor.map(work, range(32)))

        assert [[b"%d %d" % (t, c) for c in range(50)] for t in range(32)] == answers
        assert len(server.peers) <= 8
        assert len(server.peers) == carrier.connections
        carrier.close()


def test_tasks_share_a_transport() -> None:
    """The same with 1,600 calls of 32 tasks."""

    async def main(url: str) -> None:
        transport = AsyncTransport(wire(max_connections=8))

        async def work(task: int) -> list[bytes]:
            requests = [ask(url, b"%d %d" % (task, call)) for call in range(50)]
            return [answered(await transport._send(step(one))).content for one in requests]

        answers = await asyncio.gather(*map(work, range(32)))
        assert [[b"%d %d" % (t, c) for c in range(50)] for t in range(32)] == answers
        await transport.aclose()

    with Server(echo) as server:
        asyncio.run(main(server.url))
        assert len(server.peers) <= 8


def test_waiting_for_a_connection_times_out(carry: Carry) -> None:
    """In the `pool` phase; and the place in line is given up."""
    started, finish = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.read()
        started.set()
        finish.wait(5)
        peer.answer()
        echo(peer)

    def impatient(url: str) -> httpx2.Request:
        return ask(url, timeout={"pool": 0.05})

    with Server(script) as server:
        carrier = carry(max_connections=1)
        if isinstance(carrier, Looping):

            async def both() -> None:
                first = asyncio.ensure_future(carrier.asend(ask(server.url)))
                await asyncio.sleep(0)
                with pytest.raises(httpx2.PoolTimeout):
                    await carrier.asend(impatient(server.url))
                finish.set()
                assert 200 == (await first).status_code

            carrier.run(both())
        else:
            with ThreadPoolExecutor(1) as executor:
                first = executor.submit(carrier.send, ask(server.url))
                assert started.wait(5)
                with pytest.raises(httpx2.PoolTimeout):
                    carrier.send(impatient(server.url))
                finish.set()
                assert 200 == first.result(5).status_code
        assert 200 == carrier.send(impatient(server.url)).status_code
        assert 1 == len(server.peers)


def test_tasks_are_served_in_order_of_arrival() -> None:
    """Tasks cancelled while they waited are passed over."""
    order: list[bytes] = []

    def script(peer: Peer) -> None:
        while (body := peer.read()) is not None:
            order.append(body)
            peer.answer()

    async def main(url: str) -> None:
        transport = AsyncTransport(wire(max_connections=1))
        tasks = [
            asyncio.ensure_future(transport._send(step(ask(url, b"%d" % number))))
            for number in range(6)
        ]
        await asyncio.sleep(0)
        tasks[2].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(done[2], asyncio.CancelledError)
        await transport.aclose()

    with Server(script) as server:
        asyncio.run(main(server.url))
    assert [b"0", b"1", b"3", b"4", b"5"] == order


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("module", ["asyncio", "uvloop"])
def test_a_thousand_cancelled_tasks_leave_nothing_behind(
    module: str,
    tls: bool,
    trusting: ssl.SSLContext,
    server_context: ssl.SSLContext,
) -> None:
    """Wherever they were: in line, connecting, sending, reading. And the others go on."""
    ended = threading.Semaphore(0)
    patient = dict.fromkeys(("connect", "read", "write", "pool"), 60.0)  # on a busy machine

    def slow(peer: Peer) -> None:
        while (body := peer.read()) is not None:
            time.sleep(0.003)
            peer.answer(body)
        ended.release()

    async def main(url: str) -> None:
        transport = AsyncTransport(wire(trusting, max_connections=16))
        tasks = [
            asyncio.ensure_future(transport._send(step(ask(url, b"%d" % number, timeout=patient))))
            for number in range(1000)
        ]
        for number, task in enumerate(tasks):
            if number % 20 == 0:
                await asyncio.sleep(0.001)
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        for number, one in enumerate(done):
            if isinstance(one, httpx2.Response):
                assert b"%d" % number == one.content
            else:
                assert isinstance(one, asyncio.CancelledError)
        assert any(isinstance(one, asyncio.CancelledError) for one in done)
        slots = transport._client().transport
        assert 16 == slots._free.value  # nobody holds a slot
        assert b"last" == answered(await transport._send(step(ask(url, b"last")))).content
        await transport.aclose()

    loops = pytest.importorskip(module)
    with Server(slow, server_context if tls else None) as server:
        with asyncio.Runner(loop_factory=loops.new_event_loop) as runner:
            url = server.url.replace("http://127.0.0.1", "https://localhost") if tls else server.url
            runner.run(main(url))
        for _ in server.peers:
            assert ended.acquire(timeout=5)


def test_a_thread_interrupted_while_it_waits_takes_no_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while waiting must not lose a slot for good."""

    class Interrupted:
        given_back = 0

        def get_nowait(self) -> None:
            raise KeyboardInterrupt

        def put(self, permit: None) -> None:
            self.given_back += 1

    carrier = Blocking(wire())
    monkeypatch.setattr(carrier.slots, "_free", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        carrier.send(ask("http://127.0.0.1:9/"))
    assert 0 == carrier.slots._free.given_back


def test_a_slot_can_be_given_back_by_the_garbage_collector() -> None:
    """A body that was begun and dropped must not take its place among the connections for good."""
    carrier = Blocking(wire(max_connections=1))
    with Server(echo) as server:
        pieces = carrier.send(ask(server.url, b"dropped", streamed=True)).iter_bytes()
        assert b"dropped" == next(pieces)
        del pieces
        gc.collect()
        assert b"again" == carrier.send(ask(server.url, b"again")).content
        assert 1 == len(kept(carrier.slots))
        carrier.close()


def test_no_more_idle_connections_are_kept_than_allowed(carry: Carry) -> None:
    """Connections returned beyond the limit are closed."""
    with Server(echo) as one, Server(echo) as other:
        carrier = carry(max_connections=None, max_keepalive_connections=1)
        for server in (one, other):
            carrier.send(ask(server.url))
            assert 1 == carrier.connections


def test_a_cancelled_call_never_leaves_its_answer_to_the_next(carry: Carry) -> None:
    """Half-read connections are closed, not kept."""
    carrier = carry(max_connections=1)
    if not isinstance(carrier, Looping):
        pytest.skip("threads can't be cancelled")
    begun, go_on = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        while (body := peer.read()) is not None:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            begun.set()
            go_on.wait(5)
            peer.send(body)

    async def main(url: str) -> bytes:
        first = asyncio.ensure_future(carrier.asend(ask(url, b"first")))
        assert await asyncio.to_thread(begun.wait, 5)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        go_on.set()
        return (await carrier.asend(ask(url, b"other"))).content

    with Server(script) as server:
        assert b"other" == carrier.run(main(server.url))
        assert 2 == len(server.peers)


def test_each_run_of_trio_has_connections_of_its_own() -> None:
    """Threads that each run trio can't use each other's sockets."""
    trio = pytest.importorskip("trio")
    transport = AsyncTransport(wire())
    both = threading.Barrier(2)
    pools: list[object] = []

    async def main(url: str) -> None:
        for _ in range(2):
            response = answered(await transport._send(step(ask(url, b"here"))))
            assert b"here" == response.content
            await trio.to_thread.run_sync(both.wait, 10)
        pools.append(transport._client().transport)
        await transport.aclose()

    with Server(echo) as server, ThreadPoolExecutor(2) as threads:
        for run in [threads.submit(trio.run, main, server.url) for _ in range(2)]:
            run.result(20)
        assert 2 == len(server.peers)

    assert 2 == len(set(map(id, pools)))


def test_the_event_loop_is_never_blocked(
    trusting: ssl.SSLContext, server_context: ssl.SSLContext
) -> None:
    """Not by names or sockets."""
    transport = AsyncTransport(wire(trusting))

    async def main(*urls: str) -> None:
        for url in urls * 2:
            assert 200 == answered(await transport._send(step(ask(url)))).status_code
        await transport.aclose()

    with Server(echo) as plain, Server(echo, server_context) as server, blockbuster_ctx():
        asyncio.run(main(plain.url, f"https://localhost:{server.port}/"))


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("module", ["asyncio", "uvloop"])
def test_a_loop_that_is_closed_before_the_client_complains_of_nothing(
    module: str, tls: bool, trusting: ssl.SSLContext, server_context: ssl.SSLContext
) -> None:
    """Scripts run a loop to the end and close it; each loop has connections of its own."""
    transport = AsyncTransport(wire(trusting))
    loops = pytest.importorskip(module)
    with Server(echo, server_context if tls else None) as server:
        url = f"https://localhost:{server.port}/" if tls else server.url
        for number in range(3):
            loop = loops.new_event_loop()
            body = b"%d" % number
            answer = loop.run_until_complete(transport._send(step(ask(url, body))))
            loop.close()
            assert body == answered(answer).content
            assert number + 1 == len(server.peers)
            assert 1 == len(transport._clients)  # what was for the loops before is let go
        del loop, transport
        gc.collect()  # a complaint would be a warning, and so an error


# The server's threads are the danger that Python warns of, and the child does not use them.
forking = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@forking
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_child_process_never_uses_its_parents_connections(
    tls: bool, trusting: ssl.SSLContext, server_context: ssl.SSLContext
) -> None:
    """Answers would be mixed up; and what the child closes must stay open for the parent."""
    carrier = Blocking(wire(trusting))
    with Server(echo, server_context if tls else None) as server:
        url = f"https://localhost:{server.port}/" if tls else server.url
        carrier.send(ask(url, b"parent"))
        child = os.fork()
        if child == 0:  # no assertion, no clean-up of pytest's may run here
            code = 1
            try:
                code = int(carrier.send(ask(url, b"child")).content != b"child")
                carrier.close()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)

        assert 0 == os.waitstatus_to_exitcode(status)
        assert b"again" == carrier.send(ask(url, b"again")).content
        bodies = [[body for _, body in peer.requests] for peer in server.peers]
        assert [[b"parent", b"again"], [b"child"]] == bodies
        carrier.close()


def test_answers_are_freed_at_once(carry: Carry) -> None:
    """A cycle would keep megabytes until the garbage collector comes, and cost page faults."""
    with Server(echo) as server:
        carrier = carry()
        gc.disable()
        try:
            for body in (b"x", b"x" * 1_000_000):
                response = weakref.ref(carrier.send(ask(server.url, body)))
                assert None is response()
        finally:
            gc.enable()


def test_private_names_of_the_library_are_where_they_were() -> None:
    """A release of the library that moves them must be noticed here."""
    for transport in (
        httpx2.HTTPTransport(),
        httpx2.AsyncHTTPTransport(proxy="http://127.0.0.1:9"),
    ):
        backend = httpcore2.MockBackend([])
        set_backend(transport, backend)
        pool = transport._pool
        made = pool.create_connection(httpcore2.Origin(b"http", b"127.0.0.1", 9))
        assert backend in (
            getattr(made, "_network_backend", None),
            getattr(getattr(made, "_connection", None), "_network_backend", None),
        )
