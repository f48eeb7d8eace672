"""Error responses, retries, and missing responses."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import pickle
from datetime import UTC, datetime

import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai.calls import Call
from voyageai.retry import GiveUp, Retry, RetryPolicy, ServerHint
from voyageai_rest.api.batches import create_batch
from voyageai_rest.models import BatchEmbeddingsParams, CreateBatchRequest
from voyageai_rest.types import Request

from .conftest import answer_to

EMBED = {"texts": ["a"], "model": "voyage-4"}


def failing(*answers):
    """Return a handler that gives these responses or exceptions in turn, then succeeds."""
    left = list(answers)

    def handler(request):
        if not left:
            return answer_to(request)
        answer = left.pop(0)
        if isinstance(answer, int):
            return httpx2.Response(answer, json={"detail": "no"}, headers={"x-request-id": "r-9"})
        if isinstance(answer, httpx2.Response):  # a new one each time, for both clients
            return httpx2.Response(
                answer.status_code, content=answer.content, headers=answer.headers
            )
        raise answer

    return handler


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (400, error.InvalidRequestError, "Request r-9: no"),
        (401, error.AuthenticationError, "Request r-9: no"),
        (403, error.PermissionDeniedError, "Request r-9: HTTP 403: no"),
        (404, error.NotFoundError, "Request r-9: HTTP 404: no"),
        (409, error.ConflictError, "Request r-9: HTTP 409: no"),
        (410, error.ModelRetiredError, "Request r-9: HTTP 410: no"),
        (422, error.MalformedRequestError, "Request r-9: no"),
        (429, error.RateLimitError, "Request r-9: no"),
        (500, error.ServerError, "Request r-9: The server failed to process the request."),
        (502, error.ServiceUnavailableError, "Request r-9: The server is overloaded or not ready yet."),
        (503, error.ServiceUnavailableError, "Request r-9: The server is overloaded or not ready yet."),
        (504, error.ServiceUnavailableError, "Request r-9: The server is overloaded or not ready yet."),
        (501, error.ServerError, "Request r-9: The server failed to process the request."),
        (522, error.ServiceUnavailableError, "Request r-9: The server is overloaded or not ready yet."),
        (529, error.OverloadedError, "Request r-9: The server is overloaded or not ready yet."),
        (302, error.APIError, "Request r-9: HTTP 302: no"),
        (204, error.APIError, "Request r-9: HTTP 204: no"),
    ],
)  # fmt: skip
def test_every_status_has_its_class_and_carries_the_answer(face, status, kind, message):
    """Official statuses keep their official classes, and no other status passes for success."""
    with pytest.raises(kind) as raised:
        face.call(face.client(failing(status)), "embed", **EMBED)
    failure = raised.value

    assert kind is type(failure)
    assert message == str(failure)
    assert status == failure.http_status
    assert {"detail": "no"} == failure.json_body
    assert {"detail": "no"} == json.loads(failure.http_body)
    assert "r-9" == failure.request_id == failure.headers["x-request-id"]
    assert 1 == len(face.requests)


@pytest.mark.parametrize(
    ("response", "kind", "message"),
    [
        (httpx2.Response(429, text="<html>slow down</html>"), error.RateLimitError, "does not say why"),
        (httpx2.Response(400, content=b""), error.InvalidRequestError, "does not say why"),
        (httpx2.Response(422, json={"detail": [{"loc": ["body"], "msg": "bad"}]}), error.MalformedRequestError, "'msg': 'bad'"),
        (httpx2.Response(400, json={"error": "no"}), error.InvalidRequestError, "does not say why"),
        (httpx2.Response(200, text="<html>hello</html>"), error.MalformedResponseError, "not JSON"),
        (httpx2.Response(200, content=b"\xff\xfe\x00"), error.MalformedResponseError, "not JSON"),
        (httpx2.Response(200, content=b""), error.MalformedResponseError, "not JSON"),
        (httpx2.Response(200, json=[]), error.MalformedResponseError, "the whole body: expected an object"),
        (httpx2.Response(200, json={"data": []}), error.MalformedResponseError, "usage: missing"),
        (httpx2.Response(200, json={"data": None, "usage": {}}), error.MalformedResponseError, "data: expected a list, found null"),
    ],
)  # fmt: skip
def test_bodies_that_are_not_as_documented_give_typed_errors(face, response, kind, message):
    """A proxy's HTML page must not surface as a JSONDecodeError."""
    with pytest.raises(kind, match=message) as raised:
        face.call(face.client(failing(response)), "embed", **EMBED)

    assert response.status_code == raised.value.http_status


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx2.ConnectError("refused"), error.APIConnectionError),
        (httpx2.RemoteProtocolError("closed"), error.APIConnectionError),
        (httpx2.ReadTimeout("slow"), error.Timeout),
        (httpx2.ConnectTimeout("slow"), error.Timeout),
    ],
)
def test_answers_that_never_come_have_official_classes_and_a_cause(face, failure, kind):
    """Code that catches the official exceptions keeps working."""
    with pytest.raises(kind) as raised:
        face.call(face.client(failing(failure)), "embed", **EMBED)

    assert raised.value.__cause__ is failure
    assert raised.value.http_status is None


