"""Deployments: signatures, recorded responses, secrets, and options of the client."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from datetime import UTC, datetime
from typing import Any

import botocore.session
import httpx2
import pytest
import voyageai
from botocore.awsrequest import AWSResponse
from freezegun import freeze_time
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from voyageai import deployments, evaluation
from voyageai.deployments.signing import SigV4
from voyageai.error import (
    ArgumentError,
    AuthenticationError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
    ServiceUnavailableError,
)

from .conftest import answer_to

TIME = datetime(2026, 11, 29, 15, 55, 26, tzinfo=UTC)
SECRETS = ("AKIDEXAMPLE", "a-very-secret-key", "a-session-token")
ENDPOINT = "my-voyage"
NUMBERS = ["-0.034678787", "0.015536", "-7.5e-05"]


def session(*keys: str) -> botocore.session.Session:
    """Return an AWS session with these keys."""
    made = botocore.session.Session()
    made.set_credentials(*(keys or SECRETS))
    return made


def sagemaker(**options: Any) -> deployments.SageMaker:
    """Return a SageMaker endpoint."""
    return deployments.SageMaker(ENDPOINT, "us-east-1", **{"session": session(), **options})


def of_botocore(body: bytes, *keys: str) -> dict[str, str]:
    """Return the headers of the request that botocore would send."""
    found: dict[str, str] = {}

    class Empty:
        def stream(self, *_: object, **__: object) -> Any:
            return iter([b"{}"])

    def answer(request: Any, **_: object) -> AWSResponse:
        text = {
            k: v if isinstance(v, str) else v.decode()
            for k, v in request.headers.items()
            if k != "Content-Length"
        }
        found.update({name.lower(): value for name, value in text.items()})
        return AWSResponse(request.url, 200, {}, Empty())

    client = session(*keys).create_client("sagemaker-runtime", region_name="us-east-1")
    client.meta.events.register("before-send.*", answer)
    client.invoke_endpoint(
        EndpointName=ENDPOINT, ContentType="application/json", Accept="application/json", Body=body
    )
    return found


@pytest.mark.parametrize("keys", [SECRETS, SECRETS[:2]], ids=["with a token", "without"])
def test_a_signature_is_the_one_of_botocore(face, keys):
    """AWS computes the signature again, and refuses the request if it differs."""
    with freeze_time(TIME):
        good = recorded({"data": [{"embedding": [0.6], "index": n} for n in (0, 1)]})
        deployment = sagemaker(session=session(*keys))
        client = face.client(lambda _: good, deployment=deployment, api_key=None)
        face.call(client, "embed", ["Où ?", "雪"], "voyage-4", "document")
        sent = face.requests[-1]
        expected = of_botocore(sent.content, *keys)

    for name in ("user-agent", "amz-sdk-invocation-id", "amz-sdk-request"):  # not signed
        expected.pop(name)
    ours = dict(sent.headers)
    assert "*/*" != ours["accept"]
    assert expected == {name: ours[name] for name in expected}
    rest = {"host", "content-length", "user-agent"}
    assert rest == ours.keys() - expected.keys()
    url = f"https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/{ENDPOINT}/invocations"
    assert url == str(sent.url)


def test_each_attempt_is_signed_again(face):
    """A signature expires after minutes, and an endpoint may take longer to start."""
    minutes = iter(range(5, 60, 5))
    answers = iter([httpx2.Response(503), httpx2.Response(503)])
    hook = SigV4("us-east-1", session(), lambda: TIME.replace(minute=next(minutes)))
    stamps: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        stamps.append(request.headers["x-amz-date"])
        return next(answers, None) or answer_to(request)

    client = face.client(handler, auth=hook, max_retries=2)
    face.call(client, "embed", ["a"], "voyage-4")

    assert ["20261129T150526Z", "20261129T151026Z", "20261129T151526Z"] == stamps


def responding(face: Any, *answers: httpx2.Response, **options: Any) -> Any:
    """Return a client of SageMaker that gets these responses."""
    waiting = iter(answers)
    return face.client(lambda _: next(waiting), deployment=sagemaker(), api_key=None, **options)


def recorded(value: Any, status: int = 200, **headers: str) -> httpx2.Response:
    """Return a JSON response."""
    return httpx2.Response(status, json=value, headers={"x-amzn-requestid": "aws-1", **headers})


def test_texts_of_an_old_image_are_read(face):
    """An old image writes numbers as strings, and the model's name in its own spelling."""
    entries = [{"object": "embedding", "embedding": NUMBERS, "index": 0}]
    answer = {
        "data": entries,
        "object": "list",
        "model": "voyage-code-02",
        "usage": {"total_tokens": 3},
    }
    result = face.call(responding(face, recorded(answer)), "embed", ["a"], "voyage-code-2")

    assert [list(map(float, NUMBERS))] == result.embeddings
    assert ("voyage-code-02", 3, "aws-1") == (result.model, result.total_tokens, result.request_id)


