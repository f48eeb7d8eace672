"""Secrets appear in no repr, pickle, log, error or traceback."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from typing import Any

import httpx2
import pytest
from voyageai import error
from voyageai.admin import Admin, ModelKey
from voyageai.transport.logs import BODIES, LOGGER

from .conftest import ACCOUNT, PROJECT, Transport, token

SECRET = "al-" + "0123456789abcdefghij" * 2
KEY = {"apiKeyId": "k", "name": "a", "secret": SECRET, "endpoint": "ai.mongodb.com"}
HIDDEN = (SECRET, ACCOUNT["client_secret"], "token-1")


def answer_with(status: int, body: Any) -> Transport:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("token"):
            return token()
        return httpx2.Response(status, **body)

    return Transport(answer)


def everything_about(failure: BaseException) -> str:
    """Return all that an error tracker could collect: messages, attributes, locals of frames."""
    shown: list[str] = []
    links: list[BaseException | None] = [failure]
    while links:
        link = links.pop()
        if link is not None:
            shown += [repr(link), str(link), repr(vars(link))]
            frames = (frame for frame, _ in traceback.walk_tb(link.__traceback__))
            ours = (
                frame for frame in frames if not frame.f_globals["__name__"].startswith("tests")
            )
            shown += [repr(frame.f_locals) for frame in ours]
            links += [link.__cause__, link.__context__]
    return "\n".join(shown)


def shown_of(text: object) -> list[str]:
    return [secret for secret in HIDDEN if secret in str(text)]


def test_a_new_key_shows_its_secret_when_asked_for_it_alone(face: Any) -> None:
    """Only an explicit access shows the secret, never a repr or a conversion."""
    admin = face(**ACCOUNT, transport=answer_with(201, {"json": KEY}))
    key = admin("keys.create", "a", project=PROJECT)
    assert SECRET == key.secret
    assert [] == shown_of([key, repr(key.secret), admin.admin, vars(admin.admin), key.client()])
    assert [] == shown_of(repr(vars(key)))


def test_a_pickle_of_a_key_has_no_secret() -> None:
    """Pickles are written to disks and sent to other machines."""
    with Admin(**ACCOUNT, transport=answer_with(201, {"json": KEY})) as admin:
        key = admin.keys.create("a", project=PROJECT)
    stored = pickle.dumps(key)
    assert SECRET.encode() not in stored
    restored: ModelKey = pickle.loads(stored)
    assert ("k", "a", None) == (restored.id, restored.name, restored.secret)
    assert key.base_url == restored.base_url
    assert SECRET == copy.copy(key).secret == copy.deepcopy(key).secret


def test_a_client_with_credentials_is_not_pickled(face: Any) -> None:
    """The credentials administer the whole project, and a pickle would spread them."""
    with pytest.raises(TypeError, match="holds credentials"):
        pickle.dumps(face(**ACCOUNT).admin)


@pytest.mark.parametrize(
    "body",
    [
        {"json": {**KEY, "name": 7}},
        {"json": [KEY]},
        {"content": f'{{"secret": "{SECRET}"'.encode()},
        {"json": {**KEY, "secret": [SECRET]}},
        {"json": KEY, "status": 200},
    ],
    ids=["a wrong field", "a list", "half a body", "a wrong secret", "another success"],
)
def test_a_malformed_answer_with_a_secret_is_not_kept(face: Any, body: Any) -> None:
    """The error says what is wrong, and that a key may have been created, without its secret."""
    transport = answer_with(body.get("status", 201), {k: body[k] for k in body if k != "status"})
    admin = face(**ACCOUNT, transport=transport)
    with pytest.raises(error.MalformedResponseError, match=r"may have been created") as caught:
        admin("keys.create", "a", project=PROJECT)
    assert [] == shown_of(everything_about(caught.value))
    assert caught.value.http_body is None
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_no_refusal_shows_credentials(face: Any, status: int) -> None:
    """Error trackers keep the locals of every frame."""
    refused = {"json": {"error": status, "errorCode": "NO", "detail": "no"}}
    admin = face(**ACCOUNT, transport=answer_with(status, refused))
    with pytest.raises(error.VoyageError, match="no") as caught:
        admin("keys.list", project=PROJECT)
    assert [] == shown_of(everything_about(caught.value))


def test_no_log_has_a_secret(face: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Even the debug log of bodies leaves secrets out."""
    levels = LOGGER.level, BODIES.level
    LOGGER.setLevel(logging.DEBUG)
    BODIES.setLevel(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG):
            admin = face(**ACCOUNT, transport=answer_with(201, {"json": KEY}))
            admin("keys.create", "a", project=PROJECT)
    finally:
        LOGGER.setLevel(levels[0])
        BODIES.setLevel(levels[1])
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert "aiModelApiKeys" in text
    assert '"name":"a"' in text
    assert [] == shown_of(text)


def test_arguments_show_no_secret_in_a_traceback() -> None:
    """The error for a wrong argument is raised while credentials are in local variables."""
    with pytest.raises(error.ArgumentError) as caught:
        Admin(**ACCOUNT, max_retries=-1)
    assert [] == shown_of(everything_about(caught.value))
