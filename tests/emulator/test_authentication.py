"""The hosts of the API, with the models, operations and keys of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import attrs
import httpx2
import pytest
from starlette.types import ASGIApp
from voyageai_emulator.app import Application
from voyageai_emulator.authentication import Authenticator
from voyageai_emulator.contract import Contract
from voyageai_emulator.recording import fingerprint
from voyageai_emulator.responses import ApiError
from voyageai_emulator.settings import Settings
from voyageai_emulator.state import EmulatorState
from voyageai_rest.catalogue import MODELS
from voyageai_rest.operations import OPERATIONS, SERVERS, Operation, Server

from tests.emulator.contract_client import DOCUMENT, send
from tests.emulator.test_validation import VALID

INVALID = {"detail": "Provided API key is invalid."}
LOCAL = "127.0.0.1:8000"
HOSTS = {server.name: httpx2.URL(server.url).host for server in SERVERS}
KEYS = {"voyage": "pa-1", "atlas": "al-1", "us": "al-us-1", "eu": "al-eu-1"}
RETIRED = {
    **MODELS,
    "voyage-1": attrs.evolve(
        MODELS["voyage-3.5"], name="voyage-1", lifecycle="retired", replacement="voyage-4"
    ),
}
CONTRACT = {operation.id: operation for operation in Contract(DOCUMENT).operations}
each_server = pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)


def application(**settings: Any) -> ASGIApp:
    """Return an emulator without a socket."""
    return Application(Settings(**settings))


def supported(endpoint: str, platform: str | None) -> list[str]:
    """Return the models that a platform's refusal lists."""
    return [
        model.name
        for model in MODELS.values()
        if model.endpoint == endpoint and (platform is None or platform in model.platforms)
    ]


def refusal(endpoint: str, platform: str | None) -> tuple[int, dict[str, str]]:
    """Return the status and body of the refusal of an unknown model."""
    listed = supported(endpoint, platform)
    return 400, {"detail": f"Model none is not supported. Supported models are {listed}."}


@each_server
@pytest.mark.parametrize("path", VALID)
def test_a_host_serves_the_models_of_its_platform(server: Server, path: str) -> None:
    """Code that moves to another host learns here which models it loses."""
    body = {**VALID[path], "model": "none"}
    response = send(application(), "POST", path, body, base=server.url, key=KEYS[server.name])
    expected = refusal(path.strip("/"), server.platform)
    assert expected == (response.status_code, response.json())


@each_server
def test_a_model_of_another_platform_is_not_there(server: Server) -> None:
    """A model that only other platforms have is refused like an unknown one."""
    app = application()
    for name in ("voyage-4", "voyage-3.5", "voyage-3"):
        body = {"input": "a", "model": name}
        response = send(app, "POST", "/embeddings", body, base=server.url, key=KEYS[server.name])
        expected = 200 if server.platform in MODELS[name].platforms else 400
        assert (name, expected) == (name, response.status_code)


@each_server
def test_the_settings_name_a_host_for_all_requests(server: Server) -> None:
    """The host name can't tell when the server is reached at 127.0.0.1."""
    app = application(platform=server.name)
    for base in ("http://127.0.0.1/v1", SERVERS[0].url):
        body = {"input": "a", "model": "none"}
        response = send(app, "POST", "/embeddings", body, base=base, key=KEYS[server.name])
        assert refusal("embeddings", server.platform) == (response.status_code, response.json())


def test_an_unknown_host_allows_every_platform() -> None:
    """Users who do not choose a host can use all models and keys."""
    app = application()
    for key in KEYS.values():
        response = send(app, "POST", "/embeddings", {"input": "a", "model": "none"}, key=key)
        assert refusal("embeddings", None) == (response.status_code, response.json())


@pytest.mark.parametrize("host", ["ai.mongodb.com:443", "AI.MongoDB.com", "ai.mongodb.com"])
def test_hosts_are_reported_by_name_only(host: str) -> None:
    """A client may send a port, and write the host in any case."""
    assert "atlas" == Authenticator().authenticate(host, "Bearer al-1").platform


@pytest.mark.parametrize("host", ["", "[::1]:80", "api.voyageai.com.evil.example", ":"])
def test_a_lookalike_host_is_unknown(host: str) -> None:
    """A name that only looks like one of the API's hosts gets none of their rules."""
    assert Authenticator().authenticate(host, "Bearer al-1").platform is None


@each_server
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_a_host_has_the_operations_that_the_contract_says(
    server: Server, operation: Operation
) -> None:
    """Files and batches are documented for one host only."""
    for authenticator, host in (
        (Authenticator(), HOSTS[server.name]),
        (Authenticator(platform=server.name), LOCAL),
    ):
        if server.name in operation.servers:
            authenticator.check_operation(CONTRACT[operation.id], host)
        else:
            with pytest.raises(ApiError, match="Not Found") as caught:
                authenticator.check_operation(CONTRACT[operation.id], host)
            assert 404 == caught.value.status


def test_an_operation_of_another_document_is_everywhere() -> None:
    """An operation that is not in the shipped contract has no list of hosts."""
    Authenticator(platform="eu").check_operation(CONTRACT["listFiles"]._replace(id="other"), LOCAL)