def test_chunks_with_further_fields_are_read(face):
    """Some images add timings to their responses."""
    inner = [{"object": "embedding", "embedding": [0.6, 0.8], "index": 0}]
    answer = {
        "object": "list", "data": [{"object": "list", "data": inner, "index": 0}], "model": "voyage-context-3",
        "usage": {"total_tokens": 4}, "inference_ms": 12.5, "total_embed_ms": 13,
    }  # fmt: skip
    client = responding(face, recorded(answer))
    result = face.call(client, "contextualized_embed", [["a"]], "voyage-context-3")

    assert [[0.6, 0.8]] == result.results[0].embeddings


def test_media_without_usage_are_read(face):
    """voyage-multimodal-3 does not report usage, and the result shows 0 tokens."""
    answer = {
        "data": [{"embedding": [0.6, 0.8], "index": 0}],
        "object": "list",
        "model": "voyage-multimodal-3",
    }
    client = responding(face, recorded(answer))
    result = face.call(client, "multimodal_embed", [["a"]], "voyage-multimodal-3")

    assert ([[0.6, 0.8]], 0) == (result.embeddings, result.total_tokens)


def test_media_with_usage_are_counted(face):
    """The total adds text tokens and pixels as they are billed."""
    usage = {
        "text_tokens": 5,
        "image_pixels": 2000000,
        "video_pixels": 14745600,
        "total_tokens": 16741,
    }
    answer = {
        "data": [{"embedding": [0.6, 0.8], "index": 0}],
        "model": "voyage-multimodal-3.5",
        "usage": usage,
    }
    client = responding(face, recorded(answer))
    result = face.call(client, "multimodal_embed", [["a" * 99]], "voyage-multimodal-3.5")

    assert 5 + 2000000 // 560 + 14745600 // 1120 == result.total_tokens
    assert (5, 2000000, 14745600) == (result.text_tokens, result.image_pixels, result.video_pixels)


def test_a_ranking_without_documents_is_read(face):
    """SageMaker answers null for documents, so the result takes them from the request."""
    data = [
        {"relevance_score": 0.9, "index": 1, "document": None},
        {"relevance_score": 0.1, "index": 0, "document": None},
    ]
    answer = {"data": data, "model": "rerank-lite-1", "usage": {"total_tokens": 26}}
    result = face.call(
        responding(face, recorded(answer)), "rerank", "q", ["a", "b"], "rerank-lite-1"
    )

    assert [(1, "b", 0.9), (0, "a", 0.1)] == [tuple(one) for one in result.results]


def wrapped(status: int, message: str) -> httpx2.Response:
    """Return a container's response as SageMaker wraps it."""
    value = {
        "ErrorCode": "CLIENT_ERROR_FROM_MODEL",
        "LogStreamArn": "arn:aws:logs:us-east-1:1:log-group:/aws/sagemaker/Endpoints/mine",
        "Message": f'Received client error ({status}) from primary with message "{message}".',
        "OriginalMessage": message,
        "OriginalStatusCode": status,
    }
    return recorded(value, 424, **{"x-amzn-errortype": "ModelError"})


@pytest.mark.parametrize(
    ("status", "message", "kind", "expected"),
    [
        (400, '{"detail": "The request is wrong."}', InvalidRequestError, "The request is wrong."),
        (429, '{"detail": "Too many tokens."}', RateLimitError, "Too many tokens."),
        (500, "Traceback (most recent call last)", ServerError, "The server failed"),
        (503, '{"detail": "busy"}', ServiceUnavailableError, "overloaded or not ready"),
        (0, "Your invocation timed out", ServerError, "The server failed"),
    ],
)
def test_an_error_of_the_container_is_what_the_api_would_raise(
    face, status, message, kind, expected
):
    """Programs catch the API's errors without knowing of SageMaker's status 424."""
    client = responding(face, wrapped(status, message))
    with pytest.raises(kind, match=expected.split("(")[0]) as caught:
        face.call(client, "embed", ["a"], "voyage-4")

    assert kind is type(caught.value)
    assert ("aws-1", status or 500) == (caught.value.request_id, caught.value.http_status)
    assert "LogStreamArn" in caught.value.json_body


