"""The requests and connections that the emulator records."""

from __future__ import annotations

import copy
import json
import os
import pickle
import statistics
import sys
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
import voyageai_emulator
from voyageai_emulator import running
from voyageai_emulator.emulator import Emulator
from voyageai_emulator.recording import RecordedRequest, RecordedRequests, RecordFile, fingerprint
from voyageai_rest.models import EmbeddingsRequest, RerankRequest

from tests.emulator.http_helpers import (
    KEY,
    RANKING,
    TEXTS,
    admin,
    connect,
    message,
    post,
    receive_all,
    until,
)

SECRET = "pa-a-key-that-nobody-may-see"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A new emulator for each test."""
    with running() as emulator:
        yield emulator


def scope(body: str = "/v1/embeddings") -> dict[str, Any]:
    """Return the ASGI scope of a request."""
    return {"method": "POST", "path": body, "query_string": b"", "headers": []}


# Requests


def test_a_request_is_recorded_with_all_there_is_to_know(emulator: Emulator) -> None:
    """A test can check everything that a program sent."""
    response = post(emulator, headers={"x-of-mine": "1"})
    last = emulator.requests.last
    assert EmbeddingsRequest.from_dict(TEXTS) == last.model
    assert TEXTS == last.body == json.loads(last.raw)
    assert ("createEmbeddings", "POST", "/v1/embeddings") == (
        last.operation,
        last.method,
        last.path,
    )
    assert (200, response.json()["usage"]["total_tokens"]) == (last.status, last.tokens)
    assert response.headers["x-request-id"] == last.id
    assert "1" == last.headers["x-of-mine"]
    assert (1, len(response.request.content)) == (last.number, last.size)
    assert last.duration is not None
    assert last.duration > 0
    assert (True, False, None) == (last.done, last.disconnected, last.fault)
    assert "<request 1: POST /v1/embeddings, status 200>" == repr(last)
    assert "[200]" == repr([last.status])


def test_a_record_is_complete_when_the_answer_is_there(emulator: Emulator) -> None:
    """No test has to wait for the record of an answered request."""
    with httpx2.Client(headers=KEY) as http:
        for number in range(1, 101):
            http.post(f"{emulator}/embeddings", json=TEXTS)
            last = emulator.requests.last
            assert (number, True, 200) == (last.number, last.done, last.status)


def test_requests_that_are_refused_are_recorded_too(emulator: Emulator) -> None:
    """A user can look up why a request was refused."""
    post(emulator, {**TEXTS, "model": "no-such"})
    httpx2.post(f"{emulator}/embeddings", content=b"{", headers=KEY)
    httpx2.post(f"{emulator}/embeddings", content=b'{"input": NaN}', headers=KEY)
    httpx2.get(f"{emulator}/nowhere?a=b")
    httpx2.get(f"{emulator}/files/file-1", headers=KEY)
    unknown, broken, not_json, nowhere, file = emulator.requests
    assert (400, None, EmbeddingsRequest) == (unknown.status, unknown.tokens, type(unknown.model))
    assert (400, b"{", None, None) == (broken.status, broken.raw, broken.body, broken.model)
    assert (None, None) == (not_json.body, not_json.model)
    assert (404, None, "a=b") == (nowhere.status, nowhere.operation, nowhere.query)
    assert ("retrieveFile", None) == (file.operation, file.model)


def test_a_body_that_does_not_fit_has_no_model(emulator: Emulator) -> None:
    """The record still has the body as JSON."""
    post(emulator, {"input": 5})
    assert ({"input": 5}, None) == (emulator.requests.last.body, emulator.requests.last.model)


def test_the_fault_and_what_came_of_it_are_recorded(emulator: Emulator) -> None:
    """Tests of retries count the attempts and their outcome."""
    emulator.faults.next("reset_before")
    emulator.faults.next("status", status=429)
    emulator.faults.next("missing_usage")
    with pytest.raises(httpx2.ReadError):
        post(emulator)
    post(emulator)
    post(emulator)
    reset, limited, altered = emulator.requests
    assert ("reset_before", None, False) == (str(reset.fault), reset.status, reset.disconnected)
    assert TEXTS == reset.body == limited.body
    assert ("status; status=429", 429) == (str(limited.fault), limited.status)
    assert "<request 2: POST /v1/embeddings, status 429, status; status=429>" == repr(limited)
    assert (200, True) == (altered.status, (altered.tokens or 0) > 0)


def test_a_client_that_goes_away_is_noticed(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that leaves before it has sent or received all causes no error."""
    with connect(emulator) as sock:
        sock.sendall(message()[:-5])
        until(lambda: len(emulator.requests) == 1 and emulator.requests.last.size > 0)
    assert 0 == emulator.requests.settle()
    emulator.faults.next("hang")
    with connect(emulator) as sock:
        sock.sendall(message())
        until(lambda: len(emulator.requests) == 2)
    assert 0 == emulator.requests.settle()
    assert 0 == emulator.connections.settle()
    assert [(True, None), (True, None)] == [(r.disconnected, r.status) for r in emulator.requests]
    assert "" == caplog.text


