"""The emulator without a socket, for both clients of httpx2."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import voyageai
from voyageai_emulator import InProcessEmulator, in_process, running
from voyageai_emulator.asgi import Exchange
from voyageai_emulator.connections import Connections
from voyageai_emulator.inprocess import in_this_process
from voyageai_emulator.settings import Settings
from voyageai_rest.operations import SERVERS

from tests.emulator.http_helpers import KEY, TEXTS, until

pytestmark = pytest.mark.smoke


@pytest.fixture
def emulator() -> Iterator[InProcessEmulator]:
    """An emulator without a socket."""
    with in_process() as emulator:
        yield emulator


def client(emulator: InProcessEmulator, timeout: float = 10) -> httpx2.Client:
    """A sync client."""
    return httpx2.Client(
        transport=emulator.transport, base_url=emulator, headers=KEY, timeout=timeout
    )


def async_client(emulator: InProcessEmulator, timeout: float = 10) -> httpx2.AsyncClient:
    """An async client."""
    return httpx2.AsyncClient(
        transport=emulator.transport, base_url=emulator, headers=KEY, timeout=timeout
    )


def post(
    emulator: InProcessEmulator, *, asynchronous: bool, timeout: float = 10
) -> httpx2.Response:
    """Send one request with either client."""

    async def send() -> httpx2.Response:
        async with async_client(emulator, timeout) as http:
            return await http.post("/embeddings", json=TEXTS)

    if asynchronous:
        return asyncio.run(send())
    with client(emulator, timeout) as http:
        return http.post("/embeddings", json=TEXTS)


both = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


# Requests


@both
def test_it_answers_as_over_a_socket(emulator: InProcessEmulator, asynchronous: bool) -> None:
    """The result of an in-process test must hold over a socket too."""
    here = post(emulator, asynchronous=asynchronous)
    with running() as url:
        there = httpx2.post(f"{url}/embeddings", json=TEXTS, headers=KEY)
    assert (there.status_code, there.json()) == (here.status_code, here.json())
    assert set(there.headers) - {"server", "date"} == set(here.headers)
    last = emulator.requests.last
    assert (here.headers["x-request-id"], 200, True) == (last.id, last.status, last.done)


def test_our_own_clients_take_the_transport(emulator: InProcessEmulator) -> None:
    """The base URL may be the emulator's or a host's, and the transport may be in a client."""
    hosts = []
    of_atlas = f"{SERVERS[1].key_prefix}any"
    for key, base in [
        ("any", emulator),
        (of_atlas, "atlas"),
        (of_atlas, "https://ai.mongodb.com/v1"),
        ("any", "voyage"),
    ]:
        with voyageai.Client(key, base_url=base, transport=emulator.transport) as vo:
            assert 1 == len(vo.embed_query("hello", model="voyage-4"))
        hosts.append(emulator.requests.last.headers["host"])
    assert ["emulator.invalid", *["ai.mongodb.com"] * 2, "api.voyageai.com"] == hosts
    with (
        client(emulator) as http,
        voyageai.Client("any", base_url=emulator, http_client=http) as vo,
    ):
        assert 2 == len(vo.rerank("a", ["b", "c"], model="rerank-2.5").results)

    async def embed() -> int:
        async with voyageai.AsyncClient("any", transport=emulator.transport) as vo:
            return len(await vo.embed_query("hello", model="voyage-4"))

    assert 1 == asyncio.run(embed())


def test_the_path_and_the_query_arrive_as_they_were_sent(emulator: InProcessEmulator) -> None:
    """Signed or encoded parts of a URL must not change in transit."""
    with client(emulator) as http:
        response = http.get("/files/a%2Fb?after=x+y%26z")
    last = emulator.requests.last
    assert ("/v1/files/a/b", "after=x+y%26z") == (last.path, last.query)
    assert 404 == response.status_code


def test_many_threads_and_event_loops_share_it(emulator: InProcessEmulator) -> None:
    """Tests of concurrent programs need this most."""

    async def gather() -> list[int]:
        async with async_client(emulator) as http:
            answers = [http.post("/embeddings", json=TEXTS) for _ in range(10)]
            return [answer.status_code for answer in await asyncio.gather(*answers)]

    def ask(turn: int) -> list[int]:
        if turn % 2:
            return asyncio.run(gather())
        with client(emulator) as http:
            return [http.post("/embeddings", json=TEXTS).status_code for _ in range(10)]

    with ThreadPoolExecutor(8) as pool:
        statuses = [status for found in pool.map(ask, range(8)) for status in found]
    assert [200] * 80 == statuses
    assert (80, 0) == (len(emulator.requests), emulator.connections.settle())


def test_an_event_loop_is_not_blocked(emulator: InProcessEmulator) -> None:
    """The application runs on an event loop of its own."""
    blockbuster = pytest.importorskip("blockbuster")
    with blockbuster.blockbuster_ctx():
        assert 200 == post(emulator, asynchronous=True).status_code


def test_a_client_that_is_closed_leaves_the_others_their_transport(
    emulator: InProcessEmulator,
) -> None:
    """Clients of httpx2 close their transport, which others may share."""
    for _ in range(2):
        assert 200 == post(emulator, asynchronous=False).status_code
        assert 200 == post(emulator, asynchronous=True).status_code


# Bodies


@both
def test_bodies_are_streamed(emulator: InProcessEmulator, asynchronous: bool) -> None:
    """A body need not fit in memory, or be known when the request starts."""
    text = b'{"model": "voyage-4", "input": "' + b"word " * 100_000 + b'"}'
    parts = [text[at : at + 50_000] for at in range(0, len(text), 50_000)]

    async def stream() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    async def send() -> tuple[int, bytes]:
        async with (
            async_client(emulator) as http,
            http.stream("POST", "/embeddings", content=stream()) as answer,
        ):
            return answer.status_code, b"".join([part async for part in answer.aiter_bytes()])

    if asynchronous:
        status, body = asyncio.run(send())
    else:
        with (
            client(emulator) as http,
            http.stream("POST", "/embeddings", content=iter(parts)) as answer,
        ):
            status, body = answer.status_code, b"".join(answer.iter_bytes())
    assert 200 == status, body
    assert len(text) == emulator.requests.last.size
    assert text == emulator.requests.last.raw
    assert b"}" == body.strip()[-1:]


@both
def test_a_file_comes_back_as_it_was_sent(emulator: InProcessEmulator, asynchronous: bool) -> None:
    """Multipart bodies are streams of another kind."""
    lines = b'{"custom_id": "one", "body": {"input": ["hello"]}}\n' * 5000
    upload: Any = {"data": {"purpose": "batch"}, "files": {"file": ("lines.jsonl", lines)}}

    async def send() -> bytes:
        async with async_client(emulator) as http:
            file = (await http.post("/files", **upload)).json()
            return (await http.get(f"/files/{file['id']}/content")).content

    if asynchronous:
        assert lines == asyncio.run(send())
    else:
        with client(emulator) as http:
            file = http.post("/files", **upload).json()
            assert lines == http.get(f"/files/{file['id']}/content").content


def test_the_wrong_kind_of_body_is_refused(emulator: InProcessEmulator) -> None:
    """The error says which client the body is for."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"{}"

    body: Any = stream()
    request = httpx2.Request("POST", emulator.url, content=body)
    with pytest.raises(TypeError, match=r"needs httpx2\.AsyncClient"):
        emulator.transport.handle_request(request)
    request = httpx2.Request("POST", emulator.url, content=iter([b"{}"]))
    with pytest.raises(TypeError, match=r"needs httpx2\.Client"):
        asyncio.run(emulator.transport.handle_async_request(request))