@pytest.mark.parametrize("key", [None, "pa-1", "al-1"])
def test_an_operation_that_a_host_lacks_is_an_unknown_path(key: str | None) -> None:
    """The answer is a 404 before body and key are checked, as for any unknown path."""
    app = application(platform="atlas")
    for method, path in (("POST", "/batches"), ("POST", "/files/delete"), ("GET", "/files")):
        response = send(app, method, path, {"no": "sense"}, key=key)
        nowhere = send(app, method, "/nowhere", {"no": "sense"}, key=key)
        assert (404, {"detail": "Not Found"}) == (response.status_code, response.json())
        assert nowhere.json() == response.json()


@pytest.mark.parametrize(
    ("platform", "key", "accepted"),
    [
        ("voyage", "pa-1", True),
        ("voyage", "any", True),
        ("voyage", "al-1", False),
        ("voyage", "al-eu-1", False),
        ("atlas", "al-1", True),
        ("atlas", "al-eu", True),
        ("atlas", "al-eu-1", False),
        ("atlas", "al-us-1", False),
        ("atlas", "pa-1", False),
        ("atlas", "AL-1", False),
        ("us", "al-us-1", True),
        ("us", "al-1", False),
        ("us", "al-eu-1", False),
        ("us", "other-1", False),
        ("eu", "al-eu-1", True),
        ("eu", "al-1", False),
        ("eu", "al-us-1", False),
    ],
)
def test_a_key_opens_the_hosts_of_its_style(platform: str, key: str, accepted: bool) -> None:
    """A key at the wrong host is a common mistake, which the response does not explain."""
    for authenticator, host in (
        (Authenticator(), HOSTS[platform]),
        (Authenticator(platform=platform), LOCAL),
    ):
        if accepted:
            assert (fingerprint(key), platform) == authenticator.authenticate(host, f"Bearer {key}")
            continue
        with pytest.raises(ApiError) as caught:
            authenticator.authenticate(host, f"Bearer {key}")
        assert (401, INVALID) == (caught.value.status, caught.value.body())


@pytest.mark.parametrize(
    "key",
    [
        "schlüssel".encode(),
        "ключ".encode(),
        b"\xff\xfe",
        b"two words",
        b"tab\tinside",
        b"no-break\xa0",
        b"\xa0",
        b"k" * 1025,
    ],
)
@pytest.mark.parametrize("pinned", [None, "right"])
def test_an_invalid_key_is_refused_like_a_wrong_one(key: bytes, pinned: str | None) -> None:
    """Users paste other texts where a key belongs, and get the API's refusal."""
    with pytest.raises(ApiError) as caught:
        Authenticator(pinned).authenticate(LOCAL, f"Bearer {key.decode('latin-1')}")
    assert (401, INVALID) == (caught.value.status, caught.value.body())


def test_a_header_that_is_not_text_is_no_server_error(url: str) -> None:
    """A server error would hide that the key is wrong."""
    headers = [(b"authorization", b"Bearer \xc3\xa4\xff")]
    response = httpx2.post(f"{url}/embeddings", json=VALID["/embeddings"], headers=headers)
    assert (401, INVALID) == (response.status_code, response.json())


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer \t ", "Basic abc", "key", "Bearer\tk"]
)
def test_without_a_key_no_request_is_authorized(authorization: str | None) -> None:
    """The message differs from that for a wrong key."""
    with pytest.raises(ApiError, match="Unauthorized") as caught:
        Authenticator().authenticate(LOCAL, authorization)
    assert 401 == caught.value.status


@pytest.mark.parametrize("key", ["wrong", "righ", "rightt", "RIGHT"])
def test_a_pinned_key_is_the_only_one(key: str) -> None:
    """Users can test how their code handles a refused key."""
    with pytest.raises(ApiError) as caught:
        Authenticator("right").authenticate(LOCAL, f"Bearer {key}")
    assert (401, INVALID) == (caught.value.status, caught.value.body())


def test_a_key_may_stand_in_spaces() -> None:
    """HTTP allows spaces around the value, and any case of the scheme."""
    assert Authenticator("right").authenticate(LOCAL, "bearer   right \t").owner == fingerprint(
        "right"
    )


def test_a_retired_model_is_gone_where_the_policy_holds() -> None:
    """The 410 names the replacement; it is sent only by hosts with a retirement policy."""
    body = {"input": "a", "model": "voyage-1"}
    response = send(application(models=RETIRED), "POST", "/embeddings", body)
    assert 410 == response.status_code
    for name, expected in (("voyage", 200), ("atlas", 410), ("us", 400), ("eu", 400)):
        app = application(models=RETIRED, platform=name)
        response = send(app, "POST", "/embeddings", body, key=KEYS[name])
        assert (name, expected) == (name, response.status_code)
        if expected == 410:
            assert "voyage-4" in response.json()["detail"]


def test_an_unknown_host_is_refused_with_the_known_ones() -> None:
    """The error comes at the start, where the mistake was made."""
    with pytest.raises(ValueError, match="one of voyage, atlas, us, eu, not 'geography'"):
        EmulatorState(Settings(platform="geography"))


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "secret\n", "s" * 1025])
def test_a_key_that_can_not_be_sent_is_refused_at_the_start(key: str) -> None:
    """The error does not repeat the value, which may be most of a real key."""
    with pytest.raises(ValueError, match="api_key must be ASCII") as caught:
        EmulatorState(Settings(api_key=key))
    assert not key or key not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    """Settings are printed in logs and in the output of failed tests."""
    settings = Settings(api_key="pa-secret", admin_token="secret-token")
    shown = repr(replace(settings, tier="free"))
    assert "secret" not in shown
    assert "tier='free'" in shown