def test_the_key_is_not_kept(emulator: Emulator, tmp_path: Path) -> None:
    """Records are printed, written and shown."""
    file = tmp_path / "requests.jsonl"
    credentials = {
        "authorization": f"Bearer {SECRET}",
        "proxy-authorization": f"Basic {SECRET}",
        "cookie": SECRET,
        "x-api-key": SECRET,
        "x-amz-security-token": SECRET,
        "x-portkey-api-key": SECRET,
        "cf-aig-authorization": f"Bearer {SECRET}",
    }
    with running(record=file) as other:
        for base in (emulator, other):
            httpx2.post(f"{base}/embeddings", json=TEXTS, headers=credentials)
        last = other.requests.last
        assert fingerprint(SECRET) == last.key
        assert SECRET[-4:] not in (last.key or "")
        seen = [
            repr(vars(last)),
            repr(other.requests),
            json.dumps(last.as_json()),
            admin(other, "GET", "/requests").text,
            file.read_text(),
        ]
        assert not [text for text in seen if SECRET in text]
        assert "hidden" == last.headers["authorization"] == last.headers["cookie"]
    httpx2.post(f"{emulator}/embeddings", json=TEXTS)
    assert emulator.requests.last.key is None
    assert "authorization" not in emulator.requests.last.headers


# Requests as a sequence


def test_requests_are_a_sequence(emulator: Emulator) -> None:
    """Tests index, slice, count and iterate over requests."""
    assert [] == list(emulator.requests)
    with pytest.raises(LookupError, match="no request has been recorded"):
        _ = emulator.requests.last
    post(emulator)
    post(emulator, RANKING, "/rerank")
    assert (2, "<2 requests>") == (len(emulator.requests), repr(emulator.requests))
    assert emulator.requests[-1] is emulator.requests.last is emulator.requests[1:][0]
    ranking = emulator.requests.of("rerank")
    assert [RerankRequest.from_dict(RANKING)] == [request.model for request in ranking]
    assert [] == emulator.requests.of("listFiles")
    with pytest.raises(ValueError, match="no operation 'rank'"):
        emulator.requests.of("rank")
    emulator.requests.clear()
    assert 0 == len(emulator.requests)
    post(emulator)
    assert 3 == emulator.requests.last.number


def test_looking_through_requests_copies_them_once() -> None:
    """A copy for each of 10,000 requests would be 100 million, while the emulator waits."""
    copies = 0

    class Counted(RecordedRequests):
        def __getitem__(self, index: Any) -> Any:
            nonlocal copies
            copies += 1
            return super().__getitem__(index)

    requests = Counted()
    for _ in range(5):
        requests.begin(scope(), None).finish()
    assert [1, 2, 3, 4, 5] == [request.number for request in requests]
    assert 1 == copies


def test_the_oldest_requests_are_dropped() -> None:
    """An emulator may run for months."""
    requests = RecordedRequests(limit=3)
    for _ in range(5):
        requests.begin(scope(), None).finish()
    assert [3, 4, 5] == [request.number for request in requests]


def test_the_oldest_bodies_are_forgotten() -> None:
    """Bodies may have megabytes, while the count of requests stays correct."""
    requests = RecordedRequests(max_bytes=10)
    for _ in range(3):
        record = requests.begin(scope(), "createEmbeddings")
        record.add(b'{"a"')
        record.add(b":1}")
        record.finish()
    assert [None, None, {"a": 1}] == [request.body for request in requests]
    assert [7, 7, 7] == [request.size for request in requests]


def test_time_is_passed_in() -> None:
    """A test of a whole minute takes no time."""
    with running(clock=lambda: 1000.0) as emulator:
        for _ in range(3):
            post(emulator)
            emulator.clock.advance(1)
        assert [1000, 1001, 1002] == [request.time for request in emulator.requests]
    timer = count()
    requests = RecordedRequests(timer=lambda: next(timer))
    record = requests.begin(scope(), None)
    record.finish()
    assert 1 == record.duration


def test_many_threads_are_recorded_once_each(emulator: Emulator) -> None:
    """No request is lost or counted twice."""

    def ask() -> None:
        with httpx2.Client(headers=KEY) as http:
            for _ in range(20):
                http.post(f"{emulator}/embeddings", json=TEXTS)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    seen = 0
    while any(thread.is_alive() for thread in threads):
        numbers = [request.number for request in emulator.requests]
        assert list(range(1, len(numbers) + 1)) == numbers
        assert seen <= len(numbers)
        seen = len(numbers)
    assert list(range(1, 161)) == [request.number for request in emulator.requests]
    assert {200} == {request.status for request in emulator.requests}


# Written recordings