class Scripted:
    """An application that answers in many parts, or never."""

    def __init__(self) -> None:
        self.parts = 0
        self.bytes = 0
        self.cancelled = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        try:
            if path == "/deaf":
                await asyncio.Event().wait()
            if path == "/broken":
                raise ZeroDivisionError("a fault")
            if path == "/refused":
                await send({"type": "http.response.start", "status": 413, "headers": []})
                await send({"type": "http.response.body", "body": b"too much"})
                return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(1000):
                await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
                self.parts += 1
            await send({"type": "http.response.body", "body": b""})
        except asyncio.CancelledError:
            self.cancelled = True
            raise


@pytest.fixture
def scripted() -> Iterator[tuple[Scripted, InProcessEmulator]]:
    """Return an emulator with another application in its place."""
    app = Scripted()
    with in_this_process(Settings(), app) as emulator:
        yield app, emulator


def test_an_answer_is_made_as_it_is_read(scripted: tuple[Scripted, InProcessEmulator]) -> None:
    """The application waits for a slow reader, and stops when the client stops reading."""
    app, emulator = scripted
    with client(emulator) as http:
        with http.stream("GET", f"{emulator.origin}/many") as answer:
            parts = answer.iter_raw()
            first = len(next(parts))
            assert app.parts < 200
            assert len(b"".join(parts)) + first == 1_000_000
        with http.stream("GET", f"{emulator.origin}/many") as answer:
            next(answer.iter_raw())
        assert 0 == emulator.connections.settle()