def test_an_endpoint_that_is_not_ready_is_asked_again(face):
    """The endpoint is starting, not overloaded, so the rate limit must not be lowered."""

    def busy() -> httpx2.Response:
        name = "ModelNotReadyException:http://internal.amazon.com/"
        return recorded({"message": "not yet"}, 429, **{"x-amzn-errortype": name})

    good = recorded({"data": [{"embedding": [0.6, 0.8], "index": 0}]})
    client = responding(face, busy(), wrapped(503, "{}"), good, max_retries=2)
    assert 1 == len(face.call(client, "embed", ["a"], "voyage-4"))
    with pytest.raises(ServiceUnavailableError, match="not yet") as caught:
        face.call(responding(face, busy()), "embed", ["a"], "voyage-4")
    assert "ModelNotReadyException" == caught.value.code


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(face):
    """AWS would close the connection after 6 MiB without saying why."""
    client = responding(face)
    with pytest.raises(ArgumentError, match=r"bytes, but this deployment takes at most 6,291,456"):
        face.call(client, "embed", ["a" * 1_000_000] * 7, "voyage-4")
    assert [] == face.requests


def test_a_url_is_refused_where_nothing_can_be_fetched(face):
    """Model packages run without a network."""
    client = responding(face)
    url = {"type": "image_url", "image_url": "https://example.com/a.png"}
    inputs = [{"content": [{"type": "text", "text": "a"}]}, {"content": [url]}]
    with pytest.raises(ArgumentError, match=r"inputs\[1\] has a URL, which Amazon SageMaker can't"):
        face.call(client, "multimodal_embed", inputs, "voyage-multimodal-3.5")
    assert [] == face.requests


@pytest.mark.parametrize(
    ("body", "reason", "code"),
    [
        ({"detail": "wrong"}, "wrong", None),
        ({"error": {"message": "wrong", "type": "invalid", "code": "400"}}, "wrong", "invalid"),
        ({"error": {"code": 400, "message": "wrong", "status": "BAD"}}, "wrong", "BAD"),
        ({"error": "wrong"}, "wrong", None),
        ({"message": "wrong"}, "wrong", None),
        ({"Message": "wrong"}, "wrong", None),
        (["wrong"], "the body does not say why", None),
    ],
)
def test_an_error_of_any_form_says_why(face, body, reason, code):
    """Gateways answer for several providers, each with its own error format."""
    gateway = deployments.Gateway("https://gateway.example/v1", "litellm")
    client = face.client(lambda _: httpx2.Response(400, json=body), deployment=gateway)
    with pytest.raises(InvalidRequestError, match=reason) as caught:
        face.call(client, "embed", ["a"], "voyage-4")

    assert (code, body) == (caught.value.code, caught.value.json_body)


def test_no_credentials_are_shown(face, caplog):
    """Logs, errors and tracebacks are read by many people."""
    caplog.set_level(logging.DEBUG)
    headers = {"x-portkey-api-key": "a-portkey-key"}
    gateway = deployments.Gateway("portkey", headers=headers)
    shown: list[str] = []
    for options in (
        {"deployment": sagemaker(), "api_key": None},
        {
            "deployment": gateway,
            "default_headers": {"x-other": "another-secret"},
            "api_key": "the-key",
        },
    ):
        client = face.client(lambda _: httpx2.Response(400, json={"detail": "no"}), **options)
        with pytest.raises(InvalidRequestError) as caught:
            face.call(client, "embed", ["a"], "voyage-4")
        shown += [repr(client), repr(options["deployment"]), repr(vars(client)), repr(caught.value)]
        trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        # The frames of the tests themselves hold what they were given.
        ours = [f for f in trace.stack if "voyageai" in f.filename]
        shown += [str(frame.locals) for frame in ours]
        shown.append(str(vars(caught.value)))
    shown.append(caplog.text)

    for secret in (*SECRETS[1:], "a-portkey-key", "another-secret", "the-key"):
        assert [] == [text for text in shown if secret in text], secret


