"""The data that errors carry, and their messages."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from types import ModuleType
from typing import Any

import httpx2
import pytest
from voyageai_rest import Client
from voyageai_rest.api.embeddings import create_embeddings
from voyageai_rest.errors import (
    BODY_LIMIT,
    MalformedResponse,
    ResponseError,
    ShapeError,
    printable,
)
from voyageai_rest.models import EmbeddingsRequest
from voyageai_rest.operations import Operation
from voyageai_rest.status import StatusError

BODY = EmbeddingsRequest(input="a", model="m")
HTML = b"<html>Origin is unreachable</html>"


def client_for(answer: httpx2.Response | Exception) -> Client:
    def handler(request: httpx2.Request) -> httpx2.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Client(api_key="pa-secret", httpx_args={"transport": httpx2.MockTransport(handler)})


@pytest.mark.parametrize("status", [201, 204, 302, 400, 404, 418, 499, 500, 503, 520, 529, 599])
@pytest.mark.parametrize("content", [b"", HTML, b'{"detail": "No."}'], ids=["", "html", "json"])
def test_any_status_but_success_is_a_status_error(status: int, content: bytes, raw: type) -> None:
    """Also statuses without a standard name, such as 529 for overload."""
    refused(create_embeddings, raw, status, content)


def test_every_operation_has_status_errors(
    operation: Operation, module_of: Callable[..., ModuleType], raw: type
) -> None:
    """One template generates all operations, so the tests above may try only a few."""
    refused(module_of(operation), raw, 529, b'{"detail": "No."}')


def refused(module: ModuleType, raw: type, status: int, content: bytes) -> None:
    """Read an error response, and compare the error with it."""
    headers = {"x-request-id": "r-1", "x-other": "y"}
    with pytest.raises(StatusError) as caught:
        module.parse_response(raw(status, content, headers))
    error = caught.value
    assert (status, headers, content) == (error.status_code, error.headers, error.content)
    assert "r-1" == error.request_id
    reason = "No." if content.startswith(b"{") else "the body does not say why"
    assert f"HTTP {status}: {reason}" == str(error)


@pytest.mark.parametrize("status", [520, 529])
def test_statuses_without_a_name_pass_the_http_library(status: int) -> None:
    """Users see them over httpx2 as well, with header names in any case."""
    answer = httpx2.Response(status, content=HTML, headers={"X-Request-Id": "r-2"})
    with client_for(answer) as client, pytest.raises(StatusError) as caught:
        create_embeddings.send(client=client, body=BODY)
    assert (status, HTML, "r-2") == (
        caught.value.status_code,
        caught.value.content,
        caught.value.request_id,
    )


def test_the_error_object_is_there_to_read(raw: type) -> None:
    """Programs read the error object with all further fields that the server sends."""
    content = b'{"detail": "Slow down.", "code": "rate"}'
    with pytest.raises(StatusError) as caught:
        create_embeddings.parse_response(raw(429, content, {}))
    assert caught.value.error is not None
    assert "Slow down." == caught.value.error.detail
    assert {"code": "rate"} == caught.value.error.additional_properties


@pytest.mark.parametrize("content", [b"", HTML, b"null", b"[]", b"{}", b'{"detail": 5}'])
def test_there_is_no_error_object_where_the_body_is_none(content: bytes, raw: type) -> None:
    """Reading it gives None instead of a second exception while the first is handled."""
    with pytest.raises(StatusError) as caught:
        create_embeddings.parse_response(raw(500, content, {}))
    assert caught.value.error is None


def test_a_list_of_details_is_shown(raw: type) -> None:
    """Server frameworks report one entry per invalid field, and users see them all."""
    detail = [{"loc": ["body", "input"], "msg": "field required"}]
    with pytest.raises(StatusError, match="field required") as caught:
        create_embeddings.parse_response(raw(422, json.dumps({"detail": detail}).encode(), {}))
    assert caught.value.error is not None
    assert detail == caught.value.error.detail


def errors() -> list[Any]:
    common = {
        "status_code": 529,
        "headers": {"x-request-id": "r-1"},
        "content": b'{"detail": "Busy."}',
        "reason": "Busy.",
    }
    return [kind(**common) for kind in (ResponseError, StatusError, MalformedResponse)]


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_errors_survive_pickle_and_copies(error: ResponseError) -> None:
    """Errors cross process boundaries with all their data."""
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(error) is type(twin)
        assert vars(error) == vars(twin)
        assert (str(error), error.args) == (str(twin), twin.args)
        assert "r-1" == twin.request_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é 日本 👩\u200d💻 a\\b", "plain é 日本 👩\u200d💻 a\\b"),
        ("\x00\t\r\n\x1b[2J\x7f\x85\x9b", r"\x00\x09\x0d\x0a\x1b[2J\x7f\x85\x9b"),
        ("\u061c\u200e\u200f\u202a\u202e\u2066\u2069", r"\u061c\u200e\u200f\u202a\u202e\u2066\u2069"),
        ("\u2028\u2029\ud800\udfff", r"\u2028\u2029\ud800\udfff"),
    ],
)  # fmt: skip
def test_what_acts_on_terminals_is_shown_as_it_is_written(text: str, expected: str) -> None:
    """A server's text could clear the screen, forge a log line, or break an encoding."""
    assert expected == printable(text) == printable(printable(text))
    expected.encode()