def test_an_unwanted_body_is_not_sent_to_its_end(
    scripted: tuple[Scripted, InProcessEmulator],
) -> None:
    """A server may refuse a body before it has read all of it."""
    _, emulator = scripted
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 10_000

    with client(emulator) as http:
        response = http.post(f"{emulator.origin}/refused", content=endless())
    assert (413, "too much") == (response.status_code, response.text)
    assert sent < 100


@both
def test_an_upload_that_is_not_taken_times_out(
    scripted: tuple[Scripted, InProcessEmulator], asynchronous: bool
) -> None:
    """httpx2 has a separate timeout for writing."""
    _, emulator = scripted
    parts = [b"x" * 100_000] * 3

    async def stream() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    async def send_async() -> None:
        async with async_client(emulator, 0.05) as http:
            await http.post(f"{emulator.origin}/deaf", content=stream())

    def send() -> None:
        with client(emulator, 0.05) as http:
            http.post(f"{emulator.origin}/deaf", content=iter(parts))

    with pytest.raises(httpx2.WriteTimeout) as caught:
        asyncio.run(send_async()) if asynchronous else send()
    assert "/deaf" == caught.value.request.url.path


def test_an_application_that_fails_is_logged_and_ends_the_connection(
    scripted: tuple[Scripted, InProcessEmulator], caplog: pytest.LogCaptureFixture
) -> None:
    """The client sees what a crashed server would cause."""
    _, emulator = scripted
    with client(emulator) as http, pytest.raises(httpx2.RemoteProtocolError):
        http.get(f"{emulator.origin}/broken")
    until(lambda: "a fault" in caplog.text)
    assert [logging.ERROR] == [record.levelno for record in caplog.records]


def test_a_head_has_no_body(scripted: tuple[Scripted, InProcessEmulator]) -> None:
    """The body of an answer to HEAD is dropped."""
    _, emulator = scripted
    with client(emulator) as http:
        response = http.head(f"{emulator.origin}/many")
    assert (200, b"") == (response.status_code, response.content)


# Faults, timeouts and cancellation


@both
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset_before", httpx2.ReadError),
        ("reset_during", httpx2.ReadError),
        ("close_before", httpx2.RemoteProtocolError),
        ("close_headers", httpx2.RemoteProtocolError),
        ("truncated", httpx2.RemoteProtocolError),
    ],
)
def test_a_fault_that_ends_the_connection_is_the_error_of_a_socket(
    emulator: InProcessEmulator, fault: str, error: type[httpx2.TransportError], asynchronous: bool
) -> None:
    """Retries depend on the class of the error."""
    emulator.faults.next(fault)
    with pytest.raises(error) as caught:
        post(emulator, asynchronous=asynchronous)
    assert "/v1/embeddings" == caught.value.request.url.path
    assert 0 == emulator.requests.settle()
    assert (fault, False) == (
        str(emulator.requests.last.fault),
        emulator.requests.last.disconnected,
    )
    assert 200 == post(emulator, asynchronous=asynchronous).status_code
    assert 0 == emulator.connections.settle()


@pytest.mark.parametrize("fault", ["reset_after", "close_after", "drip", "html", "bad_gzip"])
def test_other_faults_happen_too(emulator: InProcessEmulator, fault: str) -> None:
    """All faults work, although closing the connection after an answer has no effect here."""
    emulator.faults.next(fault)
    with client(emulator) as http, http.stream("POST", "/embeddings", json=TEXTS) as answer:
        assert (502 if fault == "html" else 200) == answer.status_code
        assert b"".join(answer.iter_raw())
    assert 0 == emulator.connections.settle()


@both
def test_a_timeout_is_kept_to(emulator: InProcessEmulator, asynchronous: bool) -> None:
    """The emulator sees the client disconnect."""
    emulator.faults.next("hang")
    with pytest.raises(httpx2.ReadTimeout) as caught:
        post(emulator, asynchronous=asynchronous, timeout=0.05)
    assert "/v1/embeddings" == caught.value.request.url.path
    assert 0 == emulator.requests.settle()
    last = emulator.requests.last
    assert (True, True, None) == (last.done, last.disconnected, last.status)
    assert 0 == emulator.connections.settle()


