"""The Atlas administration API of the emulator; every response matches its contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema_rs import Draft202012Validator
from voyageai_admin_rest.client import ClientCredentials
from voyageai_admin_rest.operations import OPERATIONS
from voyageai_admin_rest.spec import load
from voyageai_emulator import Emulator, in_process, running

from tests.emulator.test_batch_survival import serving

DOCUMENT = load()
PROJECT = "65f0a1b2c3d4e5f6a7b8c9d0"
IDS = {"groupId": PROJECT, "orgId": "5f0e1d2c3b4a596877665544"}
GROUP = {"cloud": "ANY", "geography": "ANY", "modelGroupName": "voyage_4"}
VERSION = "application/vnd.atlas.2025-03-12+json"
BODIES = {
    "createGroupModelKey": {"name": "a", "cloud": "ANY", "geography": "ANY"},
    "updateGroupModelKey": {"name": "b"},
    "updateGroupRateLimits": {"requestsPerMinuteLimit": 1, "tokensPerMinuteLimit": 1},
}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A new emulator for each test."""
    with running() as url:
        yield url


@pytest.fixture
def http(emulator: Emulator) -> Iterator[httpx2.Client]:
    """A client with a service account."""
    auth = ClientCredentials("any", "any")
    with httpx2.Client(base_url=emulator.origin, auth=auth) as client:
        yield client


def check(schema: str, body: Any) -> None:
    Draft202012Validator({**DOCUMENT, "$ref": schema}).validate(body)


