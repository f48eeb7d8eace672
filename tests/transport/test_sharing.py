"""Many users of one pool: threads, tasks, processes; bounds, order, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from blockbuster import blockbuster_ctx
from voyageai.transport import blocking_connection, dialing
from voyageai.transport.blocking import Connections
from voyageai.transport.blocking_pool import Pool
from voyageai.transport.incoming import Reply
from voyageai.transport.looping import AsyncConnections
from voyageai.transport.sockets import tune
from voyageai.transport.timeouts import Timeouts

from .conftest import Carry, Looping, ask, no_context
from .scripted import Peer, Server, echo


def test_threads_share_a_pool() -> None:
    """Each of 1,600 calls gets its own answer, over no more connections than allowed."""
    with Server(echo) as server, Connections(no_context, max_connections=8) as pool:

        def work(thread: int) -> list[bytes]:
            return [
                pool.handle_request(ask(server.url, b"%d %d" % (thread, call))).content
                for call in range(50)
            ]

        with ThreadPoolExecutor(32) as executor:
            answers = list(executor.map(work, range(32)))

        assert [[b"%d %d" % (t, c) for c in range(50)] for t in range(32)] == answers
        assert len(server.peers) <= 8
        assert pool.open_connections == pool.idle_connections <= 8


def test_tasks_share_a_pool() -> None:
    """The same with 1,600 calls of 32 tasks."""

    async def main(url: str) -> None:
        async with AsyncConnections(no_context, max_connections=8) as pool:

            async def work(task: int) -> list[bytes]:
                return [
                    (await pool.handle_async_request(ask(url, b"%d %d" % (task, call)))).content
                    for call in range(50)
                ]

            answers = await asyncio.gather(*map(work, range(32)))
            assert [[b"%d %d" % (t, c) for c in range(50)] for t in range(32)] == answers
            assert pool.open_connections == pool.idle_connections <= 8

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
            pool = carrier.transport

            async def both() -> None:
                first = asyncio.ensure_future(pool.handle_async_request(ask(server.url)))
                await asyncio.sleep(0)
                with pytest.raises(httpx2.PoolTimeout):
                    await pool.handle_async_request(impatient(server.url))
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


def test_threads_are_served_in_order_of_arrival() -> None:
    """Otherwise an unlucky one would wait until its timeout while others overtake it."""
    order: list[bytes] = []
    begin = threading.Event()

    def script(peer: Peer) -> None:
        while (body := peer.read()) is not None:
            begin.wait(5)
            order.append(body)
            peer.answer()

    with Server(script) as server, Connections(no_context, max_connections=1) as pool:
        threads = []
        for number in range(6):
            request = ask(server.url, b"%d" % number)
            threads.append(threading.Thread(target=pool.handle_request, args=(request,)))
            threads[-1].start()
            time.sleep(0.01)
        begin.set()
        for thread in threads:
            thread.join(5)
    assert [b"0", b"1", b"2", b"3", b"4", b"5"] == order


def test_tasks_are_served_in_order_of_arrival() -> None:
    """Those that were cancelled while they waited are passed over."""
    order: list[bytes] = []

    def script(peer: Peer) -> None:
        while (body := peer.read()) is not None:
            order.append(body)
            peer.answer()

    async def main(url: str) -> None:
        async with AsyncConnections(no_context, max_connections=1) as pool:
            tasks = [
                asyncio.ensure_future(pool.handle_async_request(ask(url, b"%d" % number)))
                for number in range(6)
            ]
            await asyncio.sleep(0)
            tasks[2].cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(done[2], asyncio.CancelledError)

    with Server(script) as server:
        asyncio.run(main(server.url))
    assert [b"0", b"1", b"3", b"4", b"5"] == order


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("module", ["asyncio", "uvloop"])
def test_a_thousand_cancelled_tasks_leave_nothing_behind(
    module: str,
    tls: bool,
    trusting: Callable[[], ssl.SSLContext],
    server_context: ssl.SSLContext,
) -> None:
    """Wherever they were: in line, connecting, sending, reading. And the pool goes on."""
    ended = threading.Semaphore(0)

    def slow(peer: Peer) -> None:
        while (body := peer.read()) is not None:
            time.sleep(0.003)
            peer.answer(body)
        ended.release()

    async def main(url: str) -> None:
        pool = AsyncConnections(trusting, max_connections=16)
        tasks = [
            asyncio.ensure_future(pool.handle_async_request(ask(url, b"%d" % number)))
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
        assert pool.open_connections == pool.idle_connections
        last = await pool.handle_async_request(ask(url, b"last"))
        assert b"last" == last.content
        await pool.aclose()
        assert 0 == pool.open_connections

    loops = pytest.importorskip(module)
    with Server(slow, server_context if tls else None) as server:
        with asyncio.Runner(loop_factory=loops.new_event_loop) as runner:
            url = server.url.replace("http://127.0.0.1", "https://localhost") if tls else server.url
            runner.run(main(url))
        for _ in server.peers:
            assert ended.acquire(timeout=5)


def test_a_task_cancelled_as_it_is_admitted_gives_up_its_place() -> None:
    """Both can happen in the same turn of the event loop; a place lost would be lost for good."""

    async def main() -> None:
        pool = AsyncConnections(no_context, max_connections=1)
        assert pool._places.enter()
        waiting = asyncio.ensure_future(pool._wait(Timeouts({}, None)))
        await asyncio.sleep(0)
        pool._leave()
        assert 1 == pool._places.taken
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert 0 == pool._places.taken

    asyncio.run(main())


@pytest.mark.parametrize("admitted", [False, True])
def test_a_thread_interrupted_while_it_waits_gives_up_its_place(
    admitted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control-C, before or just after it was its turn."""
    pool = Pool(1, None, None)
    assert pool._places.enter()

    def interrupt(event: threading.Event, timeout: float | None) -> bool:
        if admitted:
            pool._leave()
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Event, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt), pool.turn(Timeouts({}, None)):
        pass
    assert (0 if admitted else 1) == pool._places.taken