@pytest.mark.parametrize("given", [session(), None], ids=["given", "found"])
def test_a_pickle_holds_no_credentials(given):
    """A pickle would outlive the credentials, and carry them to other machines."""
    deployment = sagemaker(session=given)
    if given is None:
        again = pickle.loads(pickle.dumps(deployment))
        assert (repr(deployment), deployment.url) == (repr(again), again.url)
    else:
        with pytest.raises(TypeError, match=r"session=\.\.\. holds credentials"):
            pickle.dumps(deployment)
    assert copy.deepcopy(deployment) is deployment


def test_missing_credentials_are_named(face, monkeypatch):
    """The error names the variables, and comes before anything is sent."""

    class Empty:
        def get_credentials(self) -> None:
            return None

    client = face.client(deployment=sagemaker(session=Empty()), api_key=None)
    with pytest.raises(AuthenticationError, match="No AWS credentials were found: set AWS_ACCESS"):
        face.call(client, "embed", ["a"], "voyage-4")
    assert [] == face.requests


class Hook(httpx2.Auth):
    """A user's own authentication."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def auth_flow(self, request: httpx2.Request) -> Any:
        self.seen.append(request.content)
        request.headers["Authorization"] = f"Own {len(request.content)}"
        yield request


def test_an_auth_hook_sees_the_final_bytes(face):
    """A user's hook can sign the body, including fields from extra_body."""
    hook = Hook()
    client = face.client(api_key=None, auth=hook)
    face.call(client, "embed", ["a"], "voyage-4", extra_body={"further": 1})

    assert 1 == json.loads(hook.seen[-1])["further"]
    assert f"Own {len(hook.seen[-1])}" == face.requests[-1].headers["authorization"]
    with pytest.raises(TypeError, match=r"a client with auth=\.\.\. can't be pickled"):
        pickle.dumps(client)
    with pytest.raises(ArgumentError, match=r"auth must be an httpx2\.Auth, not str"):
        face.client(auth="secret")


def test_default_headers_go_with_every_call(face):
    """Headers of a single call override the client's defaults."""
    client = face.client(default_headers={"x-team": "search", "x-app": "1"})
    face.call(client, "embed", ["a"], "voyage-4", extra_headers={"X-App": "2"})

    sent = face.requests[-1].headers
    assert ("search", "2") == (sent["x-team"], sent["x-app"])
    with pytest.raises(ArgumentError, match="default_headers can't set 'Authorization'"):
        face.client(default_headers={"Authorization": "Bearer other"})


