"""The effect of each fault over real sockets."""

from __future__ import annotations

import base64
import json
import math
import struct
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from voyageai_emulator import running
from voyageai_emulator.emulator import Emulator
from voyageai_emulator.faults import FAULTS, Fault, body_faults
from voyageai_emulator.faults.wire_faults import STATUSES

from tests.emulator.contract_client import DOCUMENT, check
from tests.emulator.http_helpers import (
    BASE64,
    DOCUMENTS,
    KEY,
    RANKING,
    TEXTS,
    connect,
    message,
    post,
    receive_all,
    until,
)


@pytest.fixture(scope="module")
def running_emulator() -> Iterator[Emulator]:
    """An emulator for all tests of this module."""
    with running() as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: Emulator) -> Iterator[Emulator]:
    """The module's emulator, with no planned faults and no recorded requests."""
    running_emulator.requests.clear()
    yield running_emulator
    assert [] == running_emulator.faults.as_json()
    assert 0 == running_emulator.requests.settle()
    assert 0 == running_emulator.connections.settle()


def vectors(body: dict[str, Any]) -> list[list[float]]:
    """Return the vectors of an answer by index."""
    ordered = sorted(body["data"], key=lambda item: item["index"])
    return [item["embedding"] for item in ordered]


# The contract


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        ("EmbeddingsResponse", {body_faults.DATA, body_faults.MODEL, body_faults.USAGE}),
        (
            "ContextualizedEmbeddingsResponse",
            {body_faults.DATA, body_faults.MODEL, body_faults.USAGE},
        ),
        ("MultimodalEmbeddingsResponse", {body_faults.DATA, body_faults.MODEL, body_faults.USAGE}),
        ("RerankResponse", {body_faults.DATA, body_faults.MODEL, body_faults.USAGE}),
        ("Embedding", {body_faults.EMBEDDING, body_faults.INDEX}),
        ("DocumentEmbeddings", {body_faults.DATA, body_faults.INDEX}),
        ("ChunkEmbedding", {body_faults.EMBEDDING, body_faults.INDEX}),
        ("RerankResult", {body_faults.SCORE, body_faults.INDEX}),
    ],
)
def test_the_fields_that_faults_alter_are_the_contracts(schema: str, fields: set[str]) -> None:
    """A fault that alters a renamed field would have no effect."""
    assert fields <= set(DOCUMENT["components"]["schemas"][schema]["properties"])


# Statuses


@pytest.mark.parametrize(("name", "status"), STATUSES.items())
def test_a_status_comes_in_the_apis_shape(emulator: Emulator, name: str, status: int) -> None:
    """Clients read the reason from `detail` and the request id from a header, as for any error."""
    emulator.faults.next(name)
    response = post(emulator)
    assert status == response.status_code
    check("#/components/schemas/Error", response.json())
    assert emulator.requests.last.id == response.headers["x-request-id"]
    assert "retry-after" not in response.headers


def test_a_status_brings_the_headers_and_words_that_it_is_told(emulator: Emulator) -> None:
    """Users can test code that follows the server's advice on when to retry."""
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    emulator.faults.next("status", status=429, retry_after=2, should_retry=True, detail="No.")
    emulator.faults.next("overloaded", retry_after_ms=1.5, should_retry=False, code="BUSY")
    emulator.faults.next(f"rate_limited; retry_after={date}")
    first, second, third = (post(emulator) for _ in range(3))
    assert (429, {"detail": "No."}) == (first.status_code, first.json())
    assert ("2", "true") == (first.headers["retry-after"], first.headers["x-should-retry"])
    assert (529, "BUSY") == (second.status_code, second.json()["error_code"])
    assert "1.5" == second.headers["retry-after-ms"]
    assert "false" == second.headers["x-should-retry"]
    assert date == third.headers["retry-after"]


def test_a_header_is_one_line_whatever_it_is_told(emulator: Emulator) -> None:
    """A line break in a header would break the connection."""
    response = post(emulator.faulty("status", status=503, retry_after="1\r\nx-other: 2"))
    assert (503, "1  x-other: 2") == (response.status_code, response.headers["retry-after"])
    assert "x-other" not in response.headers


def test_a_status_without_a_body_has_none(emulator: Emulator) -> None:
    """204 is a success that holds no vectors."""
    emulator.faults.next("status", status=204)
    response = post(emulator)
    assert (204, b"") == (response.status_code, response.content)


