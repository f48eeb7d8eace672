"""Limits on the connections, time, memory and bytes that a client can use."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import attrs
import httpx2
import pytest
from voyageai_emulator import Emulator, bodies, connections, running
from voyageai_emulator.bodies import decode
from voyageai_emulator.contract import Contract
from voyageai_emulator.faults.middleware import MAX_HELD
from voyageai_emulator.responses import ApiError
from voyageai_emulator.server import Server, serving
from voyageai_emulator.settings import Settings
from voyageai_emulator.state import EmulatorState
from voyageai_rest.catalogue import MODELS, find

from tests.emulator.contract_client import DOCUMENT
from tests.emulator.http_helpers import until
from tests.emulator.test_serving import command

BODY = {"input": "hello", "model": "voyage-4"}
KEY = {"authorization": "Bearer any"}
HALF = b"POST /v1/embeddings HTTP/1.1\r\nHost: a\r\n"
OPERATIONS = Contract(DOCUMENT).operations
WITH_BODY = [operation for operation in OPERATIONS if operation.schema or operation.form]
by_operation = pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.id)
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits differ there")


def connect(url: str, sent: bytes = b"") -> socket.socket:
    """Open a connection and send bytes over it."""
    at = httpx2.URL(str(url))
    sock = socket.create_connection((at.host, at.port or 80), timeout=30)
    sock.sendall(sent)
    return sock


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    """Return the head of a request to a path below the base URL."""
    return "\r\n".join([f"{method} /v1{path} HTTP/1.1", "Host: a", *lines, "", ""]).encode()


def ask(url: str) -> int:
    """Send a valid request over a new connection; return the status."""
    return httpx2.post(f"{url}/embeddings", json=BODY, headers=KEY, timeout=30).status_code


def read_head(sock: socket.socket) -> str:
    """Read from a connection to the end of the first response head."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        assert byte, data
        data += byte
    return data.decode()


def read_all(sock: socket.socket) -> bytes:
    """Read from a connection until it ends."""
    data = b""
    try:
        while piece := sock.recv(65_536):
            data += piece
    except ConnectionResetError:
        pass
    return data


# Connections


def test_half_open_connections_make_way_for_those_that_ask() -> None:
    """Thousands of half-open connections must neither block requests nor fill a log."""
    with command("--max-connections", "20") as (process, line), ExitStack() as stack:
        url = line.split()[-1]
        for _ in range(200):
            stack.enter_context(connect(url, HALF))
        assert 200 == ask(url)
        process.terminate()
        _, errors = process.communicate(timeout=30)
    (said,) = errors.splitlines()
    assert "its limit of open connections (max_connections)" in said


def test_no_more_connections_are_open_than_may_be(caplog: pytest.LogCaptureFixture) -> None:
    """Each connection costs memory and a descriptor, and the log mentions the limit once."""
    with running(max_connections=10) as emulator, ExitStack() as stack:
        most = 0
        for _ in range(100):
            stack.enter_context(connect(emulator, HALF))
            most = max(most, emulator.connections.open)
        assert 200 == ask(emulator)
        assert most <= 10
        assert 101 == emulator.connections.accepted
    assert 1 == len([each for each in caplog.records if "max_connections" in each.message])


def test_connections_that_never_asked_are_closed_first() -> None:
    """A client's idle connection outlives the half-open ones that came later."""
    with running(max_connections=2) as emulator, httpx2.Client(headers=KEY) as http:
        for _ in range(3):
            assert 200 == http.post(f"{emulator}/embeddings", json=BODY).status_code
            with connect(emulator, HALF) as first, connect(emulator, HALF):
                assert b"" == read_all(first)
        assert 200 == http.post(f"{emulator}/embeddings", json=BODY).status_code
        assert 7 == emulator.connections.accepted


def test_where_all_connections_are_at_work_the_next_one_waits() -> None:
    """A client that only has to wait must not be refused."""
    asked = head("/embeddings", "Authorization: Bearer a", "Content-Length: 2", "Connection: close")
    with running(max_connections=1) as emulator, connect(emulator, asked + b"{") as first:
        until(lambda: len(emulator.requests) == 1)
        with connect(emulator, asked + b"{}") as second:
            second.settimeout(0.05)
            with pytest.raises(TimeoutError):
                second.recv(1)
            assert (1, 1) == (emulator.connections.accepted, len(emulator.requests))
            first.sendall(b"}")
            assert read_all(first).startswith(b"HTTP/1.1 400")
            second.settimeout(30)
            assert read_all(second).startswith(b"HTTP/1.1 400")