@pytest.mark.parametrize(
    "answer",
    [
        408,
        409,
        429,
        500,
        502,
        503,
        504,
        520,
        529,
        httpx2.ConnectError("x"),
        httpx2.ReadTimeout("x"),
    ],
)
def test_failures_that_may_pass_are_retried(face, answer):
    """max_retries counts retries: one failure and one retry are two requests."""
    result = face.call(face.client(failing(answer), max_retries=1), "embed", **EMBED)

    assert 1 == len(result)
    assert 2 == len(face.requests)
    assert 1 == len({request.content for request in face.requests})


@pytest.mark.parametrize(
    ("base", "hint"),
    [
        ("https://a.example", r" \(The base URL lacks /v1; the API's end in it, such as http.*\)"),
        (
            "https://a.example/v1/v1",
            r" \(The base URL ends in /v1/v1; the API's end in /v1, such as",
        ),
        ("https://a.example/v1/embeddings", r" \(The base URL ends in /v1/embeddings; the API's"),
        ("https://a.example/v1", "$"),
        ("https://a.example/x/v1", "$"),
    ],
)
def test_a_404_says_what_may_be_wrong_with_the_base_url(face, base, hint):
    """'Not Found' alone makes users look for a missing model."""
    client = face.client(failing(404, 404), base_url=base)
    for method, given in (("embed", ["a"]), ("rerank", ("a", ["b"]))):
        arguments = (given,) if method == "embed" else given
        with pytest.raises(error.NotFoundError, match=f"HTTP 404: [^(]*{hint}"):
            face.call(client, method, *arguments, model="voyage-4")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422, 501])
def test_failures_that_will_not_pass_are_not_retried(face, status):
    """Sending the same request again would fail again."""
    with pytest.raises(error.VoyageError):
        face.call(face.client(failing(status), max_retries=5), "embed", **EMBED)

    assert 1 == len(face.requests)


@pytest.mark.parametrize(("retries", "requests"), [(0, 1), (1, 2), (3, 4)])
def test_retries_end(face, retries, requests):
    """The caller gets the last failure after max_retries retries."""
    with pytest.raises(error.RateLimitError):
        face.call(face.client(failing(*[429] * 9), max_retries=retries), "embed", **EMBED)

    assert requests == len(face.requests)
    assert retries == len(face.waits)


def test_waits_double_up_to_a_ceiling_and_are_random(face):
    """Full jitter keeps many clients from retrying at the same moment."""
    client = face.client(failing(*[503] * 7), max_retries=7)
    face.call(client, "embed", **EMBED)

    assert [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0] == face.waits


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, [7.0]),
        ({"retry-after": "2.5"}, [2.5]),
        ({"retry-after-ms": "1500", "retry-after": "7"}, [1.5]),
        ({"retry-after-ms": "soon", "retry-after": "7"}, [7.0]),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, [0.0]),
        ({"retry-after": "soon"}, [0.5]),
        ({"retry-after": "Mon, 01 Jan 2024 99999999999999999999:00:00 GMT"}, [0.5]),
        ({"retry-after": "-1"}, [0.5]),
        ({"retry-after": "nan"}, [0.5]),
        ({}, [0.5]),
    ],
)
def test_a_wait_that_the_server_asks_for_is_kept(face, headers, expected):
    """Retry-After overrides the backoff, and invalid values are ignored."""
    response = httpx2.Response(429, json={"detail": "no"}, headers=headers)
    face.call(face.client(failing(response), max_retries=1), "embed", **EMBED)

    assert expected == face.waits


def test_a_date_is_a_wait_from_now():
    """HTTP also allows Retry-After to be a date."""
    now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)

    assert 90.0 == ServerHint.of({"retry-after": "Thu, 01 Jan 2026 12:01:30 GMT"}, now).seconds