# Answers as a whole


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_of_html_comes_under_any_status(emulator: Emulator, status: int) -> None:
    """Gateways answer with HTML, sometimes under a status of success."""
    emulator.faults.next("html", status=status)
    response = post(emulator)
    assert status == response.status_code
    assert "text/html; charset=utf-8" == response.headers["content-type"]
    assert "<html>" in response.text


@pytest.mark.parametrize("status", [200, 500])
def test_a_body_can_be_empty(emulator: Emulator, status: int) -> None:
    """A JSON parser fails on an empty body."""
    emulator.faults.next("empty", status=status)
    response = post(emulator)
    assert (status, b"") == (response.status_code, response.content)


def test_json_can_be_of_another_shape(emulator: Emulator) -> None:
    """Code that indexes a value of another type raises unexpected errors."""
    emulator.faults.next("json_list")
    emulator.faults.next("detail_list")
    success, failure = post(emulator), post(emulator)
    assert (200, list) == (success.status_code, type(success.json()))
    assert (422, list) == (failure.status_code, type(failure.json()["detail"]))


def test_headers_can_be_wrong_about_the_right_body(emulator: Emulator) -> None:
    """The body is unchanged, and only its headers are wrong."""
    right = post(emulator).json()
    emulator.faults.next("content_type")
    emulator.faults.next("content_type", type="")
    other, none = post(emulator), post(emulator)
    assert (right, "text/plain") == (other.json(), other.headers["content-type"])
    assert right == none.json()
    assert "content-type" not in none.headers


def test_a_body_can_be_said_to_be_compressed(emulator: Emulator) -> None:
    """The HTTP library's decompression fails, before JSON is parsed."""
    emulator.faults.next("bad_gzip")
    with pytest.raises(httpx2.DecodingError):
        post(emulator)