def test_requests_are_lines_of_json_in_a_file(tmp_path: Path) -> None:
    """Programs in any language can read the file, also later."""
    file = tmp_path / "requests.jsonl"
    for _ in range(2):
        with running(record=file) as emulator:
            post(emulator)
            post(emulator, RANKING, "/rerank", headers={"x-emulator-fault": "gone"})
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [200, 410, 200, 410] == [line["status"] for line in lines]
    assert [None, "gone"] == [line["fault"] for line in lines[:2]]
    assert (TEXTS, RANKING) == (lines[0]["body"], lines[1]["body"])
    with pytest.raises(OSError, match="Is a directory"), running(record=tmp_path):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
@pytest.mark.parametrize("umask", [0, 0o777])
@pytest.mark.parametrize("there", [True, False])
def test_only_its_user_can_read_a_recording(tmp_path: Path, umask: int, there: bool) -> None:
    """The file holds the bodies of requests."""
    file = tmp_path / "requests.jsonl"
    if there:
        file.touch(0o644)
    old = os.umask(umask)
    try:
        RecordFile(file).close()
    finally:
        os.umask(old)
    assert "0o600" == oct(file.stat().st_mode & 0o777)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_ends_the_recording_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """The problem is logged once, and requests are still answered."""
    with running(record="/dev/full") as emulator:
        for _ in range(2):
            assert 200 == post(emulator).status_code
        assert 0 == emulator.requests.settle()
    (record,) = caplog.records
    assert "requests are no longer recorded in /dev/full: No space left" in record.message


def test_requests_are_lines_of_json_by_the_admin_route(emulator: Emulator) -> None:
    """The route returns all requests, those of an operation, or those after a number."""

    def shown(query: str = "") -> list[int]:
        response = admin(emulator, "GET", f"/requests{query}")
        assert "application/x-ndjson" == response.headers["content-type"]
        return [json.loads(line)["number"] for line in response.text.splitlines()]

    for body, path in [(TEXTS, "/embeddings"), (RANKING, "/rerank"), (TEXTS, "/embeddings")]:
        post(emulator, body, path)
    assert [1, 2, 3] == shown()
    assert [2] == shown("?operation=rerank")
    assert [3] == shown("?operation=createEmbeddings&after=1")
    assert 400 == admin(emulator, "GET", "/requests?operation=rank").status_code
    assert 400 == admin(emulator, "GET", "/requests?after=x").status_code
    assert [] == admin(emulator, "DELETE", "/requests").text.splitlines()
    assert 0 == len(emulator.requests)


# Connections


def test_connections_are_counted(emulator: Emulator) -> None:
    """A test can detect a client that leaks connections."""
    connections = emulator.connections
    assert (0, 0) == (connections.open, connections.accepted)
    with httpx2.Client() as http:
        for _ in range(3):
            http.post(f"{emulator}/embeddings", json=TEXTS, headers=KEY)
        assert (1, 1) == (connections.open, connections.accepted)
        with connect(emulator) as sock:
            sock.sendall(message(headers="connection: close\r\n"))
            receive_all(sock)
        assert 1 == connections.settle(1)
        assert 1 == connections.settle(0, timeout=0.01)
    assert 0 == connections.settle()
    assert 2 == connections.accepted


# The `Emulator` object


def test_an_emulator_is_its_url(emulator: Emulator) -> None:
    """The object can be passed wherever a base URL is expected."""
    assert isinstance(emulator, str)
    assert f"{emulator.origin}/v1" == emulator == emulator.url == str(emulator)
    assert str is type(emulator.url) is type(copy.copy(emulator))
    assert emulator == pickle.loads(pickle.dumps(emulator))
    assert httpx2.URL(emulator) == httpx2.URL(emulator.url)


def test_types_for_annotations_can_be_imported_from_the_package() -> None:
    """Fixtures of other projects are annotated with them."""
    assert Emulator is voyageai_emulator.Emulator
    types = {"Emulator", "Fault", "FaultPlan", "InProcessEmulator"}
    assert types | {"in_process", "running"} == set(voyageai_emulator.__all__)
    assert all(hasattr(voyageai_emulator, name) for name in voyageai_emulator.__all__)
    assert not hasattr(voyageai_emulator, "Faults")


def test_recording_costs_little() -> None:
    """Recording takes less than a twentieth of the time of the smallest request."""
    requests = RecordedRequests(["createEmbeddings"])
    headers = [(b"host", b"emulator"), (b"authorization", b"Bearer any")] + [
        (f"x-{number}".encode(), b"value") for number in range(8)
    ]
    one = {**scope(), "headers": headers}

    def record() -> float:
        begun = requests._timer()
        for _ in range(1000):
            entry: RecordedRequest = requests.begin(one, "createEmbeddings")
            entry.add(b"x" * 100)
            entry.set_status(200)
            entry.finish()
        return (requests._timer() - begun) / 1000

    with running() as emulator, httpx2.Client(headers=KEY) as http:
        small = {"input": "a", "model": "voyage-4", "encoding_format": "base64"}
        for _ in range(200):
            http.post(f"{emulator}/embeddings", json=small)
        whole = statistics.median(request.duration or 0 for request in emulator.requests)
    assert min(record() for _ in range(5)) < whole / 20
