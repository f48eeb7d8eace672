"""Files and batch jobs through both clients, against the emulator."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio
import voyageai
import voyageai_emulator
from blockbuster import blockbuster_ctx
from voyageai import error
from voyageai.files import writing
from voyageai_emulator import Emulator

from tests.calls import at_calls

KEYS = count()
PARAMS = {"model": "voyage-4", "output_dimension": 256}
DAY = 86_400


def lines(number: int) -> list[dict[str, Any]]:
    """Return so many lines of a job."""
    return [
        {"custom_id": f"line-{n}", "body": {"input": [f"text {n}", "another"]}}
        for n in range(number)
    ]


class Face:
    """A client whose calls return results without `await`, whether it is sync or async.

    Asynchronous calls run on one event loop, as the connections belong to it.
    """

    def __init__(self, kind: str, emulator: Emulator, own: bool) -> None:
        self.asynchronous = kind == "AsyncClient"
        self._runner = asyncio.Runner()
        http: Any = None
        if not own:
            http = httpx2.AsyncClient() if self.asynchronous else httpx2.Client()
        self._http = http
        self.client: Any = getattr(voyageai, kind)(
            f"key-{next(KEYS)}",
            base_url=emulator,
            http_client=http,
            max_retries=voyageai.RetryPolicy(initial_delay=0),
        )
        self.files, self.batches = self.client.files, self.client.batches

    def get(self, value: Any) -> Any:
        """Return a result, awaited if necessary, or the list of what it iterates over."""

        async def wait() -> Any:
            if hasattr(value, "__aiter__"):
                return [item async for item in value]
            return await value

        if self.asynchronous:
            return self._runner.run(wait())
        return list(value) if hasattr(value, "__iter__") and not isinstance(value, bytes) else value

    def create(self, number: int, **fields: Any) -> Any:
        """Create a job of so many lines."""
        file = self.get(self.files.upload(lines(number)))
        arguments = {"endpoint": "/v1/embeddings", "request_params": PARAMS, **fields}
        return self.get(self.batches.create(input_file_id=file.id, **arguments))

    def wait(self, batch: Any, **options: Any) -> Any:
        """Wait for a job and return it."""
        return self.get(self.batches.wait(batch, poll=0.01, timeout=30, **options))

    def rows(self, file_id: str | None) -> list[Any]:
        """Return the lines of a file."""
        return [] if file_id is None else self.get(self.files.content(file_id).lines())

    def close(self) -> None:
        for each in (self.client, self._http):
            if each is not None:
                self.get(each.aclose()) if self.asynchronous else each.close()
        self._runner.close()


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An emulator for this module; each test has its own key, and thereby its own files."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture
def steered() -> Iterator[Emulator]:
    """An emulator that a test may control."""
    with voyageai_emulator.running() as found:
        yield found


KINDS = [("Client", True), ("AsyncClient", True), ("Client", False), ("AsyncClient", False)]


@pytest.fixture(params=KINDS, ids=["blocking", "asyncio", "httpx2", "httpx2-async"])
def face(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Face]:
    """Each client, with its own connections and with a user's HTTP client."""
    found = Face(request.param[0], emulator, request.param[1])
    yield found
    found.close()


@pytest.fixture(params=KINDS[:2], ids=["blocking", "asyncio"])
def steering(request: pytest.FixtureRequest, steered: Emulator) -> Iterator[Face]:
    """Each client, connected to the emulator that a test may control."""
    found = Face(request.param[0], steered, True)
    yield found
    found.close()


