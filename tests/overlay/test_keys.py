"""Where a client finds its key and its host."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import voyageai
from voyageai.api_resources.api_requestor import APIRequestor
from voyageai.error import ArgumentError, AuthenticationError
from voyageai_rest.operations import SERVERS

from .conftest import KEY


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return two files with a key each."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("key-of-module-path\n")
    second.write_text("  key-of-variable-path \n")
    return first, second


def test_places_are_searched_in_the_documented_order(files, monkeypatch):
    """Users rely on which place wins, as the vendor documents it."""
    expected = [
        "key-of-argument",
        "key-of-module-path",
        "key-of-variable-path",
        "key-of-module",
        "key-of-variable",
        None,
    ]
    found = []
    monkeypatch.setattr(voyageai, "api_key_path", str(files[0]))
    monkeypatch.setenv("VOYAGE_API_KEY_PATH", str(files[1]))
    monkeypatch.setattr(voyageai, "api_key", "key-of-module")
    monkeypatch.setenv("VOYAGE_API_KEY", "key-of-variable")
    found.append(voyageai.Client("key-of-argument").api_key)
    found.append(voyageai.Client().api_key)
    monkeypatch.setattr(voyageai, "api_key_path", None)
    found.append(voyageai.Client().api_key)
    monkeypatch.delenv("VOYAGE_API_KEY_PATH")
    found.append(voyageai.Client().api_key)
    monkeypatch.setattr(voyageai, "api_key", None)
    found.append(voyageai.Client().api_key)
    monkeypatch.delenv("VOYAGE_API_KEY")
    found.append(voyageai.Client().api_key)

    assert expected == found


def test_a_client_without_a_key_constructs_and_its_first_call_explains(face):
    """Local models need no key, and for all others the error lists where keys are looked for."""
    client = face.client(api_key=None)

    with pytest.raises(AuthenticationError, match="VOYAGE_API_KEY_PATH") as raised:
        face.call(client, "embed", ["a"], model="voyage-4")

    assert [] == face.requests
    assert str(raised.value).startswith("An API key is required for API-based models.")


@pytest.mark.parametrize("content", [None, "", b"\xff\xfe"])
def test_an_unusable_key_file_is_an_error_that_names_it(content, tmp_path, monkeypatch):
    """A stale path must not silently hide a valid key in the environment."""
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    monkeypatch.setenv("VOYAGE_API_KEY", "valid")
    monkeypatch.setenv("VOYAGE_API_KEY_PATH", str(path))

    with pytest.raises(AuthenticationError, match="VOYAGE_API_KEY_PATH") as raised:
        voyageai.Client()

    assert str(path) in str(raised.value)


def test_white_space_around_a_key_is_stripped(face, monkeypatch):
    """A newline from a secrets file would otherwise break the header and leak the key."""
    monkeypatch.setenv("VOYAGE_API_KEY", " pa-x\n")
    client = face.client(api_key=None)
    face.call(client, "embed", ["a"], model="voyage-4")

    assert "Bearer pa-x" == face.requests[-1].headers["authorization"]


@pytest.mark.parametrize("key", ["pa-ключ", "pa-é", "two\nlines", "pa-\x07bell", "pa-\x7f"])
def test_a_text_that_no_header_can_hold_is_refused_without_being_shown(key):
    """The text may be a secret of any kind."""
    with pytest.raises(AuthenticationError, match="can't be sent in a header") as raised:
        voyageai.Client(api_key=key)

    assert key not in str(raised.value) + repr(raised.value)


@pytest.mark.parametrize(
    "key", ["A FAKE KEY", "YOUR KEY HERE", "<your key>", "sk-...", "two\twords", "$VOYAGE_API_KEY"]
)
def test_whether_a_text_is_a_key_is_for_the_server_to_say(face, key, monkeypatch):
    """Tests and gateways use placeholders, and any text that fits in a header is sent."""
    monkeypatch.setenv("VOYAGE_API_KEY", key)
    for client in (face.client(api_key=key), face.client(api_key=None)):
        face.call(client, "embed", ["a"], "voyage-4", "query")
        assert f"Bearer {key}" == face.requests[-1].headers["authorization"]


class SecretStr:
    """A secret like pydantic's, whose `str` is a mask."""

    def get_secret_value(self):
        return "pa-hidden"

    def __len__(self):
        return 0

    def __str__(self):
        return "**********"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (SecretStr(), r"not of type SecretStr; pass the result of \.get_secret_value\(\)"),
        (b"pa-hidden", r"not of type bytes; pass the result of \.decode\(\)"),
        (b"", "not of type bytes"),
        (5, "not of type int; pass the key itself"),
        (0, "not of type int"),
        (lambda: "pa-hidden", "not of type function; pass the key itself"),
        (["pa-hidden"], "not of type list"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_key_must_be_a_string(face, given, message, monkeypatch):
    """The `str` of another object is often not the key but a mask or a function's name."""
    client = face.client()
    with pytest.raises(AuthenticationError, match=f"argument api_key must be a string, {message}"):
        face.client(api_key=given)
    with pytest.raises(AuthenticationError, match=message):
        client.with_options(api_key=given)
    with pytest.raises(AuthenticationError, match=message):
        APIRequestor(given)
    with pytest.raises(AuthenticationError, match=message):
        voyageai.util.api_key_to_header(given)
    monkeypatch.setattr(voyageai, "api_key", given)
    with pytest.raises(AuthenticationError, match=message) as raised:
        face.client(api_key=None)

    assert str(raised.value).startswith("The API key from voyageai.api_key must be")
    assert "hidden" not in str(raised.value)


def test_a_key_that_is_set_later_is_looked_at_when_it_is_used(face):
    """Frameworks set the key in the client's `_params` after creating it."""
    client = face.client()
    client._params["api_key"] = " al-later\n"
    face.call(client, "embed", ["a"], "voyage-4", "query")
    assert "Bearer al-later" == face.requests[-1].headers["authorization"]
    client._params["api_key"] = SecretStr()
    with pytest.raises(AuthenticationError, match="must be a string, not of type SecretStr"):
        face.call(client, "embed", ["a"], "voyage-4", "query")
    client._params["api_key"] = None
    with pytest.raises(AuthenticationError, match="An API key is required"):
        face.call(client, "embed", ["a"], "voyage-4", "query")

    assert 1 == len(face.requests)


@pytest.mark.parametrize(
    ("argument", "variable", "key", "expected"),
    [
        (None, None, "pa-1", "https://api.voyageai.com/v1"),
        (None, None, "al-1", "https://ai.mongodb.com/v1"),
        (None, None, "AL-1", "https://api.voyageai.com/v1"),
        (None, None, "al-eu-1", "https://eu.ai.mongodb.com/v1"),
        (None, None, "al-us-1", "https://us.ai.mongodb.com/v1"),
        (None, None, "al-eu", "https://ai.mongodb.com/v1"),
        (None, None, "al-euro-1", "https://ai.mongodb.com/v1"),
        (None, None, "eu-1", "https://api.voyageai.com/v1"),
        ("atlas", None, "al-eu-1", "https://ai.mongodb.com/v1"),
        ("eu", None, "al-1", "https://eu.ai.mongodb.com/v1"),
        ("us", "http://other/v1", "al-1", "https://us.ai.mongodb.com/v1"),
        ("http://localhost:1/v1/", None, "pa-1", "http://localhost:1/v1"),
        (None, "http://localhost:2/v1", "al-1", "http://localhost:2/v1"),
    ],
)
def test_the_host_is_the_argument_then_the_variable_then_the_keys(
    argument, variable, key, expected, monkeypatch
):
    """A key works only on the platform that issued it, so the key selects the host."""
    if variable:
        monkeypatch.setenv("VOYAGE_BASE_URL", variable)

    assert expected == voyageai.Client(api_key=key, base_url=argument)._params["base_url"]


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_a_key_with_the_prefix_of_a_host_goes_there(server):
    """A key for a geography starts like a key without one, and only its own host accepts it."""
    key = f"{server.key_prefix or 'pa-'}any"

    assert server.url == voyageai.Client(api_key=key)._params["base_url"]
    assert server.url == voyageai.util.get_default_base_url(key)


@pytest.mark.parametrize(
    "wrong", ["uk", "http://a b", "https://u:p@a/v1", "https://a:99999", "http://"]
)
def test_a_wrong_base_url_is_blamed_on_the_variable_that_holds_it(wrong, monkeypatch):
    """A user who passed no base_url would not know where to look."""
    with pytest.raises(ArgumentError, match=r"^base_url ") as passed:
        voyageai.Client(api_key="k", base_url=wrong)
    monkeypatch.setenv("VOYAGE_BASE_URL", wrong)
    with pytest.raises(ArgumentError, match=r"^VOYAGE_BASE_URL ") as named:
        voyageai.Client(api_key="k")

    assert str(named.value) == str(passed.value).replace("base_url", "VOYAGE_BASE_URL", 1)


def test_an_invalid_base_url_is_refused_with_the_known_names():
    """`base_url="uk"` would otherwise fail deep inside the HTTP library."""
    with pytest.raises(ArgumentError, match="'voyage', 'atlas', 'us', 'eu'"):
        voyageai.Client(api_key="k", base_url="uk")


def test_the_key_is_in_no_repr(face, key):
    """Programs log reprs."""
    client = pickle.loads(pickle.dumps(face.client()))

    assert key == client.api_key
    assert key not in repr(client)
    assert key not in repr(vars(client))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copied_client_keeps_its_key_and_its_connections(face, key, duplicate):
    """Frameworks deep-copy objects that hold a client whose key was passed as an argument."""
    client = face.client(max_retries=2)
    copied = duplicate(client)

    assert (key, key, 2) == (copied.api_key, copied._params["api_key"], copied.max_retries)
    copied._params["base_url"] = "https://elsewhere.test/v1"
    face.call(copied, "embed", ["a"], "voyage-4", "query")
    face.call(client, "embed", ["a"], "voyage-4", "query")
    hosts = [request.url.host for request in face.requests]
    assert ["elsewhere.test", "api.voyageai.com"] == hosts


@pytest.mark.parametrize("place", ["argument", "module", "path", "variable", "options"])
def test_an_unpickled_client_has_its_key_wherever_it_was_found(face, place, tmp_path, monkeypatch):
    """Spark, Ray, Daft and process pools send clients to workers with another environment."""
    with monkeypatch.context() as here:
        if place == "module":
            here.setattr(voyageai, "api_key", "al-here")
        elif place == "path":
            (tmp_path / "key").write_text("al-here\n")
            here.setenv("VOYAGE_API_KEY_PATH", str(tmp_path / "key"))
        elif place == "variable":
            here.setenv("VOYAGE_API_KEY", "al-here")
        client = face.client(api_key="al-here" if place == "argument" else None)
        if place == "options":
            client = client.with_options(api_key="al-here")
        pickled = pickle.dumps(client)
    monkeypatch.setenv("VOYAGE_API_KEY", "pa-of-worker")
    monkeypatch.setenv("VOYAGE_BASE_URL", "http://localhost:2/v1")
    found = pickle.loads(pickled)

    assert ("al-here", "al-here") == (found.api_key, found._params["api_key"])
    assert "https://ai.mongodb.com/v1" == found._params["base_url"]
    assert "http://localhost:2/v1" == found.with_options(api_key="pa-x")._params["base_url"]


def test_an_unpickled_client_has_its_settings(face):
    """All settings that can be pickled survive, including later changes."""
    policy = voyageai.RetryPolicy(max_retries=3)
    client = face.client(timeout=5, deadline=9, rate_limit=2, input_types={"embed": "query"})
    client.max_retries = policy
    client._params["base_url"] = "http://localhost:1/v1"
    found = pickle.loads(pickle.dumps(client))

    assert policy == found.max_retries
    assert client._params == found._params
    assert repr(client._limiter) == repr(found._limiter)
    assert found._limiter is not client._limiter
    expected = {"deadline": 9, "input_types": {"embed": "query"}}
    assert expected == {name: found._settings[name] for name in expected}
    assert not any(name in found._settings for name in ("transport", "http_client", "proxy"))


def test_a_client_that_was_pickled_without_a_key_looks_for_one_where_it_is(face, monkeypatch):
    """The worker's key is used, with the host that this key belongs to."""
    pickled = pickle.dumps(face.client(api_key=None, max_retries=1))
    monkeypatch.setenv("VOYAGE_API_KEY", "al-of-worker")
    found = pickle.loads(pickled)

    assert ("al-of-worker", 1) == (found.api_key, found.max_retries)
    assert "https://ai.mongodb.com/v1" == found._params["base_url"]


def test_a_process_pool_takes_a_client(face):
    """A spawned process has nothing but what was pickled."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert KEY == pool.submit(getattr, face.client(), "api_key").result()
        assert KEY == pool.submit(str, face.client().api_key).result()


def test_copied_parameters_keep_the_key(face, key):
    """A copy in the same process leaks nothing."""
    assert key == copy.deepcopy(face.client()._params)["api_key"]