def test_a_wait_beyond_the_longest_is_an_error_at_once(face):
    """A program should not hang for an hour unnoticed, so the error states the requested wait."""
    response = httpx2.Response(429, json={"detail": "no"}, headers={"retry-after": "3600"})
    with pytest.raises(error.RateLimitError, match="the server asks to wait 3600 s") as raised:
        face.call(face.client(failing(response), max_retries=3), "embed", **EMBED)

    assert [] == face.waits
    assert 3600.0 == raised.value.retry_after


@pytest.mark.parametrize(
    ("status", "should_retry", "requests"),
    [(500, "false", 1), (400, "true", 2), (429, "perhaps", 2)],
)
def test_the_server_may_say_whether_to_try_again(face, status, should_retry, requests):
    """The header x-should-retry overrides the meaning of the status."""
    response = httpx2.Response(
        status, json={"detail": "no"}, headers={"x-should-retry": should_retry}
    )
    client = face.client(failing(response), max_retries=1)
    try:
        face.call(client, "embed", **EMBED)
    except error.ServerError:
        assert requests == 1

    assert requests == len(face.requests)


def test_a_policy_is_a_value():
    """A policy has no clock or randomness of its own, so tests can pin its delays."""
    assert RetryPolicy(max_retries=2) == RetryPolicy(max_retries=2)
    patient = RetryPolicy(max_retries=9, initial_delay=2.0)

    assert Retry(3.0) == patient.decide(1, 503, ServerHint(), random=0.75, left=None)
    assert GiveUp() == patient.decide(9, 503, ServerHint(), random=0.75, left=None)
    assert GiveUp() == patient.decide(0, 400, ServerHint(), random=0.75, left=None)
    with pytest.raises(ValueError, match="max_retries"):
        RetryPolicy(max_retries=-1)


def test_a_client_takes_a_policy_of_its_users(face):
    """Users can set their own delays."""
    policy = RetryPolicy(max_retries=2, initial_delay=0.1, max_delay=0.15)
    face.call(face.client(failing(503, 503), max_retries=policy), "embed", **EMBED)

    assert [0.05, 0.075] == face.waits


def test_a_wrong_number_of_retries_is_refused(face):
    """The error comes when the client is made, not when the first call fails."""
    for wrong in (-1, 1.5, None, True):
        with pytest.raises(
            error.ArgumentError, match="max_retries must be a whole number, 0 or more"
        ):
            face.client(max_retries=wrong)


def test_a_failure_says_how_often_it_was_tried_and_how_long_that_took(face):
    """Logs and support cases need both."""
    with pytest.raises(error.ServiceUnavailableError) as raised:
        face.call(face.client(failing(*[503] * 3), max_retries=2), "embed", **EMBED)

    assert 3 == raised.value.attempts
    assert 1.5 == raised.value.elapsed


def test_a_refusal_names_the_argument_and_the_code(face):
    """Programs can branch on them instead of parsing the message."""
    detail = "In particular, Argument 'dimensions' is not supported by our API"
    body = {"detail": detail, "error_code": "UNKNOWN_ARGUMENT"}
    with pytest.raises(error.InvalidRequestError) as raised:
        face.call(face.client(failing(httpx2.Response(400, json=body))), "embed", **EMBED)

    assert ("dimensions", "UNKNOWN_ARGUMENT") == (raised.value.argument, raised.value.code)


def test_a_huge_body_is_cut_in_the_exception(face):
    """Programs keep, log and send exceptions."""
    response = httpx2.Response(500, content=b"x" * 1_000_000)
    with pytest.raises(error.ServerError) as raised:
        face.call(face.client(failing(response)), "embed", **EMBED)

    assert len(raised.value.http_body) < 70_000
    assert raised.value.http_body.endswith("(1000000 characters)")


def test_a_call_that_must_not_be_carried_out_twice_is_not_sent_twice(face):
    """After a broken connection the server may have acted, after a refusal it has not."""
    request = Request(operation="create_batch", method="POST", path="/batches", json={"a": 1})
    call = Call(request, lambda response: json.loads(response.content), repeatable=False)
    for failure in (httpx2.ReadError("x"), httpx2.ReadTimeout("x"), 500, 503):
        client = face.client(failing(failure), max_retries=3)
        with pytest.raises(error.VoyageError, match="it may have been carried out") as raised:
            sending(face, client, call)
        assert 1 == raised.value.attempts
    for refusal in (httpx2.ConnectError("x"), httpx2.ConnectTimeout("x"), 429):
        client = face.client(failing(refusal, httpx2.Response(200, json={"id": 1})), max_retries=3)
        assert {"id": 1} == sending(face, client, call)