def test_a_job_from_lines_to_vectors(face: Face) -> None:
    """The test uploads, creates, waits, downloads and reads, as users do."""
    seen: list[Any] = []
    batch = face.wait(face.create(20, metadata={"run": "1"}), on_change=seen.append)
    rows = face.rows(batch.output_file_id)

    assert ("completed", 20, 1.0) == (batch.status, batch.request_counts.completed, batch.progress)
    assert batch == seen[-1]
    assert {line["custom_id"] for line in lines(20)} == {row["custom_id"] for row in rows}
    assert {2} == {len(row["response"]["body"]["data"]) for row in rows}
    assert [batch.id] == [found.id for found in face.get(face.batches.list())]
    assert "1" == batch.metadata["run"]
    output = face.get(face.files.retrieve(batch.output_file_id))
    assert "batch-output" == output.purpose
    assert output.bytes == len(face.get(face.files.content(output.id).read()))


def test_lists_go_through_pages(face: Face) -> None:
    """Small pages make the client request several of them."""
    for _ in range(5):
        face.get(face.files.upload(lines(1)))
    everything = [file.id for file in face.get(face.files.list())]
    assert everything == [file.id for file in face.get(face.files.list(limit=2))]
    assert everything[::-1] == [file.id for file in face.get(face.files.list(limit=2, order="asc"))]
    assert everything[3:] == [file.id for file in face.get(face.files.list(after=everything[2]))]
    page = face.get(face.files.list(limit=2).page())
    assert (2, True, everything[1]) == (len(page.data), page.has_more, page.last_id)
    assert [] == face.get(face.files.list(purpose="batch-error"))


def test_many_files_are_deleted_or_none(face: Face) -> None:
    """One id that does not exist keeps all other files."""
    first, second = (face.get(face.files.upload(lines(1))).id for _ in range(2))
    with pytest.raises(error.NotDeletedError) as raised:
        face.get(face.files.delete_many([first, "file-none", second]))
    assert (("file-none",), 200) == (raised.value.file_ids, raised.value.http_status)
    assert 2 == len(face.get(face.files.list()))
    face.get(face.files.delete_many([first, second]))
    with pytest.raises(error.NotFoundError):
        face.get(face.files.delete(first))
    assert [] == face.get(face.files.list())


def test_lines_that_the_server_refuses_are_in_the_job(face: Face) -> None:
    """The client can't check everything before the upload."""
    batch = face.wait(face.create(2, endpoint="/v1/rerank", request_params={"model": "rerank-2.5"}))
    assert ("failed", {1, 2}) == (batch.status, {error.line for error in batch.errors})
    assert {"invalid_request"} == {error.code for error in batch.errors}
    assert batch.is_done


def test_lines_that_fail_are_in_their_own_file(steering: Face, steered: Emulator) -> None:
    """The user can see which lines failed, and why."""
    steered.batches.fail("line-1", status=503, message="Service Unavailable")
    batch = steering.wait(steering.create(3))
    assert ("completed", 2, 1) == (
        batch.status,
        batch.request_counts.completed,
        batch.request_counts.failed,
    )
    assert {"line-0", "line-2"} == {r["custom_id"] for r in steering.rows(batch.output_file_id)}
    (row,) = steering.rows(batch.error_file_id)
    assert ("line-1", 503) == (row["custom_id"], row["response"]["status_code"])


def test_a_job_is_cancelled_while_it_is_waited_for(steering: Face, steered: Emulator) -> None:
    """Lines that did not run are in the error file."""
    steered.batches.hold("in_progress")
    batch = steering.create(3)
    with pytest.raises(error.Timeout, match=r"in_progress, 0 of 3 lines\) is not done after"):
        steering.get(steering.batches.wait(batch, poll=0.01, timeout=0.2))
    assert "cancelling" == steering.get(steering.batches.cancel(batch.id)).status
    steered.batches.release()
    batch = steering.wait(batch)
    assert ("cancelled", 3) == (batch.status, len(steering.rows(batch.error_file_id)))
    with pytest.raises(error.InvalidRequestError, match="cannot be cancelled"):
        steering.get(steering.batches.cancel(batch.id))


