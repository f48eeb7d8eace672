"""Where the key and the host come from."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import voyageai
from voyageai.error import ArgumentError, AuthenticationError
from voyageai_rest.operations import SERVERS


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two files with a key each."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("key-of-module-path\n")
    second.write_text("  key-of-variable-path \n")
    return first, second


def test_places_are_searched_in_the_documented_order(files, monkeypatch):
    """The order is the API owner's, and users rely on which place wins."""
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
    """Local models need no key; everything else says where keys are looked for."""
    client = face.client(api_key=None)

    with pytest.raises(AuthenticationError, match="VOYAGE_API_KEY_PATH") as raised:
        face.call(client, "embed", ["a"], model="voyage-4")

    assert [] == face.requests
    assert str(raised.value).startswith("An API key is required for API-based models.")


@pytest.mark.parametrize("content", [None, "", b"\xff\xfe"])
def test_a_named_key_file_that_is_no_good_is_an_error_that_names_it(content, tmp_path, monkeypatch):
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


@pytest.mark.parametrize("key", ["pa-ключ", "two words", "pa-\x07bell"])
def test_a_text_that_can_be_no_key_is_refused_without_being_shown(key):
    """Whatever it is, it may be secret."""
    with pytest.raises(AuthenticationError) as raised:
        voyageai.Client(api_key=key)

    assert key not in str(raised.value) + repr(raised.value)


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
    """Keys of one platform do not work on the other."""
    if variable:
        monkeypatch.setenv("VOYAGE_BASE_URL", variable)

    assert expected == voyageai.Client(api_key=key, base_url=argument)._params["base_url"]


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_a_key_with_the_prefix_of_a_host_goes_there(server):
    """Keys of a geography begin like those without one; each is refused at the other's host."""
    key = f"{server.key_prefix or 'pa-'}any"

    assert server.url == voyageai.Client(api_key=key)._params["base_url"]
    assert server.url == voyageai.util.get_default_base_url(key)


def test_a_base_url_that_is_none_is_refused_with_the_names_that_are():
    """`base_url="uk"` would otherwise fail deep inside the HTTP library."""
    with pytest.raises(ArgumentError, match="'voyage', 'atlas', 'us', 'eu'"):
        voyageai.Client(api_key="k", base_url="uk")


def test_the_key_is_in_no_repr_and_no_pickle(face, key):
    """Reprs end up in logs, pickles in queues and caches."""
    client = face.client()

    assert key not in repr(client)
    assert key not in repr(vars(client))
    assert key.encode() not in pickle.dumps(client)
    assert key.encode() not in pickle.dumps(client._params)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copied_client_keeps_its_key_and_its_connections(face, key, duplicate):
    """Frameworks copy the objects that hold it, deep ones too; its key was given by hand."""
    client = face.client(max_retries=2)
    copied = duplicate(client)

    assert (key, key, 2) == (copied.api_key, copied._params["api_key"], copied.max_retries)
    copied._params["base_url"] = "https://elsewhere.test/v1"
    face.call(copied, "embed", ["a"], "voyage-4", "query")
    face.call(client, "embed", ["a"], "voyage-4", "query")
    hosts = [request.url.host for request in face.requests]
    assert ["elsewhere.test", "api.voyageai.com"] == hosts


def test_an_unpickled_client_looks_for_a_key_where_it_is(face, monkeypatch):
    """Frameworks send clients to workers, which have the key in their own environment."""
    client = face.client(max_retries=3, timeout=5, base_url="http://localhost:1/v1")
    monkeypatch.setenv("VOYAGE_API_KEY", "key-of-worker")
    copied = pickle.loads(pickle.dumps(client))

    assert "key-of-worker" == copied.api_key
    assert 3 == copied.max_retries
    expected = {"request_timeout": 5, "base_url": "http://localhost:1/v1"}
    assert expected == {name: copied._params[name] for name in expected}


def test_copied_parameters_keep_the_key(face, key):
    """A copy in the same process is no leak."""
    assert key == copy.deepcopy(face.client()._params)["api_key"]