def test_a_refused_job_says_what_the_limit_may_be(face):
    """Limits on jobs differ from limits on requests, and the message gives them."""
    parameters = BatchEmbeddingsParams(model="voyage-4")
    body = CreateBatchRequest(
        endpoint="/v1/embeddings",
        input_file_id="file-1",
        completion_window="12h",
        request_params=parameters,
    )
    call = Call(create_batch.build_request(body=body), lambda response: None, repeatable=False)
    with pytest.raises(error.RateLimitError, match="100 jobs or 1,000,000,000 tokens in flight"):
        sending(face, face.client(failing(429)), call)


def test_an_upload_is_repeated_from_its_beginning_or_not_at_all(face, tmp_path):
    """A stream can't be read twice, while a file can be rewound."""
    path = tmp_path / "lines"
    path.write_bytes(b"line")
    seen = []

    def handler(request):
        seen.append(b"line" in request.read())
        return httpx2.Response(503 if len(seen) == 1 else 200, json={})

    with path.open("rb") as file:
        request = uploading(file)
        sending(face, face.client(handler, max_retries=1), Call(request, lambda response: None))
    assert [True, True] == seen
    seen.clear()
    stream = io.BytesIO(b"line")
    stream.seekable = lambda: False
    with pytest.raises(error.ServiceUnavailableError, match="may have been carried out"):
        sending(
            face,
            face.client(handler, max_retries=1),
            Call(uploading(stream), lambda response: None),
        )


def uploading(content):
    """Return a request with a file."""
    return Request(
        operation="upload_file", method="POST", path="/files", parts=[("file", ("a", content))]
    )


def sending(face, client, call):
    """Send a call for which there is no method."""
    result = client._send(call, {})
    return asyncio.run(result) if asyncio.iscoroutine(result) else result


KINDS = [
    kind
    for kind in vars(error).values()
    if isinstance(kind, type) and issubclass(kind, error.VoyageError)
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("duplicate", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
def test_exceptions_pickle_and_copy(kind, duplicate):
    """Job queues pass exceptions between processes."""
    failure = (
        kind("no")
        if kind is error.ArgumentError
        else kind(
            "no",
            http_body=b"{}",
            http_status=418,
            json_body={},
            headers={"x-request-id": "r"},
            code="c",
        )
    )
    other = duplicate(failure)

    assert kind is type(other)
    assert vars(failure) == vars(other)
    assert str(failure) == str(other)
    assert repr(failure) == repr(other)


def test_the_official_exceptions_are_all_there():
    """Code that catches them keeps working."""
    official = {
        "VoyageError",
        "APIError",
        "TryAgain",
        "Timeout",
        "APIConnectionError",
        "InvalidRequestError",
        "MalformedRequestError",
        "AuthenticationError",
        "RateLimitError",
        "ServerError",
        "ServiceUnavailableError",
        "VideoProcessingError",
    }

    assert set() == official - {kind.__name__ for kind in KINDS}
    assert "<empty message>" == str(error.VoyageError())
    assert "no" == error.VoyageError("no").user_message
    undecodable = error.VoyageError(http_body=b"\xff")
    assert "<Could not decode body as utf-8.>" == undecodable.http_body


def test_the_key_is_in_no_exception(face, key):
    """Exceptions end up in logs and error trackers."""
    for answer in (401, 500, httpx2.ConnectError("x"), httpx2.Response(200, text="?")):
        with pytest.raises(error.VoyageError) as raised:
            face.call(face.client(failing(answer)), "embed", **EMBED)
        failure = raised.value
        shown = str(failure) + repr(failure) + repr(vars(failure)) + repr(failure.__cause__)
        assert key not in shown
        assert key.encode() not in pickle.dumps(failure)


def test_clients_close_their_connections():
    """Clients close explicitly or by `with`, and a closed client refuses further calls."""
    with voyageai.Client(api_key="k") as vo:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        vo.embed(**EMBED)

    async def close() -> None:
        async with voyageai.AsyncClient(api_key="k") as client:
            pass
        await client.aclose()

    asyncio.run(close())


def test_one_async_client_serves_one_event_loop_after_another():
    """Notebooks and frameworks call asyncio.run repeatedly."""
    from .conftest import Face

    face = Face("AsyncClient")
    client = face.client()
    for _ in range(3):
        assert 1 == len(face.call(client, "embed", **EMBED))