def make_key(http: httpx2.Client, **changes: str) -> Any:
    body = {**BODIES["createGroupModelKey"], **changes}
    return http.post(f"/api/atlas/v2/groups/{PROJECT}/aiModelApiKeys", json=body).json()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_operation_answers_as_its_contract_says(http: httpx2.Client, operation: Any) -> None:
    """A client that can read these responses can read those of Atlas."""
    key = make_key(http, name="made before")
    path = operation.path
    for name, value in {**IDS, **GROUP, "apiKeyId": key["apiKeyId"]}.items():
        path = path.replace(f"{{{name}}}", value)
    body = BODIES.get(operation.id)
    response = http.request(operation.method, path, **({} if body is None else {"json": body}))
    answers = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
    expected = next(status for status in answers if status.startswith("2"))
    assert (expected, "emulator" in response.headers["x-emulator"]) == (
        str(response.status_code),
        True,
    )
    assert {name.lower() for name in answers[expected]["headers"]} <= set(response.headers)
    schema = answers[expected]["content"][VERSION].get("schema")
    if schema is None:
        assert b"" == response.content
        return
    assert VERSION == response.headers["content-type"]
    check(schema["$ref"], response.json())
    assert (operation.id == "createGroupModelKey") is ("secret" in response.json())


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", f"groups/{PROJECT}/aiModelApiKeys", {"name": ""}, 400, "BAD_REQUEST"),
        ("POST", f"groups/{PROJECT}/aiModelApiKeys", "{", 400, "VALIDATION_ERROR"),
        ("GET", f"groups/{PROJECT}/aiModelApiKeys?pageNum=0", None, 400, "VALIDATION_ERROR"),
        ("GET", "groups/NONE/aiModelApiKeys", None, 404, "RESOURCE_NOT_FOUND"),
        ("GET", f"groups/{PROJECT}/aiModelApiKeys/none", None, 404, "RESOURCE_NOT_FOUND"),
        ("DELETE", f"groups/{PROJECT}/aiModelApiKeys/none", None, 404, "RESOURCE_NOT_FOUND"),
    ],
)
def test_every_refusal_has_atlas_s_form(
    http: httpx2.Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    """Programs use the error code, and people read the detail."""
    arguments = (
        {"content": body} if isinstance(body, str) else {} if body is None else {"json": body}
    )
    response = http.request(method, f"/api/atlas/v2/{path}", **arguments)
    check("#/components/schemas/Error", response.json())
    assert (status, code, status) == (
        response.status_code,
        response.json()["errorCode"],
        response.json()["error"],
    )


def test_fields_that_are_wrong_are_named(http: httpx2.Client) -> None:
    """The response lists the fields in `badRequestDetail`, as Atlas does."""
    path = f"/api/atlas/v2/groups/{PROJECT}/aiModelApiKeys"
    response = http.post(path, json={"name": "a" * 251, "cloud": "ANY", "geography": "ANY"}).json()
    assert ["name"] == [each["field"] for each in response["badRequestDetail"]["fields"]]


@pytest.mark.parametrize(
    "header",
    [None, "Bearer none", "Basic YTpi", "Digest username=a", 'Digest username="a", nonce="b"'],
)
def test_without_credentials_there_is_a_challenge(emulator: Emulator, header: str | None) -> None:
    """A client with a key pair starts the digest authentication from the challenge."""
    headers = {} if header is None else {"authorization": header}
    url = f"{emulator.origin}/api/atlas/v2/groups/{PROJECT}/aiModelApiKeys"
    response = httpx2.get(url, headers=headers)
    assert 401 == response.status_code
    assert response.headers["www-authenticate"].startswith("Digest realm=")
    check("#/components/schemas/Error", response.json())


def test_a_digest_is_good_for_one_request(emulator: Emulator) -> None:
    """Somebody who intercepts a digest can't send it again."""
    path = f"/api/atlas/v2/groups/{PROJECT}/aiModelApiKeys"
    with httpx2.Client(base_url=emulator.origin, auth=httpx2.DigestAuth("a", "b")) as http:
        response = http.get(path)
    assert 200 == response.status_code
    replayed = {"authorization": response.request.headers["authorization"]}
    assert 401 == httpx2.get(f"{emulator.origin}{path}", headers=replayed).status_code


@pytest.mark.parametrize(
    ("header", "grant", "status"),
    [
        ("Basic YTpi", "client_credentials", 200),
        ("Basic YTpi", "password", 400),
        ("Basic YTo=", "client_credentials", 401),
        ("Basic !", "client_credentials", 401),
        (None, "client_credentials", 401),
    ],
)
def test_a_token_is_for_an_id_and_its_secret(
    emulator: Emulator, header: str | None, grant: str, status: int
) -> None:
    """Any credentials are accepted unless the settings name some."""
    headers = {} if header is None else {"authorization": header}
    url = f"{emulator.origin}/api/oauth/token"
    response = httpx2.post(url, headers=headers, data={"grant_type": grant})
    assert status == response.status_code
    if status == 200:
        assert ("Bearer", 3600) == (response.json()["token_type"], response.json()["expires_in"])


@pytest.mark.parametrize(
    ("geography", "host"), [("ANY", "ai.mongodb.com"), ("eu", "eu.ai.mongodb.com")]
)
def test_at_atlas_s_address_keys_name_the_api_s_hosts(geography: str, host: str) -> None:
    """A client with a transport to the emulator then still knows the API's real hosts."""
    auth = ClientCredentials("any", "any")
    with (
        in_process() as emulator,
        httpx2.Client(
            transport=emulator.transport, base_url="https://cloud.mongodb.com", auth=auth
        ) as http,
    ):
        key = make_key(http, geography=geography)
        assert host == key["endpoint"]
        headers = {"authorization": f"Bearer {key['secret']}"}
        body = {"input": "a", "model": "voyage-4"}
        for name, status in ((host, 200), ("api.voyageai.com", 401)):
            response = http.post(
                f"https://{name}/v1/embeddings", json=body, headers=headers, auth=None
            )
            assert (name, status) == (name, response.status_code)


def test_keys_that_are_made_open_an_emulator_with_a_key_of_its_own() -> None:
    """An emulator with a pinned key accepts the keys made here as well, and no others."""
    with running(api_key="own") as emulator:
        auth = ClientCredentials("any", "any")
        with httpx2.Client(base_url=emulator.origin, auth=auth) as http:
            secret = make_key(http)["secret"]
        body = {"input": "a", "model": "voyage-4"}
        found = {
            key: httpx2.post(
                f"{emulator}/embeddings", json=body, headers={"authorization": f"Bearer {key}"}
            ).status_code
            for key in ("own", secret, "other")
        }
    assert {"own": 200, secret: 200, "other": 401} == found


def test_requests_are_recorded_and_meet_faults(emulator: Emulator) -> None:
    """Admin requests are recorded and can get faults like requests to models."""
    emulator.faults.next("status", status=503, operation="listGroupModelKeys")
    auth = ClientCredentials("any", "any")
    with httpx2.Client(base_url=emulator.origin, auth=auth) as http:
        path = f"/api/atlas/v2/groups/{PROJECT}/aiModelApiKeys"
        assert [503, 200] == [http.get(path).status_code for _ in range(2)]
    assert [None, "listGroupModelKeys", "listGroupModelKeys"] == [
        each.operation for each in emulator.requests
    ]
    assert "any" not in str([each.headers for each in emulator.requests])


def uses(url: str, secret: str) -> int:
    """Send a request with a key, and return the status."""
    headers = {"authorization": f"Bearer {secret}"}
    body = {"input": "a", "model": "voyage-4"}
    return httpx2.post(f"{url}/embeddings", json=body, headers=headers).status_code


def test_keys_and_limits_outlive_an_emulator_that_is_killed(tmp_path: Path) -> None:
    """Changes that were answered are kept, and a deleted key stays refused."""
    state, keys = tmp_path / "state.db", f"/api/atlas/v2/groups/{PROJECT}/aiModelApiKeys"
    limit = (
        f"/api/atlas/v2/groups/{PROJECT}/aiModelApiClouds/ANY/geographies/ANY/modelGroupNames/"
        "{}/rateLimits"
    )
    auth = ClientCredentials("any", "any")
    low = {"requestsPerMinuteLimit": 1, "tokensPerMinuteLimit": 10}
    with serving(state) as (_, url), httpx2.Client(base_url=origin(url), auth=auth) as http:
        kept, deleted = make_key(http, name="kept"), make_key(http, name="deleted")
        assert 200 == uses(url, kept["secret"])
        http.patch(f"{keys}/{kept['apiKeyId']}", json={"name": "renamed"})
        http.delete(f"{keys}/{deleted['apiKeyId']}")
        for group in ("voyage_4", "rerank_2_5"):
            assert 200 == http.patch(limit.format(group), json=low).status_code
        http.post(limit.format("rerank_2_5") + ":reset")
        before = http.get(keys).json()["results"]
        limits = http.get(f"/api/atlas/v2/groups/{PROJECT}/aiModelApiRateLimits").json()["results"]
    with serving(state) as (_, url), httpx2.Client(base_url=origin(url), auth=auth) as http:
        found = http.get(keys).json()["results"]
        host = origin(url).removeprefix("http://")
        assert [{**each, "endpoint": host} for each in before] == found
        assert ("renamed", True) == (found[0]["name"], "lastUsedAt" in found[0])
        after = http.get(f"/api/atlas/v2/groups/{PROJECT}/aiModelApiRateLimits").json()["results"]
        assert [{**each, "endpoint": host} for each in limits] == after
        assert [low] == [
            {name: each[name] for name in low}
            for each in after
            if each["modelGroupName"] in ("voyage_4", "rerank_2_5")
            and each["requestsPerMinuteLimit"] == 1
        ]
        assert [200, 429, 401] == [
            uses(url, kept["secret"]),
            uses(url, kept["secret"]),
            uses(url, deleted["secret"]),
        ]
        assert (
            400
            == http.post(
                keys, json={**BODIES["createGroupModelKey"], "name": "renamed"}
            ).status_code
        )
        http.post(f"/api/atlas/v2/groups/{PROJECT}/aiModelApiRateLimits:reset")
    with serving(state) as (_, url), httpx2.Client(base_url=origin(url), auth=auth) as http:
        assert 2000 == http.get(limit.format("voyage_4")).json()["requestsPerMinuteLimit"]
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"renamed" in content
    assert not [key for key in (kept, deleted) if key["secret"].encode() in content]


def origin(url: str) -> str:
    """Return the origin of an emulator's URL."""
    return url.removesuffix("/v1")
