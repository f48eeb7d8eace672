"""Authentication of administration calls, and which of them are never sent twice."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from voyageai import error
from voyageai.admin import Admin, AsyncAdmin
from voyageai.admin.credentials import VARIABLES, find
from voyageai.retry import RetryPolicy
from voyageai_emulator import Emulator, running

from .conftest import ACCOUNT, PROJECT, Transport, token

NOW = RetryPolicy(max_retries=2, initial_delay=0)
EMPTY = {"results": [], "totalCount": 0}
KEY = {"apiKeyId": "k", "name": "a", "groupId": PROJECT, "endpoint": "ai.mongodb.com"}


def answers(*given: httpx2.Response | Exception) -> Callable[[httpx2.Request], httpx2.Response]:
    """Answer token requests with numbered tokens, and other requests with the given responses."""
    left, made = list(given), []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/oauth/token"):
            made.append(request)
            return token(len(made))
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    return answer


def test_a_token_is_made_once_and_used_for_its_hour(face: Any) -> None:
    """A token request before each call would double the number of requests."""
    transport = Transport(answers(*(httpx2.Response(200, json=EMPTY) for _ in range(3))))
    admin = face(**ACCOUNT, transport=transport)
    for _ in range(3):
        admin("keys.list", project=PROJECT)
    assert ["POST token", *["GET aiModelApiKeys"] * 3] == transport.paths
    asked = transport.requests[0]
    pair = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
    assert ":".join(ACCOUNT.values()) == pair
    assert b"grant_type=client_credentials" == asked.content
    assert "application/x-www-form-urlencoded" == asked.headers["content-type"]
    assert {"Bearer token-1"} == {each.headers["authorization"] for each in transport.requests[1:]}
    assert "https://cloud.mongodb.com/api/oauth/token" == str(asked.url)


def test_a_token_that_is_refused_is_renewed_once(face: Any) -> None:
    """A token may have been revoked, but if the new one is refused too, retrying is pointless."""
    ok, refused = httpx2.Response(200, json=EMPTY), {"error": 401, "errorCode": "UNAUTHORIZED"}
    transport = Transport(
        answers(ok, httpx2.Response(401, json=refused), httpx2.Response(401, json=refused))
    )
    admin = face(**ACCOUNT, transport=transport, max_retries=NOW)
    admin("keys.list", project=PROJECT)
    with pytest.raises(error.AuthenticationError, match="UNAUTHORIZED"):
        admin("keys.list", project=PROJECT)
    assert [
        *("POST token", "GET aiModelApiKeys"),
        *("GET aiModelApiKeys", "POST token", "GET aiModelApiKeys"),
    ] == transport.paths


def test_a_token_whose_time_is_over_is_renewed_before_it_is_refused(
    face: Any, emulator: Emulator
) -> None:
    """A token that would expire while a request is on its way is not used either."""
    ok = [httpx2.Response(200, json=EMPTY) for _ in range(2)]

    def answer(request: httpx2.Request) -> httpx2.Response:
        return token(seconds=0) if request.method == "POST" else ok.pop()

    transport = Transport(answer)
    admin = face(**ACCOUNT, transport=transport)
    for _ in range(2):
        admin("keys.list", project=PROJECT)
    assert ["POST token", "GET aiModelApiKeys"] * 2 == transport.paths


def test_a_token_that_the_server_forgot_is_renewed_unseen(admin: Any, emulator: Emulator) -> None:
    """A create is retried after a 401 too, as nothing was created; the user sees no error."""
    admin("keys.list", project=PROJECT)
    emulator.clock.advance(3601)
    admin("keys.create", "a", project=PROJECT)
    assert ["a"] == [key.name for key in admin("keys.list", project=PROJECT)]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"access_token": "t"}', b'{"expires_in": "soon"}'])
def test_an_invalid_token_is_an_error_that_does_not_contain_it(face: Any, body: bytes) -> None:
    """A malformed token may contain part of a real one."""
    transport = Transport(lambda _: httpx2.Response(200, content=body))
    with pytest.raises(error.MalformedResponseError, match="request for a token") as caught:
        face(**ACCOUNT, transport=transport)("keys.list", project=PROJECT)
    assert caught.value.http_body is None
    assert not caught.value.outcome_unknown


def test_a_failing_token_endpoint_is_asked_again_even_for_a_create(face: Any) -> None:
    """Without a token nothing was created yet, so a retry can't create a key twice."""
    failing = iter([httpx2.Response(503), httpx2.ConnectError("no"), httpx2.ReadError("broke")])

    def answer(request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("token"):
            return httpx2.Response(201, json={**KEY, "secret": "al-1"})
        found = next(failing, None)
        if isinstance(found, Exception):
            raise found
        return found or token()

    transport = Transport(answer)
    policy = RetryPolicy(max_retries=3, initial_delay=0)
    key = face(**ACCOUNT, transport=transport, max_retries=policy)(
        "keys.create", "a", project=PROJECT
    )
    assert "al-1" == key.secret
    assert [*["POST token"] * 4, "POST aiModelApiKeys"] == transport.paths


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ReadTimeout("late"),
        httpx2.ReadError("broke"),
        httpx2.RemoteProtocolError("odd"),
        httpx2.Response(500),
        httpx2.Response(503, headers={"retry-after": "0"}),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_key_is_never_created_again_in_doubt(face: Any, failure: Any) -> None:
    """A retry could create a second key, and the secret of the first would be lost."""
    transport = Transport(answers(failure))
    admin = face(**ACCOUNT, transport=transport, max_retries=NOW)
    with pytest.raises(error.VoyageError, match=r"may have been created.*keys\.list") as caught:
        admin("keys.create", "a", project=PROJECT)
    assert ["POST token", "POST aiModelApiKeys"] == transport.paths
    assert caught.value.outcome_unknown
    assert 1 == caught.value.attempts


def test_a_create_that_was_surely_not_carried_out_is_sent_again(face: Any) -> None:
    """A failed connection or a 429 proves that nothing was created."""
    limited = httpx2.Response(429, json={"error": 429, "errorCode": "RATE_LIMITED"})
    created = httpx2.Response(201, json=KEY)
    transport = Transport(answers(httpx2.ConnectError("no"), limited, created))
    admin = face(**ACCOUNT, transport=transport, max_retries=NOW)
    assert "a" == admin("keys.create", "a", project=PROJECT).name
    assert 4 == len(transport.requests)


def test_other_calls_are_sent_again_as_any_call(face: Any) -> None:
    """Repeating them does no harm."""
    transport = Transport(
        answers(httpx2.ReadTimeout("late"), httpx2.Response(500), httpx2.Response(204))
    )
    admin = face(**ACCOUNT, transport=transport, max_retries=NOW)
    admin("keys.delete", "k", project=PROJECT)
    assert ["POST token", *["DELETE k"] * 3] == transport.paths


def test_versions_are_chosen_by_media_type(face: Any) -> None:
    """Without the media type Atlas answers as an older version, or not at all."""
    created, done = httpx2.Response(201, json=KEY), httpx2.Response(204)
    transport = Transport(answers(created, done))
    admin = face(**ACCOUNT, transport=transport)
    admin("keys.create", "a", project=PROJECT)
    admin("keys.delete", "k", project=PROJECT)
    version = "application/vnd.atlas.2025-03-12+json"
    heads = [each.headers for each in transport.requests[1:]]
    assert [(version, version), (version, None)] == [
        (head["accept"], head.get("content-type")) for head in heads
    ]


def test_a_pair_of_keys_proves_itself_by_digest(face: Any) -> None:
    """The private key is never sent, and the second call needs no new challenge."""
    pair = {"public_key": "abcdefgh", "private_key": "11111111-2222"}
    with running(admin_credentials={pair["public_key"]: pair["private_key"]}) as emulator:
        admin = face(**pair, base_url=emulator.origin)
        key = admin("keys.create", "a", project=PROJECT)
        assert ["a"] == [each.name for each in admin("keys.list", project=PROJECT)]
        assert [401, 201, 200] == [each.status for each in emulator.requests]
        admin("keys.delete", key.id, project=PROJECT)
        wrong = face(public_key="abcdefgh", private_key="other", base_url=emulator.origin)
        with pytest.raises(error.AuthenticationError):
            wrong("keys.list", project=PROJECT)
        assert 401 == emulator.requests.last.status


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        ({"client_id": "a", "client_secret": "b"}, {"public_key": "p", "private_key": "q"}, "a"),
        ({"public_key": "p", "private_key": "q"}, {"client_id": "a", "client_secret": "b"}, "p"),
        ({}, {"client_id": "a", "client_secret": "b", "public_key": "p"}, "a"),
        ({}, {"public_key": " p\n", "private_key": "q"}, "p"),
        ({}, {"client_id": "", "client_secret": "", "public_key": "p", "private_key": "q"}, "p"),
    ],
)
def test_credentials_are_found_in_order(given: Any, environment: Any, expected: str) -> None:
    """Arguments override the environment, and a service account overrides a pair of keys."""
    variables = {VARIABLES[name]: value for name, value in environment.items()}
    assert expected == find(given, variables).name