def test_a_host_with_a_single_model_is_sent_none(face):
    """Such a host refuses the field, or knows the model by another name."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        assert "model" not in json.loads(request.content)
        return httpx2.Response(200, json={"data": [{"embedding": [0.6, 0.8], "index": 0}]})

    client = face.client(handler, base_url="https://mine.example/v1", single_model="voyage-4")
    assert [[0.6, 0.8]] == face.call(client, "embed", ["a"]).embeddings
    assert [[0.6, 0.8]] == face.call(client, "embed_query", "a").embeddings
    with pytest.raises(ArgumentError, match="is not the model of this deployment, 'voyage-4'"):
        face.call(client, "embed", ["a"], "voyage-4-lite")


def test_a_model_other_than_the_one_asked_for_is_warned_of_once(face):
    """Vectors of another model fit into the same index but match nothing there."""

    def handler(_: httpx2.Request) -> httpx2.Response:
        data = [{"embedding": [0.6, 0.8], "index": 0}]
        return httpx2.Response(200, json={"data": data, "model": "voyage-4"})

    azure = deployments.AzureApp("http://10.0.0.4", model="voyage-3.5")
    client = face.client(handler, deployment=azure, api_key=None)
    with pytest.warns(
        UserWarning, match=r"voyage-3\.5 was requested, but voyage-4 answered"
    ) as caught:
        for text in ("a", "b"):
            face.call(client, "embed", [text], input_type="document")

    assert 1 == len(caught)


def test_several_models_are_not_evaluated_where_one_is_served():
    """All models would get the scores of the one that is served."""
    client = voyageai.Client(deployment="azure+http://127.0.0.1:9")
    for given in (
        {"models": ["voyage-4", "voyage-4-lite"]},
        {"models": "voyage-4", "rerankers": "rerank-2.5"},
    ):
        with pytest.raises(ArgumentError, match="serves one model, but voyage-4, "):
            evaluation.evaluate(client, {"a": "It rains."}, {"rain?": ["a"]}, **given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: deployments.SageMaker("my_endpoint", "us-east-1"), "endpoint must be the name"),
        (lambda: deployments.SageMaker("mine", "US East"), "region must be an AWS region"),
        (lambda: sagemaker(session="default"), "session must be a botocore.*, not str; for a prof"),
        (lambda: sagemaker(url="http://h/endpoints/other"), "url is that of the endpoint 'other'"),
        (lambda: sagemaker(url=7), "url must be a URL with http"),
        (
            lambda: deployments.Deployment.of("sagemaker+http://127.0.0.1:8130"),
            "endpoint must be the name",
        ),
        (
            lambda: deployments.VertexEndpoint("https://x.example", credentials="tok"),
            "credentials must be google.auth.credentials.Credentials, not str",
        ),
        (lambda: deployments.AzureApp("10.0.0.4"), "url must be a URL with http"),
        (lambda: deployments.Gateway("https://x.example", "cohere"), "dialect must be one of"),
        (lambda: deployments.Gateway("litellm"), "url must be the base URL of LiteLLM"),
        (
            lambda: deployments.Gateway("https://x.example", headers={"Host": "a"}),
            "headers can't set",
        ),
        (lambda: deployments.AzureApp("http://10.0.0.4", model=" "), "model must be the name"),
    ],
)
def test_an_invalid_deployment_is_refused(make, message):
    """The error comes when the deployment is created, not at the first call."""
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    "below", ["", "/", f"/endpoints/{ENDPOINT}/", f"/endpoints/{ENDPOINT}/invocations"]
)
def test_the_url_of_sagemaker_is_that_of_the_host(below):
    """Users give the URL of a VPC endpoint with or without the SageMaker endpoint's path."""
    deployment = sagemaker(url=f"http://127.0.0.1:8130{below}", model="voyage-4")
    url = f"http://127.0.0.1:8130/endpoints/{ENDPOINT}"

    assert url == deployment.url
    assert f"SageMaker('{ENDPOINT}', url='{url}', model='voyage-4')" == repr(deployment)


@pytest.mark.parametrize(
    "options",
    [
        {"deployment": deployments.AzureApp("http://10.0.0.4", model="voyage-4"), "api_key": None},
        {"base_url": "https://mine.example/v1", "single_model": "voyage-4"},
    ],
    ids=["deployment", "single_model"],
)
def test_tokens_are_counted_as_the_only_model_has_them(face, options):
    """The tokenizer of the default model would give a different count."""
    tokenizer = Tokenizer(WordLevel({"a": 0, "?": 1}, unk_token="?"))
    client = face.client(**options, tokenizers={"voyage-4": tokenizer})

    assert 1 == client.count_tokens(["a"])
    assert [0] == client.tokenize(["a"])[0].ids


def test_a_message_says_what_to_do_at_a_gateway(face, monkeypatch):
    """The remedies differ from those for the API, such as calling `embed` for `embed_documents`."""
    client = face.client(deployment=deployments.Gateway("https://x.example/v1"))
    message = (
        "can't be sent to an OpenAI-compatible gateway: .*; leave it out, and call embed in place"
    )
    with pytest.raises(ArgumentError, match=message):
        face.call(client, "embed_documents", ["a"], "voyage-4")
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    client = face.client(deployment="openrouter", api_key=None)
    with pytest.raises(AuthenticationError) as caught:
        face.call(client, "embed", ["a"], "voyage-4")

    message = "OpenRouter needs a key of its own: pass api_key, or set OPENROUTER_API_KEY. "
    assert str(caught.value).startswith(f"{message}VOYAGE_API_KEY is not sent there")


def test_pictures_are_sent_as_data(face):
    """The endpoint can't fetch a URL, so pictures travel in the request."""
    answer = recorded({"data": [{"embedding": [0.6, 0.8], "index": 0}]})
    client = responding(face, answer)
    picture = Image.new("RGB", (8, 8))
    face.call(client, "multimodal_embed", [["a", picture]], "voyage-multimodal-3.5")

    (item,) = face.body["inputs"]
    assert ["text", "image_base64"] == [piece["type"] for piece in item["content"]]
    assert {"inputs"} == face.body.keys()