@pytest.mark.parametrize("text", ["a" * 100_000, "\x1b" * 100_000, "\x1b" * 20_000])
def test_a_long_text_is_cut_once(text: str) -> None:
    """However long the text is, the message stays short and gives its full length."""
    shown = printable(text)

    assert BODY_LIMIT == len(shown)
    assert shown.endswith(f"... ({len(text)} characters)")
    assert shown == printable(shown)


@pytest.mark.parametrize("kind", [StatusError, MalformedResponse])
def test_errors_are_printable_and_carry_what_came(kind: type[ResponseError]) -> None:
    """Every traceback prints them, as the cause of the error that users catch."""
    reason = "no\x1b[2J\n" + "a" * 100_000
    error = kind(status_code=400, headers={}, content=b"\x1b", reason=reason)

    assert str(error).startswith(r"HTTP 400: no\x1b[2J\x0aaaa")
    assert BODY_LIMIT == len(str(error))
    assert (reason, b"\x1b") == (error.reason, error.content)
    assert r"a\x1b: b\x0a" == str(ShapeError("b\n", "a\x1b"))


def test_shape_errors_survive_pickle_and_copies() -> None:
    """They cross process boundaries like the status errors."""
    error = ShapeError("missing", "index").within("[3]").within("data")
    assert "data[3].index: missing" == str(error)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert ("missing", "data[3].index") == (twin.reason, twin.path)
        assert str(error) == str(twin)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(401, json={"detail": "Unauthorized"}),
        httpx2.Response(200, content=HTML),
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
    ],
    ids=["status", "malformed", "connection", "timeout"],
)
def test_the_key_is_in_no_error(answer: httpx2.Response | Exception) -> None:
    """Errors end up in logs and trackers, pickled or printed."""
    with (
        client_for(answer) as client,
        pytest.raises((ResponseError, httpx2.HTTPError)) as caught,
    ):
        create_embeddings.send(client=client, body=BODY)
    assert "pa-secret" not in f"{caught.value} {caught.value!r} {caught.value.args}"
    assert b"pa-secret" not in pickle.dumps(vars(caught.value).get("headers"))


@pytest.mark.parametrize("key", ["pa-secret\n", "pa-secret ", "pa\x00secret", "pä-secret", ""])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(key: str) -> None:
    """The HTTP library's own error would contain the key."""
    with pytest.raises(ValueError, match="api_key must be") as caught:
        Client(api_key=key)
    assert "secret" not in f"{caught.value} {caught.value!r} {caught.value.args}"


def test_a_key_is_checked_when_it_is_changed_too() -> None:
    """Programs rotate keys during a client's life."""
    client = Client(api_key="pa-secret")
    with pytest.raises(ValueError, match="api_key must be"):
        client.api_key = "pa-new\r\nX-Other: 1"
    assert "pa-secret" == client.api_key