@pytest.mark.parametrize(
    ("given", "environment", "words"),
    [
        ({}, {}, "pass client_id and client_secret, or set MONGODB_ATLAS_CLIENT_ID"),
        (
            {"client_id": "a"},
            {"client_secret": "b"},
            "client_id is given, but client_secret is missing",
        ),
        (
            {},
            {"private_key": "q"},
            "MONGODB_ATLAS_PRIVATE_KEY is given, but MONGODB_ATLAS_PUBLIC_KEY is missing",
        ),
        (
            {"client_id": "a", "client_secret": 7},
            {},
            "client_secret must be a string, not of type int",
        ),
        (
            {"client_id": "a", "client_secret": "zß"},
            {},
            "client_secret is empty, or has characters",
        ),
    ],
)
def test_missing_credentials_say_what_is_missing(given: Any, environment: Any, words: str) -> None:
    """Both halves of the credentials are needed, from the same source."""
    variables = {VARIABLES[name]: value for name, value in environment.items()}
    with pytest.raises(error.AuthenticationError, match=words) as caught:
        find(given, variables)
    assert "zß" not in str(caught.value)


def test_credentials_of_the_environment_are_used(
    monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    """The variables are those of MongoDB's own tools, so existing setups work."""
    monkeypatch.setenv("MONGODB_ATLAS_CLIENT_ID", ACCOUNT["client_id"])
    monkeypatch.setenv("MONGODB_ATLAS_CLIENT_SECRET", ACCOUNT["client_secret"])
    monkeypatch.setenv("MONGODB_ATLAS_BASE_URL", emulator.origin)
    with Admin() as admin:
        assert [] == list(admin.keys.list(project=PROJECT))


def test_a_wrong_base_url_says_where_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable, so that users don't search their arguments for it."""
    with pytest.raises(error.ArgumentError, match=r"^base_url must be a URL, not 'atlas'"):
        Admin(**ACCOUNT, base_url="atlas")
    monkeypatch.setenv("MONGODB_ATLAS_BASE_URL", "nowhere")
    with pytest.raises(error.ArgumentError, match=r"^MONGODB_ATLAS_BASE_URL must be a URL"):
        Admin(**ACCOUNT)


@pytest.mark.parametrize("kind", [Admin, AsyncAdmin])
@pytest.mark.parametrize("end", ["/v1", "/v1/"])
def test_the_base_url_of_models_is_not_one_of_atlas(
    monkeypatch: pytest.MonkeyPatch, kind: Any, end: str
) -> None:
    """Each call would answer 404, which looks like a missing project or key."""
    url = f"http://127.0.0.1:8100{end}"
    with pytest.raises(error.ArgumentError, match=r"^base_url is .*; leave out /v1"):
        kind(**ACCOUNT, base_url=url)
    monkeypatch.setenv("MONGODB_ATLAS_BASE_URL", url)
    with pytest.raises(error.ArgumentError, match=r"^MONGODB_ATLAS_BASE_URL is .*; leave out /v1"):
        kind(**ACCOUNT)


def test_both_faces_have_the_same_methods_and_arguments() -> None:
    """Code moves from one class to the other by adding `await`."""
    for name in ("keys", "rate_limits"):
        faces = [getattr(kind(**ACCOUNT), name) for kind in (Admin, AsyncAdmin)]
        methods = [
            {
                key: {
                    each: (parameter.kind, parameter.default, parameter.annotation)
                    for each, parameter in inspect.signature(value).parameters.items()
                }
                for key, value in inspect.getmembers(face, inspect.ismethod)
                if not key.startswith("_")
            }
            for face in faces
        ]
        assert methods[0] == methods[1]
        assert len(methods[0]) >= 5