def test_a_job_that_misses_its_window_is_done_with_expired_lines(
    steering: Face, steered: Emulator
) -> None:
    """The API has no status for it, so users must look at the lines."""
    steered.batches.hold("in_progress")
    batch = steering.create(3)
    steered.batches.settle()
    steered.clock.advance(DAY)
    steered.batches.release()
    batch = steering.wait(batch)
    rows = steering.rows(batch.error_file_id)
    assert ("completed", {"batch_expired"}) == (
        batch.status,
        {row["error"]["code"] for row in rows},
    )
    assert batch.completed_at > batch.expected_completion_at


def test_a_file_is_gone_after_its_time(steering: Face, steered: Emulator) -> None:
    """Files are stored for thirty days, as their `expires_at` says."""
    file = steering.get(steering.files.upload(lines(1)))
    steered.clock.advance((file.expires_at - file.created_at).total_seconds() + 1)
    for call in (
        lambda: steering.files.retrieve(file.id),
        lambda: steering.files.content(file.id).lines(),
        lambda: steering.files.delete(file.id),
        lambda: steering.batches.create("/v1/embeddings", file.id, PARAMS),
    ):
        with pytest.raises(error.NotFoundError, match=file.id) as raised:
            steering.get(call())
        assert (404, True) == (raised.value.http_status, raised.value.request_id is not None)


def test_the_organizations_limit_is_an_error_of_its_own(steering: Face, steered: Emulator) -> None:
    """Waiting a few seconds would not help, so it is not treated as a rate limit."""
    steered.batches.hold("validating")
    steered.batches.limit(max_jobs_in_flight=1)
    steering.create(1)
    with pytest.raises(error.RateLimitError, match="wait 30 minutes") as raised:
        steering.create(1)
    assert not raised.value.outcome_unknown
    assert 1 == len(steering.get(steering.batches.list()))


CONTENT = "retrieveFileContent"
BREAKS = [
    ("truncated", {"share": 0.4}),
    ("truncated", {"share": 0.4, "chunked": True}),
    ("reset_during", {"share": 0.4}),
    ("close_headers", {}),
    ("status", {"status": 503}),
    ("reset_before", {}),
]


@pytest.mark.parametrize(("fault", "parameters"), BREAKS, ids=str)
def test_a_download_goes_on_where_it_broke(
    face: Face, emulator: Emulator, tmp_path: Path, fault: str, parameters: dict[str, Any]
) -> None:
    """The download resumes over a new connection after a real one broke."""
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines(5000))
    file = face.get(face.files.upload(content))
    emulator.requests.clear()
    emulator.faults.next("truncated", operation=CONTENT, share=0.5)
    emulator.faults.next(fault, operation=CONTENT, times=2, **parameters)
    path = face.get(face.files.content(file.id).write_to(tmp_path / "lines.jsonl"))

    assert content == path.read_bytes()
    asked = [request.headers.get("range") for request in emulator.requests.of(CONTENT)]
    assert (4, None) == (len(asked), asked[0])
    assert asked[1].startswith("bytes=")