def test_no_more_idle_connections_are_kept_than_allowed(carry: Carry) -> None:
    """The oldest go."""
    with Server(echo) as one, Server(echo) as other:
        carrier = carry(max_connections=None, max_keepalive_connections=1)
        for server in (one, other):
            carrier.send(ask(server.url))
            assert (1, 1) == (
                carrier.transport.open_connections,
                carrier.transport.idle_connections,
            )


def test_a_cancelled_call_never_leaves_its_answer_to_the_next(carry: Carry) -> None:
    """Half-read connections are closed, not kept."""
    carrier = carry(max_connections=1)
    if not isinstance(carrier, Looping):
        pytest.skip("threads can't be cancelled")

    def script(peer: Peer) -> None:
        while (body := peer.read()) is not None:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            time.sleep(0.02)
            peer.send(body)

    async def main(url: str, pool: AsyncConnections) -> bytes:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.handle_async_request(ask(url, b"first")), 0.01)
        return (await pool.handle_async_request(ask(url, b"other"))).content

    with Server(script) as server:
        assert b"other" == carrier.run(main(server.url, carrier.transport))
        assert 2 == len(server.peers)


def test_the_event_loop_is_never_blocked(
    trusting: Callable[[], ssl.SSLContext], server_context: ssl.SSLContext
) -> None:
    """Not by names, TLS contexts or sockets."""

    async def main(*urls: str) -> None:
        async with AsyncConnections(trusting) as pool:
            for url in urls * 2:
                assert 200 == (await pool.handle_async_request(ask(url))).status_code

    with Server(echo) as plain, Server(echo, server_context) as server, blockbuster_ctx():
        asyncio.run(main(plain.url, f"https://localhost:{server.port}/"))


# The server's threads are the danger that Python warns of, and the child does not use them.
forking = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@forking
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_child_process_never_uses_its_parents_connections(
    tls: bool, trusting: Callable[[], ssl.SSLContext], server_context: ssl.SSLContext
) -> None:
    """Answers would be mixed up; and what the child closes must stay open for the parent."""
    with (
        Server(echo, server_context if tls else None) as server,
        Connections(trusting) as pool,
    ):
        url = f"https://localhost:{server.port}/" if tls else server.url
        pool.handle_request(ask(url, b"parent"))
        child = os.fork()
        if child == 0:  # no assertion, no clean-up of pytest's may run here
            code = 1
            try:
                fresh = pool.open_connections == 0
                answered = pool.handle_request(ask(url, b"child")).content == b"child"
                pool.close()
                code = 0 if fresh and answered else 2
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)

        assert 0 == os.waitstatus_to_exitcode(status)
        assert b"again" == pool.handle_request(ask(url, b"again")).content
        bodies = [[body for _, body in peer.requests] for peer in server.peers]
        assert [[b"parent", b"again"], [b"child"]] == bodies


@forking
def test_a_fork_while_another_thread_holds_the_pool_does_not_hang() -> None:
    """The child has a copy of the lock, and nobody in it to open it."""
    with Server(echo) as server, Connections(no_context) as pool:
        pool.handle_request(ask(server.url))
        with pool._pool._lock:
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    code = int(pool.handle_request(ask(server.url)).status_code != 200)
                finally:
                    os._exit(code)
        _, status = os.waitpid(child, 0)
        assert 0 == os.waitstatus_to_exitcode(status)


def test_sockets_send_at_once_and_stay_alive(carry: Carry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delayed sends cost 40 ms; gateways forget connections that are silent for minutes."""
    tuned: list[tuple[bool, bool]] = []

    def noting(sock: socket.socket) -> None:
        tune(sock)
        tuned.append(
            (
                bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)),
                bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)),
            )
        )

    monkeypatch.setattr(blocking_connection, "tune", noting)
    monkeypatch.setattr(dialing, "tune", noting)
    with Server(echo) as server:
        carry().send(ask(server.url))
    assert [(True, True)] == tuned


def test_answers_are_freed_at_once(carry: Carry) -> None:
    """A cycle would keep megabytes until the garbage collector comes, and cost page faults."""
    replies: list[weakref.ref[Reply]] = []
    original = Reply.__init__

    def noting(self: Reply, method: str) -> None:
        original(self, method)
        replies.append(weakref.ref(self))

    with Server(echo) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reply, "__init__", noting)
        carrier = carry()
        gc.disable()
        try:
            for body in (b"x", b"x" * 1_000_000):
                carrier.send(ask(server.url, body))
            assert [None, None] == [reply() for reply in replies]
        finally:
            gc.enable()