@both
def test_a_timeout_within_the_body_is_kept_to(
    emulator: InProcessEmulator, asynchronous: bool
) -> None:
    """The timeout applies to each part of the body, not only to the first."""
    emulator.faults.next("drip", size=10, delay=30.0, max_seconds=60.0)
    with pytest.raises(httpx2.ReadTimeout):
        post(emulator, asynchronous=asynchronous, timeout=0.2)
    assert 0 == emulator.requests.settle()
    assert emulator.requests.last.disconnected


def test_a_call_that_is_cancelled_cancels_the_work(
    scripted: tuple[Scripted, InProcessEmulator],
) -> None:
    """No work of a test may go on after it."""
    app, emulator = scripted

    async def cancel() -> None:
        async with async_client(emulator) as http:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await http.get(f"{emulator.origin}/deaf")

    asyncio.run(cancel())
    until(lambda: app.cancelled)
    assert 0 == emulator.connections.settle()


def test_our_own_client_retries_through_it(emulator: InProcessEmulator) -> None:
    """The client's retry policy recognizes the errors."""
    for fault in ("reset_before", "close_before", "truncated"):
        emulator.faults.next(fault)
    quick = voyageai.RetryPolicy(max_retries=3, initial_delay=0.001)
    with voyageai.Client("any", quick, transport=emulator.transport) as vo:
        assert 1 == len(vo.embed_query("hello", model="voyage-4"))
    assert [None, None, 200, 200] == [request.status for request in emulator.requests]


# Closing


@both
def test_after_the_end_there_is_no_connection(asynchronous: bool) -> None:
    """A closed emulator refuses requests, like a server that was stopped."""
    with in_process() as emulator:
        pass
    with pytest.raises(httpx2.ConnectError, match="was stopped") as caught:
        post(emulator, asynchronous=asynchronous)
    assert "/v1/embeddings" == caught.value.request.url.path


@both
def test_requests_under_way_end_with_it(asynchronous: bool) -> None:
    """A thread that waits for an answer must not wait forever."""
    failures: list[Exception] = []

    def ask() -> None:
        try:
            post(emulator, asynchronous=asynchronous)
        except httpx2.HTTPError as error:
            failures.append(error)

    with in_process(faults=["hang"]) as emulator:
        thread = threading.Thread(target=ask)
        thread.start()
        until(lambda: len(emulator.requests) == 1)
    thread.join(10)
    assert [httpx2.RemoteProtocolError] == [type(error) for error in failures]


def test_nothing_is_left_behind() -> None:
    """Neither a thread nor an unread answer is left."""
    before = threading.active_count()
    with in_process() as emulator, client(emulator) as http:
        request = http.build_request("POST", "/embeddings", json=TEXTS)
        response = http.send(request, stream=True)
        assert 1 == emulator.connections.open
    response.close()
    assert before == threading.active_count()
    gc.collect()
    assert 0 == emulator.connections.open


def test_a_file_that_cannot_be_written_is_an_error_at_once(tmp_path: Any) -> None:
    """The error leaves no thread behind."""
    before = threading.active_count()
    with pytest.raises(OSError, match="Is a directory"), in_process(record=tmp_path):
        pass
    with pytest.raises(ValueError, match="no-such"), in_process(faults=["no-such"]):
        pass
    assert before == threading.active_count()


def test_without_the_extra_the_command_to_install_it_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Importing the package works without the extra, and using it names the extra."""
    monkeypatch.setitem(sys.modules, "voyageai_emulator.inprocess", None)
    with (
        pytest.raises(ImportError, match=r'extra `emulator`: pip install ".*jsonschema'),
        in_process(),
    ):
        pass


def test_a_connection_that_is_hung_up_ends_for_both_sides() -> None:
    """Neither side waits for the other any longer."""

    async def exchange() -> tuple[dict[str, Any], bool]:
        heard: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            heard.append(await receive())
            await scope["state"]["connection"].hang_up(reset=True)
            heard.append(await receive())

        one = Exchange(app, {"type": "http", "method": "POST"}, Connections())
        task = one.begin()
        assert await one.send(b"part", 1)
        with pytest.raises(ConnectionResetError):
            await one.head(1)
        await task
        assert (b"part", False) == (heard[0]["body"], heard[0]["more_body"])
        return heard[1], await one.send(b"more", 1)

    assert ({"type": "http.disconnect"}, False) == asyncio.run(exchange())


@pytest.mark.parametrize("run", [running, in_process])
def test_a_mistyped_setting_is_refused_with_what_was_meant(run: Any) -> None:
    """The error names the function that the user called."""
    with (
        pytest.raises(TypeError, match=f"^{run.__name__} has no setting 'teir': .* tier"),
        run(teir=1),
    ):
        pass