KILLED = """
import asyncio, os, signal, sys
import voyageai

kind, url, key, file_id, path = sys.argv[1:]

def killed(received, total):
    if received > total // 2:
        os.kill(os.getpid(), signal.SIGKILL)

vo = getattr(voyageai, kind)(key, base_url=url)
written = vo.files.content(file_id).write_to(path, resume=True, progress=killed)
if kind == "AsyncClient":
    async def wait():
        await written
    asyncio.run(wait())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_download_goes_on_after_a_kill(steering: Face, steered: Emulator, tmp_path: Path) -> None:
    """Only the second half is downloaded."""
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines(20_000))
    file = steering.get(steering.files.upload(content))
    path = tmp_path / "lines.jsonl"
    kind, key = type(steering.client).__name__, steering.client.api_key
    command = [sys.executable, "-c", KILLED, kind, steered.url, key, file.id, str(path)]
    assert -9 == subprocess.run(command, check=False, timeout=60).returncode
    assert not path.exists()
    steered.requests.clear()
    steering.get(steering.files.content(file.id).write_to(path, resume=True))

    assert (content, [path]) == (path.read_bytes(), [*tmp_path.iterdir()])
    (request,) = steered.requests.of(CONTENT)
    assert len(content) // 2 - 10_000 < int(request.headers["range"][6:-1]) < len(content)


def test_an_upload_whose_answer_is_lost_is_not_repeated(face: Face, emulator: Emulator) -> None:
    """The upload may have succeeded, and `list` shows whether it did."""
    emulator.faults.next("truncated", operation="uploadFile", share=0.5)
    with pytest.raises(error.APIConnectionError, match=r"files\.list\(\)") as raised:
        face.get(face.files.upload(lines(3), filename="lost.jsonl", max_retries=3))
    assert (1, True) == (raised.value.attempts, raised.value.outcome_unknown)
    assert ["lost.jsonl"] == [file.filename for file in face.get(face.files.list())]


def test_a_job_whose_answer_is_lost_is_found_by_its_metadata(
    face: Face, emulator: Emulator
) -> None:
    """The job runs once, and is billed once."""
    emulator.faults.next("truncated", operation="createBatch", share=0.5)
    with pytest.raises(error.APIConnectionError, match=r"batches\.list\(\)") as raised:
        face.create(3, metadata={"run": "lost"})
    assert raised.value.outcome_unknown
    found = [batch for batch in face.get(face.batches.list()) if batch.metadata["run"] == "lost"]
    assert 1 == len(found)
    assert "completed" == face.wait(found[0]).status


def test_what_is_refused_is_tried_again(face: Face, emulator: Emulator) -> None:
    """A refused request has had no effect, so it is safe to repeat."""
    emulator.faults.next("rate_limited", operation="uploadFile")
    emulator.faults.next("rate_limited", operation="createBatch")
    file = face.get(
        face.files.upload(
            lines(3), max_retries=voyageai.RetryPolicy(max_retries=1, initial_delay=0)
        )
    )
    retries = voyageai.RetryPolicy(max_retries=1, initial_delay=0)
    created = face.batches.create("/v1/embeddings", file.id, PARAMS, max_retries=retries)
    assert "completed" == face.wait(face.get(created)).status
    assert 1 == len(face.get(face.batches.list()))


def test_polls_may_fail(steering: Face, steered: Emulator) -> None:
    """A wait of hours must survive failed polls."""
    batch = steering.create(3)
    for fault in ("reset_before", "unavailable", "rate_limited", "truncated"):
        steered.faults.next(fault, operation="retrieveBatch")
    assert "completed" == steering.wait(batch).status


def test_content_that_is_left_early_leaves_the_connections_usable(face: Face) -> None:
    """A caller that reads only the first line must not use up the connection pool."""
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines(20_000))
    file = face.get(face.files.upload(content))

    async def first() -> Any:
        async with face.files.content(file.id) as found:
            async for row in found.lines():
                return row
            raise AssertionError("there is one")

    for _ in range(120):  # more connections than the pool has
        row = face.get(first()) if face.asynchronous else next(face.files.content(file.id).lines())
        assert "line-0" == row["custom_id"]


def test_the_event_loop_is_never_blocked(emulator: Emulator, tmp_path: Path) -> None:
    """Reading and writing files must not block other tasks either."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines(2000)))

    content = path.read_bytes()

    async def call() -> None:
        client = voyageai.AsyncClient(api_key=f"key-{next(KEYS)}", base_url=emulator)
        with blockbuster_ctx():
            for source in (path, iter(lines(2000)), content):
                file = await client.files.upload(source)
                await client.files.content(file.id).write_to(tmp_path / "back.jsonl")
            batch = await client.batches.create("/v1/embeddings", file.id, PARAMS)
            await client.batches.cancel(batch.id)
        await client.aclose()

    asyncio.run(call())


