"""Every documented status of the API can be produced, in the API's format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import httpx2
import pytest
from voyageai_emulator import Emulator, running
from voyageai_emulator.app import Application
from voyageai_emulator.settings import Settings
from voyageai_rest.catalogue import MODELS
from voyageai_rest.operations import OPERATIONS

from tests.emulator.contract_client import DOCUMENT, ERROR, check, send
from tests.emulator.http_helpers import admin

BODY = {"input": "hello", "model": "voyage-4"}
KEY = {"authorization": "Bearer any"}
DOCUMENTED = sorted(
    {
        status
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
        if isinstance(operation, dict) and "responses" in operation
        for status in operation["responses"]
        if status.startswith(("4", "5"))
    }
)
BY_FAULT = {
    "400": [400],
    "401": [401],
    "403": [403],
    "404": [404],
    "410": [410],
    "422": [422],
    "429": [429],
    "5XX": [500, 502, 503, 504],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """A running emulator."""
    with running() as emulator:
        yield emulator


def in_the_apis_shape(answer: httpx2.Response, status: int) -> None:
    """Fail unless an answer is an error in the API's format."""
    assert status == answer.status_code, answer.text
    assert "application/json" == answer.headers["content-type"]
    check(ERROR, answer.json())
    assert answer.json()["detail"]
    assert 32 == len(answer.headers["x-request-id"])
    assert "retry-after" not in answer.headers


def test_every_documented_status_is_tested() -> None:
    """A status that is added to the contract must be added here."""
    assert DOCUMENTED == sorted(BY_FAULT)


@pytest.mark.parametrize("status", [code for codes in BY_FAULT.values() for code in codes])
def test_every_documented_status_can_be_asked_for(emulator: Emulator, status: int) -> None:
    """No client can cause 403, 422, 502, 503 or 504 by itself."""
    emulator.faults.next("status", status=status)
    in_the_apis_shape(httpx2.post(f"{emulator}/embeddings", json=BODY, headers=KEY), status)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_operation_can_return_each_status(emulator: Emulator, operation: Any) -> None:
    """Code for files and batches must handle them as well."""
    emulator.faults.next("status", status=503, operation=operation.id)
    path = operation.path.replace("{", "").replace("}", "")
    response = httpx2.request(operation.method, emulator + path, headers=KEY)
    in_the_apis_shape(response, 503)


@pytest.mark.parametrize(
    ("method", "path", "body", "key", "status"),
    [
        ("POST", "/embeddings", {}, "any", 400),
        ("POST", "/embeddings", BODY, None, 401),
        ("GET", "/no-such-path", None, "any", 404),
        ("GET", "/embeddings", None, "any", 405),
        ("PUT", "/files", None, "any", 405),
        ("GET", "/files/no-such-file", None, "any", 404),
        ("GET", "/batches/no-such-batch", None, "any", 404),
        ("POST", "/embeddings", {"input": "a", "model": "old"}, "any", 410),
        ("POST", "/rerank", {"query": "q", "documents": ["d"], "model": "rerank-2"}, "any", 429),
    ],
)
def test_what_a_client_does_wrong_is_answered_so(
    method: str, path: str, body: Any, key: str | None, status: int
) -> None:
    """These statuses need no planned fault."""
    old = attrs.evolve(
        MODELS["voyage-3.5"], name="old", lifecycle="retired", replacement="voyage-4"
    )
    app = Application(Settings(models={**MODELS, "old": old}))
    app.state.limits.set("rerank-2", rpm=0)
    in_the_apis_shape(send(app, method, path, body, key=key), status)
    app.close()


def test_a_body_that_is_too_large_is_refused_in_the_same_shape(emulator: Emulator) -> None:
    """The limit is the emulator's own, as the API's has not been recorded."""
    body = {**BODY, "input": ["a" * 34_000_000]}
    in_the_apis_shape(httpx2.post(f"{emulator}/embeddings", json=body, headers=KEY), 413)


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [("/requests", None, 200), ("/requests", "wrong", 401), ("/nothing", None, 404)],
)
def test_the_emulators_own_answers_have_ids_too(
    emulator: Emulator, path: str, token: str | None, status: int
) -> None:
    """Each answer has an id, although these requests are not recorded."""
    answers = [admin(emulator, "GET", path, token=token) for _ in range(2)]
    assert [status] * 2 == [answer.status_code for answer in answers]
    assert 2 == len({answer.headers["x-request-id"] for answer in answers})
    assert 1 == len(answers[0].headers.get_list("x-request-id"))
    assert ["emulator, not the Voyage AI models"] == answers[0].headers.get_list("x-emulator")


def test_advice_on_when_to_retry_is_given_only_if_asked(emulator: Emulator) -> None:
    """Planned faults and rate limits send `Retry-After` only on request."""
    emulator.faults.next("status", status=503, retry_after=7)
    response = httpx2.post(f"{emulator}/embeddings", json=BODY, headers=KEY)
    assert (503, "7") == (response.status_code, response.headers["retry-after"])