def test_a_body_can_be_broken_text(emulator: Emulator) -> None:
    """The text is truncated or not UTF-8, although the HTTP response is complete."""
    right = post(emulator).content
    emulator.faults.next("invalid_utf8")
    emulator.faults.next("cut_json", share=0.25)
    invalid, cut = post(emulator).content, post(emulator).content
    with pytest.raises(UnicodeDecodeError):
        invalid.decode()
    assert json.loads(invalid.decode("utf-8", "replace"))["data"] == json.loads(right)["data"]
    assert right[: len(right) // 4] == cut


def test_a_header_can_be_huge(emulator: Emulator) -> None:
    """HTTP libraries refuse it with errors of their own."""
    emulator.faults.next("huge_header", size=1000)
    assert 1000 == len(post(emulator).headers["x-emulator-padding"])
    emulator.faults.next("huge_header")
    with pytest.raises(httpx2.RemoteProtocolError):
        post(emulator)


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_keeps_the_path(emulator: Emulator, status: int) -> None:
    """It shows whether a client sends its key to the other host."""
    with running() as elsewhere:
        emulator.faults.next("redirect", status=status, to=elsewhere.origin)
        response = httpx2.post(f"{emulator}/embeddings?a=b", json=TEXTS)
        assert status == response.status_code
        assert f"{elsewhere}/embeddings?a=b" == response.headers["location"]


# Contents


def test_base64_can_be_bad(emulator: Emulator) -> None:
    """Neither strict nor lax decoders accept it, and the other vectors stay valid."""
    emulator.faults.next("bad_base64", times=2)
    written = post(emulator, BASE64).json()["data"]
    assert 1024 == len(base64.b64decode(written[0]["embedding"], validate=True))
    for validate in (True, False):
        with pytest.raises(ValueError, match=r"base64|padding|characters"):
            base64.b64decode(written[-1]["embedding"], validate=validate)
    assert isinstance(post(emulator).json()["data"][-1]["embedding"], str)


def test_one_vector_can_have_another_dimension(emulator: Emulator) -> None:
    """It is the last vector of the answer, as list or as base64."""
    emulator.faults.next("wrong_dimension", times=3)
    lists = post(emulator).json()["data"]
    assert [256, 255] == [len(item["embedding"]) for item in lists]
    encoded = post(emulator, BASE64).json()["data"]
    assert [1024, 1020] == [len(base64.b64decode(item["embedding"])) for item in encoded]
    nested = post(emulator, DOCUMENTS, "/contextualizedembeddings").json()["data"]
    assert 255 == len(nested[-1]["data"][-1]["embedding"])


def test_a_number_can_be_nan(emulator: Emulator) -> None:
    """A NaN in a vector index spoils every search."""
    emulator.faults.next("nan", times=3)
    assert math.isnan(post(emulator).json()["data"][-1]["embedding"][0])
    encoded = post(emulator, BASE64).json()["data"][-1]["embedding"]
    assert math.isnan(struct.unpack("<f", base64.b64decode(encoded)[:4])[0])
    assert math.isnan(post(emulator, RANKING, "/rerank").json()["data"][-1]["relevance_score"])


@pytest.mark.parametrize(
    ("fault", "indexes"),
    [
        ("missing_index", [0, None]),
        ("repeated_index", [0, 0]),
        ("wrong_index; index=7", [0, 7]),
        ("shuffled", [1, 0]),
        ("missing_item", [0]),
        ("extra_item", [0, 1, 2]),
    ],
)
def test_items_can_be_in_disorder(
    emulator: Emulator, fault: str, indexes: list[int | None]
) -> None:
    """The fault can apply to each nested list of the answer."""
    emulator.faults.next(fault, times=2)
    flat = post(emulator).json()["data"]
    assert indexes == [item.get("index") for item in flat]
    documents = post(emulator, DOCUMENTS, "/contextualizedembeddings").json()["data"]
    assert indexes == [item.get("index") for item in documents]
    if fault != "shuffled":  # `shuffled` always applies to all levels
        emulator.faults.next(fault, inner=True)
        documents = post(emulator, DOCUMENTS, "/contextualizedembeddings").json()["data"]
        assert [0, 1] == [item["index"] for item in documents]
        assert indexes == [item.get("index") for item in documents[0]["data"]]


def test_shuffled_answers_are_still_right(emulator: Emulator) -> None:
    """The indexes still say which vector belongs to which text."""
    right = post(emulator).json()
    emulator.faults.next("shuffled")
    shuffled = post(emulator).json()
    assert right["data"] != shuffled["data"]
    assert vectors(right) == vectors(shuffled)


def test_fields_can_be_more_fewer_or_other(emulator: Emulator) -> None:
    """Servers add fields and models, and a strict client must not fail on them."""
    for fault in ("missing_data", "missing_usage", "extra_fields", "other_model; name=new"):
        emulator.faults.next(fault)
    no_data, no_usage, more, other = (post(emulator).json() for _ in range(4))
    assert {"object", "model", "usage"} == set(no_data)
    assert {"object", "model", "data"} == set(no_usage)
    assert more["x_unheard_of"] == more["data"][0]["x_unheard_of"]
    assert "new" == other["model"]


def test_an_answer_with_no_place_for_a_fault_is_left_alone(emulator: Emulator) -> None:
    """The recording shows that the fault did not happen."""
    right = post(emulator, RANKING, "/rerank").json()
    emulator.faults.next("bad_base64", times=2)
    assert right == post(emulator, RANKING, "/rerank").json()
    assert emulator.requests.last.fault is None
    assert 400 == post(emulator, {**TEXTS, "input": []}).status_code
    assert emulator.requests.last.fault is None


# Connections


@pytest.mark.parametrize(
    ("fault", "reset", "least", "most"),
    [
        ("reset_before", True, 0, 0),
        ("reset_during", True, 0.4, 0.6),
        ("close_before", False, 0, 0),
        ("close_headers", False, 0, 0),
        ("truncated; share=0.75", False, 0.7, 0.8),
        ("truncated; share=1", False, 0.9, 0.9999),
    ],
)
def test_a_connection_can_end_too_soon(
    emulator: Emulator, fault: str, reset: bool, least: float, most: float
) -> None:
    """A reset loses data in transit, and a close looks like the end of the answer."""
    emulator.faults.next(fault)
    with connect(emulator) as sock:
        sock.sendall(message())
        received, was_reset = receive_all(sock)
    assert reset == was_reset
    head, _, body = received.partition(b"\r\n\r\n")
    assert ("before" in fault) == (head == b"")
    if head:
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert least <= len(body) / length <= most


def test_a_body_in_chunks_can_end_too_soon(emulator: Emulator) -> None:
    """The last chunk is missing."""
    emulator.faults.next("truncated", chunked=True)
    with connect(emulator) as sock:
        sock.sendall(message())
        received, was_reset = receive_all(sock)
    assert not was_reset
    assert b"transfer-encoding: chunked" in received.lower()
    assert not received.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(("fault", "reset"), [("close_after", False), ("reset_after", True)])
def test_a_connection_can_end_after_the_answer(emulator: Emulator, fault: str, reset: bool) -> None:
    """A client that reuses the connection finds it closed."""
    emulator.faults.next(fault)
    with connect(emulator) as sock:
        sock.sendall(message())
        received, was_reset = receive_all(sock)
    assert reset == was_reset
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"connection: close" not in head.lower()
    assert 2 == len(json.loads(body)["data"])


def test_after_any_fault_of_a_connection_the_next_one_works(emulator: Emulator) -> None:
    """The fault does not affect the server itself."""
    for name in ("reset_before", "reset_during", "close_before", "truncated"):
        emulator.faults.next(name)
        with pytest.raises(httpx2.TransportError):
            post(emulator)
        assert 200 == post(emulator).status_code


def test_a_body_can_drip(emulator: Emulator) -> None:
    """A timeout per read passes, so only a total deadline ends the request."""
    right = post(emulator).content
    emulator.faults.next("drip", size=len(right) // 4, delay=0.02)
    begun = time.perf_counter()
    assert right == post(emulator).content
    assert 0.08 <= time.perf_counter() - begun
    emulator.faults.next("drip", size=1, delay=0.01, max_seconds=0.03)
    with httpx2.stream("POST", f"{emulator}/embeddings", json=TEXTS, headers=KEY) as response:
        pieces = list(response.iter_raw())
    assert right == b"".join(pieces)
    assert len(pieces) < 20 < len(right)


def test_an_answer_can_be_late(emulator: Emulator) -> None:
    """The answer is correct, only delayed."""
    emulator.faults.next("delay", seconds=0.05)
    begun = time.perf_counter()
    assert 200 == post(emulator).status_code
    assert 0.05 <= time.perf_counter() - begun


@pytest.mark.parametrize("fault", ["delay; seconds=60", "hang", "drip; size=1; delay=60"])
def test_a_client_that_waits_no_longer_ends_the_wait(emulator: Emulator, fault: str) -> None:
    """The server is free at once, and records that the client disconnected."""
    emulator.faults.next(fault)
    with connect(emulator) as sock:
        sock.sendall(message())
        until(lambda: len(emulator.requests) == 1)
    assert 0 == emulator.requests.settle(timeout=2)
    assert emulator.requests.last.disconnected


def test_a_request_without_an_answer_ends_some_time(emulator: Emulator) -> None:
    """No test may hang forever."""
    emulator.faults.next("hang", max_seconds=0.01)
    with pytest.raises(httpx2.RemoteProtocolError):
        post(emulator)
    assert not emulator.requests.last.disconnected


# All faults


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_meets_every_kind_of_request(emulator: Emulator, name: str) -> None:
    """The result is an answer or a broken connection, never an error of the emulator."""
    requests = [
        (TEXTS, "/embeddings"),
        (DOCUMENTS, "/contextualizedembeddings"),
        (RANKING, "/rerank"),
    ]
    for made, (body, path) in enumerate(requests, 1):
        emulator.faults.next(name, **({"max_seconds": 0.01} if name == "hang" else {}))
        try:
            response = post(emulator, body, path)
        except httpx2.TransportError:
            pass
        except httpx2.DecodingError:
            assert "bad_gzip" == name
        else:
            # A bug of the emulator would give a 500 with the API's message.
            assert response.status_code != 500 or name in ("server_error", "status", "empty")
        assert made == len(emulator.requests)
        assert emulator.requests.last.fault in (
            Fault(name),
            Fault("hang", {"max_seconds": 0.01}),
            None,
        )


def test_every_fault_says_what_it_does() -> None:
    """The list of faults has a sentence for each, and defaults that show its parameters."""
    for kind in FAULTS.values():
        assert kind.description.endswith(".")
        assert all(
            isinstance(value, bool | int | float | str) for value in kind.parameters.values()
        )
    assert len(FAULTS) >= 24