LOW = """\
import resource
from voyageai_emulator.__main__ import main

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
main([])
"""


@posix
def test_without_descriptors_the_emulator_goes_on_and_says_so_once() -> None:
    """asyncio's own server would log thousands of tracebacks a second, and answer nobody."""
    with subprocess.Popen(
        [sys.executable, "-c", LOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with ExitStack() as stack:
            for _ in range(300):
                stack.enter_context(connect(url, HALF))
            assert [200] * 3 == [ask(url) for _ in range(3)]
            process.terminate()
            _, errors = process.communicate(timeout=30)
    (said,) = errors.splitlines()
    assert "cannot accept more connections for now: Too many open files" in said


# Slow connections


class Clock:
    """A clock that the test moves, and that counts how often it is read."""

    def __init__(self) -> None:
        self.now = 0.0
        self._changed = threading.Condition()
        self._seen = 0

    def __call__(self) -> float:
        with self._changed:
            self._seen += 1
            self._changed.notify_all()
            return self.now

    def looked_at(self, times: int = 3) -> None:
        """Wait until the server has checked its connections several more times."""
        with self._changed:
            until = self._seen + times
            assert self._changed.wait_for(lambda: self._seen >= until, 30)

    def move(self, seconds: float) -> None:
        """Move the clock, and wait until the server has noticed."""
        self.now += seconds
        self.looked_at()


@pytest.fixture
def clocked() -> Iterator[tuple[Emulator, Clock]]:
    """An emulator that checks its connections continuously, with its clock."""
    clock = Clock()
    with serving(Server("127.0.0.1", 0, Settings(), monotonic=clock, tick=0.001)) as emulator:
        yield emulator, clock


@pytest.mark.parametrize("sent", [b"", HALF], ids=["nothing", "half a head"])
def test_a_head_that_does_not_come_ends_the_connection(
    clocked: tuple[Emulator, Clock], sent: bytes
) -> None:
    """A byte now and then does not extend the time limit."""
    url, clock = clocked
    with connect(url, sent) as sock:
        clock.looked_at()
        for _ in range(3):
            clock.move(connections.HEAD_SECONDS / 4)
            if sent:
                sock.sendall(b"a")
        assert 1 == url.connections.open
        clock.move(connections.HEAD_SECONDS / 2)
        assert b"" == read_all(sock)
    assert 200 == ask(url)


def test_a_connection_has_the_full_time_for_each_head(clocked: tuple[Emulator, Clock]) -> None:
    """A client may send any number of requests over one connection."""
    url, clock = clocked
    with httpx2.Client(headers=KEY) as http:
        for _ in range(4):
            assert 200 == http.post(f"{url}/embeddings", json=BODY).status_code
            clock.looked_at()
            clock.move(connections.HEAD_SECONDS / 2)
    assert 1 == url.connections.accepted
    asked = head("/nowhere", method="GET")
    with connect(url, asked) as sock:
        assert "404" in read_head(sock)
        sock.sendall(HALF)
        clock.looked_at()
        clock.move(connections.HEAD_SECONDS)
        assert read_all(sock).endswith(b"}")


def test_a_body_that_pauses_too_long_ends_the_connection(clocked: tuple[Emulator, Clock]) -> None:
    """A slow body is accepted as long as bytes keep arriving."""
    url, clock = clocked
    lines = ("Authorization: Bearer a", "Content-Length: 10")
    with connect(url, head("/embeddings", *lines)) as sock:
        for _ in range(4):
            sock.sendall(b"[")
            clock.looked_at()
            clock.move(connections.BODY_SECONDS - 1)
        sock.sendall(b"]")
        clock.looked_at()
        clock.move(connections.BODY_SECONDS)
        assert b"" == read_all(sock)
    assert 200 == ask(url)


# Bodies


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An emulator that accepts one key only."""
    with running(api_key="right") as emulator:
        yield emulator


@by_operation
def test_a_body_that_says_that_it_is_too_large_is_not_read(
    emulator: Emulator, operation: Any
) -> None:
    """The limit of an operation follows from the limits of its models."""
    lines = ["Authorization: Bearer right", "Content-Type: multipart/form-data; boundary=a"]
    most = (
        bodies.MAX_UPLOAD + bodies.FORM_OVERHEAD
        if operation.form
        else EmulatorState(Settings()).max_body(operation)
    )
    with connect(emulator, head(operation.path, *lines, f"Content-Length: {most + 1}")) as sock:
        assert "HTTP/1.1 413" in read_head(sock)
    assert 0 == emulator.requests.last.size


def test_a_body_of_untold_size_is_read_up_to_the_limit(emulator: Emulator) -> None:
    """A chunked body may never end."""
    sent = endless(emulator, "/batches", "Authorization: Bearer right", piece=b" " * 65_536)
    assert sent.answer.startswith(b"HTTP/1.1 413")
    assert emulator.requests.last.size <= bodies.BASE_BYTES + connections.MAX_DISCARDED


@attrs.frozen
class Sent:
    """The answer to an endless body, and the number of bytes sent."""

    answer: bytes
    size: int


def endless(url: str, path: str, *lines: str, piece: bytes) -> Sent:
    """Send chunks of a body until the connection is closed."""
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
    size = 0
    with connect(url, head(path, *lines, "Transfer-Encoding: chunked")) as sock:
        answer: list[bytes] = []
        reader = threading.Thread(target=lambda: answer.append(read_all(sock)))
        reader.start()
        try:
            while size < 100_000_000:
                sock.sendall(chunk)
                size += len(piece)
        except OSError:
            pass
        reader.join()
    return Sent(answer[0], size)


def test_what_the_models_take_decides_how_large_a_body_may_be() -> None:
    """A request that some model could answer is never refused for its size."""
    for model in MODELS.values():
        if model.endpoint is None or model.max_request_tokens is None:
            continue
        # Room for six-byte escapes of several characters per token.
        assert bodies.max_body([model]) >= model.max_request_tokens * 5 * len("\\u0430")
    nothing, small = bodies.max_body([]), bodies.max_body([find("voyage-4-large")])
    large, media = (
        bodies.max_body([find(name)]) for name in ("voyage-4-lite", "voyage-multimodal-3.5")
    )
    assert nothing < small < large < media
    assert large == bodies.max_body([find("voyage-4-large"), find("voyage-4-lite")])
    state = EmulatorState(Settings(models={"voyage-4-large": find("voyage-4-large")}))
    sizes = {operation.id: state.max_body(operation) for operation in OPERATIONS}
    assert (small, nothing) == (sizes["createEmbeddings"], sizes["createBatch"])


MOST = bodies.MAX_VALUES


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * (MOST // 2 + 1) + b"0]",
        b'["' + b'","' * (MOST + 1) + b'"]',
        b"[" * (MOST + 1),
        b'"' * (2 * MOST + 1) + b"," * (MOST + 1),
        b'["\\\\"' + b",[]" * MOST + b"]",
    ],
    ids=["empty lists", "empty texts", "depth", "quotes", "an escaped backslash before the quote"],
)
def test_a_body_of_too_many_values_is_not_decoded(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoding such a body would block all other threads for seconds."""

    def decoded(*_: Any, **__: Any) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(json, "loads", decoded)
    with pytest.raises(ApiError, match=f"up to {MOST} values") as caught:
        decode(body)
    assert 413 == caught.value.status


@pytest.mark.parametrize(
    ("item", "times"),
    [
        ("," * MOST + "[{" * MOST, 1),
        ('\\",\\\\' * MOST, 1),
        ([], MOST // 2 - 1),
        ({"type": "text", "text": "a"}, MOST // 4),
    ],
    ids=["separators in texts", "escapes in texts", "lists", "parts"],
)
def test_separators_count_only_outside_of_strings(item: Any, times: int) -> None:
    """A text about code has many brackets, but is one value."""
    body = [item] * times
    assert body == decode(json.dumps(body).encode())


def test_a_crowded_body_is_refused_and_its_record_not_decoded(emulator: Emulator) -> None:
    """Otherwise the recording would decode the body."""
    body = b'{"model": "voyage-4", "input": [' + b"[]," * MOST + b'""]}'
    headers = {"authorization": "Bearer right"}
    response = httpx2.post(f"{emulator}/embeddings", content=body, headers=headers)
    assert 413 == response.status_code
    last = emulator.requests.last
    assert (len(body), None) == (last.size, last.body)


def test_a_fault_does_not_wait_for_the_end_of_a_body(emulator: Emulator) -> None:
    """A planned fault must not allow a client to send more than otherwise."""
    emulator.faults.next("status", status=418)
    sent = endless(emulator, "/embeddings", piece=b" " * 65_536)
    assert sent.answer.startswith(b"HTTP/1.1 418")
    assert emulator.requests.last.size <= MAX_HELD + 65_536 + connections.MAX_DISCARDED


def test_a_fault_that_holds_a_part_gives_the_right_answer(emulator: Emulator) -> None:
    """The rest of the body is read for the answer, after the delay of the fault."""
    emulator.faults.next("delay", seconds=0.01)
    file = {"file": ("a.jsonl", b"x" * (MAX_HELD + 5_000_000))}
    headers = {"authorization": "Bearer right"}
    response = httpx2.post(
        f"{emulator}/files", files=file, data={"purpose": "batch"}, headers=headers, timeout=60
    )
    assert (200, MAX_HELD + 5_000_000) == (response.status_code, response.json()["bytes"])


# The key before the body


@by_operation
@pytest.mark.parametrize(
    ("key", "reason"),
    [([], "Unauthorized"), (["Authorization: Bearer wrong"], "Provided API key is invalid.")],
    ids=["no key", "a wrong key"],
)
@pytest.mark.parametrize(
    "size", ["Content-Length: 100000000", "Transfer-Encoding: chunked"], ids=["told", "chunked"]
)
def test_without_a_right_key_no_large_body_is_taken(
    emulator: Emulator, operation: Any, key: list[str], reason: str, size: str
) -> None:
    """A stranger can neither fill the disk nor keep the emulator busy."""
    kind = "Content-Type: multipart/form-data; boundary=a"
    with connect(emulator, head(operation.path, *key, kind, size)) as sock:
        assert "HTTP/1.1 401" in read_head(sock)
        assert reason.encode() in sock.recv(65_536)
        assert 0 == emulator.requests.last.size


def test_a_client_that_sends_on_after_the_answer_is_cut_off(emulator: Emulator) -> None:
    """The emulator must not read a hundred megabytes only to discard them."""
    sent = endless(emulator, "/files", piece=b"a" * 65_536)
    assert sent.answer.startswith(b"HTTP/1.1 401")
    # The operating system buffers an amount that the emulator can't limit.
    assert sent.size < 20_000_000
    assert 0 == emulator.requests.last.size


@by_operation
def test_expect_continue_is_answered_after_the_key_is_checked(
    emulator: Emulator, operation: Any
) -> None:
    """curl waits for this answer before each upload."""
    lines = ["Content-Length: 5", "Content-Type: multipart/form-data; boundary=a"]
    lines.append("Expect: 100-continue")
    with connect(emulator, head(operation.path, *lines)) as sock:
        assert "HTTP/1.1 401" in read_head(sock)
        with suppress(ConnectionError):
            # The client may still send its body, which must not be parsed as a request.
            sock.sendall(b"wrong" + head("/nothing", "Connection: close", method="GET"))
        assert b"HTTP/1.1" not in read_all(sock)
    lines += ["Authorization: Bearer right", "Connection: close"]
    with connect(emulator, head(operation.path, *lines)) as sock:
        assert "HTTP/1.1 100" in read_head(sock)
        sock.sendall(b"wrong")
        assert read_all(sock).startswith(b"HTTP/1.1 400")


def test_what_is_left_of_a_small_body_does_not_end_the_connection(emulator: Emulator) -> None:
    """A client that is answered before its body is complete can reuse the connection."""
    with connect(emulator, head("/nowhere", "Content-Length: 100000")) as sock:
        assert "HTTP/1.1 404" in read_head(sock)
        assert b"Not Found" in sock.recv(65_536)
        sock.sendall(b"a" * 100_000 + head("/nothing", "Connection: close", method="GET"))
        assert read_all(sock).startswith(b"HTTP/1.1 404")


# Stopping

ENDS = """\
import gc
import socket
from voyageai_emulator import running

for _ in range(30):
    with running() as emulator:
        host, port = emulator.origin.removeprefix("http://").split(":")
        socks = [socket.create_connection((host, int(port))) for _ in range(3)]
        socks[0].sendall(b"POST /v1/e")
        socks[1].sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
        socks[1].recv(10)
    for sock in socks:
        sock.close()
    gc.collect()
"""


def test_a_stop_closes_every_connection() -> None:
    """Under `-W error`, a connection left open would fail a later test."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", ENDS],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "" == ran.stderr


def test_an_answer_under_way_is_given_before_the_end() -> None:
    """Stopping the emulator does not fail requests that came before."""
    held = Server("127.0.0.1", 0, Settings(), grace=60)
    lines = ("Authorization: Bearer a", "Content-Length: 2")
    asked = head("/embeddings", *lines) + b"{"
    with serving(held) as url, connect(url) as idle, connect(url, asked) as sock:
        until(lambda: len(held.emulator.requests) == 1)
        held.stop()
        assert b"" == read_all(idle)
        sock.sendall(b"}")
        assert read_all(sock).startswith(b"HTTP/1.1 400")


def test_an_answer_on_its_way_is_sent_before_the_end() -> None:
    """A client that reads slowly gets the whole answer."""
    held = Server("127.0.0.1", 0, Settings(), grace=60)
    body = json.dumps({**BODY, "input": ["a"] * 1000, "output_dimension": 2048}).encode()
    lines = ("Authorization: Bearer a", f"Content-Length: {len(body)}")
    with serving(held) as url, connect(url, head("/embeddings", *lines) + body) as sock:
        until(lambda: len(held.emulator.requests) == 1 and held.emulator.requests.last.done)
        held.stop()
        _, _, size = read_head(sock).lower().partition("content-length: ")
        assert int(size.split()[0]) == len(read_all(sock)) > 10_000_000


def test_a_stop_takes_no_longer_than_its_grace(caplog: pytest.LogCaptureFixture) -> None:
    """Neither many requests nor endless ones delay the stop."""
    hanging = Server("127.0.0.1", 0, Settings(faults=["hang"]), grace=0.01)
    lines = ("Authorization: Bearer a", "Content-Length: 2")
    with ExitStack() as stack:
        with serving(hanging) as emulator:
            socks = [
                stack.enter_context(connect(emulator, head("/embeddings", *lines) + body))
                for body in (b"{", b"{}", b"{}")
            ]
            until(lambda: len(emulator.requests) == 3)
        assert [b""] * 3 == [read_all(sock) for sock in socks]
    (record,) = caplog.records
    assert "the emulator stops with 3 requests in progress" == record.message


def test_a_second_signal_ends_it_without_any_grace() -> None:
    """A user who presses Ctrl-C twice does not want to wait."""
    held = Server("127.0.0.1", 0, Settings(faults=["hang"]), grace=600)
    body = head("/embeddings", "Authorization: Bearer a", "Content-Length: 2") + b"{}"
    with serving(held) as url, connect(url, body) as sock:
        until(lambda: len(held.emulator.requests) == 1)
        for _ in range(2):
            held.handle_exit(signal.SIGINT, None)
        assert b"" == read_all(sock)


BUSY = """\
import socket
import threading
from voyageai_emulator import server
from voyageai_emulator.settings import Settings

server.GRACE = 0
silent = socket.create_server(("127.0.0.1", 0))
place = f"127.0.0.1:{silent.getsockname()[1]}"
part = '{"type": "image_url", "image_url": "http://%s/a.png"}' % place
body = '{"model": "voyage-multimodal-3.5", "inputs": [{"content": [%s]}]}' % part
head = "POST /v1/multimodalembeddings HTTP/1.1\\r\\nHost: a\\r\\nAuthorization: Bearer a\\r\\n"
asked = f"{head}Content-Length: {len(body)}\\r\\n\\r\\n{body}".encode()


def stop():
    served.ready.wait()
    port = int(served.emulator.origin.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(asked)
        held.append(silent.accept()[0])
        served.stop()
        served._ended.wait()


served = server.Server("127.0.0.1", 0, Settings(allow_hosts=[place]))
held = []
stopper = threading.Thread(target=stop)
stopper.start()
served.run()
stopper.join()
for thread in threading.enumerate():
    print(thread.name, thread.daemon)
held[0].close()
"""


def test_an_answer_that_is_still_made_does_not_keep_the_process() -> None:
    """A thread can't be killed, so the process must not wait for one."""
    ran = subprocess.run(
        [sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True, check=True
    )
    left = ran.stdout.splitlines()
    assert ["MainThread False"] == [line for line in left if line.endswith("False")]
    assert "AnyIO worker thread True" in left