def test_trio_works_too(emulator: Emulator, tmp_path: Path) -> None:
    """Users of trio can upload and download with the asynchronous client."""

    async def call() -> list[Any]:
        async with voyageai.AsyncClient(f"key-{next(KEYS)}", base_url=emulator) as vo:
            file = await vo.files.upload(lines(3))
            batch = await vo.batches.create("/v1/embeddings", file.id, PARAMS)
            batch = await vo.batches.wait(batch, poll=0.01)
            await vo.files.content(batch.output_file_id).write_to(tmp_path / "output.jsonl")
            return [row async for row in vo.files.content(batch.output_file_id).lines()]

    assert 3 == len(trio.run(call))


MEASURE = """
import asyncio, sys
import voyageai

kind, url, folder = sys.argv[1:]
source, target = f"{folder}/lines.jsonl", f"{folder}/{kind}.jsonl"

def peak():
    # Of this program alone; that of `resource` begins with that of the one that started it.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

def grown(before):
    return peak() - before

def blocking():
    with voyageai.Client("any", base_url=url) as vo:
        small = vo.files.upload([{"custom_id": "a", "body": {"input": "a"}}])
        vo.files.content(small.id).write_to(target)
        before = peak()
        file = vo.files.upload(source)
        up = grown(before)
        vo.files.content(file.id).write_to(target)
        rows = sum(1 for row in vo.files.content(file.id).lines())
        return up, grown(before), rows

async def looping():
    async with voyageai.AsyncClient("any", base_url=url) as vo:
        small = await vo.files.upload([{"custom_id": "a", "body": {"input": "a"}}])
        await vo.files.content(small.id).write_to(target)
        before = peak()
        file = await vo.files.upload(source)
        up = grown(before)
        await vo.files.content(file.id).write_to(target)
        rows = 0
        async for row in vo.files.content(file.id).lines():
            rows += 1
        return up, grown(before), rows

print(*(blocking() if kind == "Client" else asyncio.run(looping())))
"""
SIZE = 30_000_000
MOST = 8_000  # KiB


@pytest.mark.skipif(sys.platform != "linux", reason="others do not tell the peak")
def test_files_are_never_whole_in_memory(tmp_path: Path) -> None:
    """A file may be larger than memory."""
    text = "word " * 400
    number = 0
    source = tmp_path / "lines.jsonl"
    with source.open("wb") as file:
        while file.tell() < SIZE:
            line = {"custom_id": f"line-{number}", "body": {"input": [text]}}
            file.write(json.dumps(line).encode() + b"\n")
            number += 1
    command = [sys.executable, "-m", "voyageai_emulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            for kind in ("Client", "AsyncClient"):
                done = subprocess.run(
                    [sys.executable, "-c", MEASURE, kind, url, str(tmp_path)],
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=300,
                )
                assert 0 == done.returncode, done.stderr
                up, both, rows = map(int, done.stdout.split())
                assert (up < MOST, both < MOST, number) == (True, True, rows), (up, both)
                assert source.read_bytes() == (tmp_path / f"{kind}.jsonl").read_bytes()
        finally:
            server.terminate()


FILE = writing.AtomicFile


@pytest.mark.parametrize("step", [FILE.open, FILE.write, FILE.complete])
def test_a_download_that_is_cancelled_leaves_nothing_behind(
    emulator: Emulator, tmp_path: Path, step: Any
) -> None:
    """The thread that writes goes on for a moment, and must not leave a file or lock behind."""
    begun, may_end = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        begun.set()
        assert may_end.wait(30)

    async def call() -> None:
        async with voyageai.AsyncClient(f"key-{next(KEYS)}", base_url=emulator) as vo:
            file = await vo.files.upload(lines(3))
            content = vo.files.content(file.id)
            task = asyncio.create_task(content.write_to(tmp_path / "lines.jsonl"))
            await asyncio.to_thread(begun.wait)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=0.05)
            may_end.set()
            assert not done
            with pytest.raises(asyncio.CancelledError):
                await task

    with at_calls(step, act=wait):
        asyncio.run(call())
    assert begun.is_set()
    assert [] == [path.name for path in tmp_path.iterdir() if path.name != "lines.jsonl"]
