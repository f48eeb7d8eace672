"""Names of the official client 0.5.0 other than the clients, which keep working.

What it does was observed by running it; the expected values are data.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import importlib
import json
import logging
import pickle
import subprocess
import sys

import httpx2
import pytest
import voyageai
from hypothesis import given
from hypothesis import strategies as st
from voyageai import api_resources, chunking, embeddings_utils, util
from voyageai.api_resources import VoyageHttpResponse, VoyageResponse, api_requestor
from voyageai.api_resources.api_requestor import APIRequestor
from voyageai.error import (
    ArgumentError,
    AuthenticationError,
    MalformedResponseError,
    RateLimitError,
)
from voyageai.inputs.splitting import SEPARATORS, split

from .conftest import KEY, answer_to, packed

pytestmark = pytest.mark.smoke

GLOBALS = {
    "VOYAGE_EMBED_BATCH_SIZE": 128,
    "VOYAGE_EMBED_DEFAULT_MODEL": "voyage-2",
    "api_key": None,
    "api_key_path": None,
    "app_info": None,
    "debug": False,
    "log": None,
    "proxy": None,
    "requestssession": None,
    "verify_ssl_certs": True,
}
MODULES = [
    "api_resources",
    "chunking",
    "client",
    "client_async",
    "embeddings_utils",
    "error",
    "object",
    "prompts",
    "util",
    "version",
]
NAMES = [
    "AsyncClient",
    "Client",
    "ContextualizedEmbedding",
    "Embedding",
    "MultimodalEmbedding",
    "Reranking",
    "VERSION",
    "__version__",
    "aget_embedding",
    "aget_embeddings",
    "default_chunk_fn",
    "get_embedding",
    "get_embeddings",
]
HOMES = {
    "api_resources.api_resource": ["APIResource"],
    "api_resources.contextualized_embedding": ["ContextualizedEmbedding"],
    "api_resources.embedding": ["Embedding"],
    "api_resources.multimodal_embedding": ["MultimodalEmbedding"],
    "api_resources.reranking": ["Reranking"],
    "api_resources.response": ["VoyageHttpResponse", "VoyageResponse"],
    "object.contextualized_embeddings": ["ContextualizedEmbeddingsObject", "ContextualizedEmbeddingsResult"],
    "object.embeddings": ["EmbeddingsObject"],
    "object.multimodal_embeddings": ["MultimodalEmbeddingsObject"],
    "object.reranking": ["RerankingObject", "RerankingResult"],
}  # fmt: skip
"""Modules of the official client, and the names that programs import from them."""
PICKLED = {
    "EmbeddingsObject": (
        "gAJjdm95YWdlYWkub2JqZWN0LmVtYmVkZGluZ3MKRW1iZWRkaW5nc09iamVjdApxACmBcQF9cQIoWAoAAABlbWJlZGRp"
        "bmdzcQNdcQRdcQUoRz/gAAAAAAAARz/wAAAAAAAAZWFYDAAAAHRvdGFsX3Rva2Vuc3EGSwN1Yi4="
    ),
    "ContextualizedEmbeddingsObject": (
        "gAJjdm95YWdlYWkub2JqZWN0LmNvbnRleHR1YWxpemVkX2VtYmVkZGluZ3MKQ29udGV4dHVhbGl6ZWRFbWJlZGRpbmdz"
        "T2JqZWN0CnEAKYFxAX1xAihYBwAAAHJlc3VsdHNxA11xBGN2b3lhZ2VhaS5vYmplY3QuY29udGV4dHVhbGl6ZWRfZW1i"
        "ZWRkaW5ncwpDb250ZXh0dWFsaXplZEVtYmVkZGluZ3NSZXN1bHQKcQUpgXEGfXEHKFgFAAAAaW5kZXhxCEsAWAoAAABl"
        "bWJlZGRpbmdzcQldcQpdcQsoRz/gAAAAAAAARz/wAAAAAAAAZWFYCwAAAGNodW5rX3RleHRzcQxdcQ1YAQAAAGFxDmF1"
        "YmFYDAAAAHRvdGFsX3Rva2Vuc3EPSwNoDF1xEGgNYVgPAAAAY2h1bmtlcl92ZXJzaW9ucRFOdWIu"
    ),
    "RerankingObject": (
        "gAJjdm95YWdlYWkub2JqZWN0LnJlcmFua2luZwpSZXJhbmtpbmdPYmplY3QKcQApgXEBfXECKFgHAAAAcmVzdWx0c3ED"
        "XXEEY3ZveWFnZWFpLm9iamVjdC5yZXJhbmtpbmcKUmVyYW5raW5nUmVzdWx0CnEFSwFYAQAAAGJxBkc/4AAAAAAAAIdx"
        "B4FxCGFYDAAAAHRvdGFsX3Rva2Vuc3EJSwN1Yi4="
    ),
}
"""Results as 0.5.0 pickled them."""
CHUNKS = [
    (10, "Hello world. Foo bar,baz qux", ["Hello ", "world.", " Foo bar,", "baz qux"]),
    (10, "", []),
    (10, "   ", ["   "]),
    (5, "a\n\nb\n\nccccccc", ["a\n\n", "b\n\n", "ccccc", "cc"]),
    (1, "I am", ["I", " ", "a", "m"]),
    (4, "今天天气。很好、是的", ["今天天气", "。", "很好、", "是的"]),
    (2048, "x" * 5000, ["x" * 2048, "x" * 2048, "x" * 904]),
    (8, "aaaa\n\n\n\nbbbb", ["aaaa\n\n\n\n", "bbbb"]),
    (6, "one two three", ["one ", "two ", "three"]),
    (3, "a.b.c,d", ["a.", "b.", "c,d"]),
]
CREATES = {
    "Embedding": ("embeddings", {"input": ["a", "b"], "model": "voyage-4"}),
    "ContextualizedEmbedding": ("contextualizedembeddings", {"inputs": [["a", "b"]], "model": "voyage-context-4"}),
    "MultimodalEmbedding": ("multimodalembeddings", {"inputs": [{"content": [{"type": "text", "text": "a"}]}], "model": "voyage-multimodal-3.5"}),
    "Reranking": ("rerank", {"query": "a", "documents": ["b", "c"], "model": "rerank-3"}),
}  # fmt: skip


@pytest.fixture
def sent(monkeypatch):
    """Return the requests sent by clients that functions create; its `answer` can be replaced."""

    class Sent(list):
        answer = staticmethod(answer_to)

    requests = Sent()

    def handle(request):
        requests.append(request)
        return requests.answer(request)

    mock = httpx2.MockTransport(handle)
    for kind in (voyageai.Client, voyageai.AsyncClient):

        def made(self, *arguments, _init=kind.__init__, **options):
            _init(self, *arguments, transport=mock, **options)

        monkeypatch.setattr(kind, "__init__", made)
    monkeypatch.setenv("VOYAGE_API_KEY", KEY)
    return requests


@pytest.fixture(params=["create", "acreate"])
def create(request):
    """Return a function that calls a class's `create` or `acreate`."""

    def run(kind, **given):
        method = getattr(getattr(voyageai, kind), request.param)
        return method(**given) if request.param == "create" else asyncio.run(method(**given))

    return run


@pytest.mark.parametrize(("name", "value"), GLOBALS.items())
def test_module_settings_have_the_official_defaults(name, value):
    """A fresh process reads them before any program changes them."""
    code = f"import voyageai; print(repr(voyageai.{name}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert repr(value) == found.stdout.strip()


@pytest.mark.parametrize("name", [*NAMES, *MODULES])
def test_official_names_are_there_after_a_bare_import(name):
    """Programs use submodules as attributes without importing them."""
    code = f"import voyageai; voyageai.{name}; assert '{name}' in dir(voyageai)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("path", "names"), HOMES.items())
def test_names_are_found_by_their_full_official_path(path, names):
    """LlamaIndex, for example, imports some names by their full path."""
    module = importlib.import_module(f"voyageai.{path}")
    package = importlib.import_module(f"voyageai.{path.partition('.')[0]}")

    assert names == module.__all__ == [name for name in names if hasattr(module, name)]
    assert [getattr(package, name) for name in names] == [getattr(module, name) for name in names]


@pytest.mark.parametrize(("name", "pickled"), PICKLED.items())
def test_results_that_the_official_client_pickled_can_be_read(name, pickled):
    """Caches of embeddings outlive the client that filled them."""
    result = pickle.loads(base64.b64decode(pickled))

    assert (name, 3, None, None) == (
        type(result).__name__,
        result.total_tokens,
        result.model,
        result.request_id,
    )
    assert result == pickle.loads(pickle.dumps(result))
    if name == "RerankingObject":
        assert [(1, "b", 0.5)] == result.results
    else:
        vectors = result if name == "EmbeddingsObject" else result.results[0]
        assert [[0.5, 1.0]] == vectors.embeddings == vectors.to_numpy().tolist()


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_offers(name):
    """Every name in a module's `__all__` exists."""
    module = importlib.import_module(f"voyageai.{name}")

    assert [] == [one for one in getattr(module, "__all__", []) if not hasattr(module, one)]


@pytest.mark.parametrize(("size", "text", "expected"), CHUNKS)
def test_chunks_are_those_of_the_official_client(size, text, expected):
    """New chunks match those in an existing index."""
    assert expected == voyageai.default_chunk_fn(size)(text)


@given(st.text(st.sampled_from("ab " + "".join(SEPARATORS))), st.integers(1, 20))
def test_chunks_together_are_the_text_and_none_is_too_long(text, size):
    """No character is lost or repeated."""
    chunks = split(text, size)

    assert text == "".join(chunks)
    assert all(0 < len(chunk) <= size for chunk in chunks)


def test_a_chunk_size_below_one_is_refused():
    """The error comes before the first text is split."""
    with pytest.raises(ValueError, match="chunk_size must be at least 1, not 0"):
        chunking.default_chunk_fn(0)


def test_contextualized_inputs_can_be_checked_alone():
    """Frameworks check their inputs before sending them."""
    check = chunking.validate_and_normalize_contextualized_inputs

    assert ([["a"]], {}) == check(["a"], "query", None, False, None, None)
    expected = {"enable_auto_chunking": True, "chunk_size": 10, "chunk_overlap": 2}
    assert ([["a"]], expected) == check([["a"]], "document", None, True, 10, 2)
    assert ([["a b"]], {}) == check([["a b"]], "document", str.split, False, None, None)
    with pytest.raises(ValueError, match="input_type='document'"):
        check(["a"], "query", None, True, None, None)


@pytest.mark.parametrize("kind", CREATES)
def test_resource_classes_post_what_they_are_given(kind, create, sent):
    """The body is the caller's, plus only the encoding of the vectors."""
    endpoint, body = CREATES[kind]
    answer = create(kind, **body)
    posted = json.loads(sent[0].content)

    assert f"/v1/{endpoint}" == sent[0].url.path
    assert body == {name: posted[name] for name in body}
    added = {} if kind == "Reranking" else {"encoding_format": "base64"}
    assert added == {name: posted[name] for name in posted if name not in body}
    assert type(answer) is getattr(voyageai, kind)
    assert 7 == answer.usage.total_tokens


@pytest.mark.parametrize("kind", ["Embedding", "ContextualizedEmbedding", "MultimodalEmbedding"])
def test_resource_classes_unpack_vectors_unless_a_format_is_given(kind, create, sent):
    """A caller that asks for base64 gets base64."""
    _, body = CREATES[kind]

    def first(answer):
        entry = answer.data[0]
        return entry.data[0].embedding if "data" in entry else entry.embedding

    assert [0.0, 0.5] == first(create(kind, **body))
    assert packed([0, 0.5]) == first(create(kind, **body, encoding_format="base64"))
    assert ["base64", "base64"] == [json.loads(one.content)["encoding_format"] for one in sent]


def test_resource_classes_take_keys_hosts_and_headers(create, sent):
    """Their special arguments work beside the fields of the body."""
    given = {"api_key": "al-other", "headers": {"X-Team": "search"}, "request_id": "mine"}
    create("Reranking", **CREATES["Reranking"][1], **given)
    create("Reranking", **CREATES["Reranking"][1], base_url="https://gateway.test/v1")
    create("Reranking", **CREATES["Reranking"][1], api_base="https://gateway.test/v1")

    assert "Bearer al-other" == sent[0].headers["authorization"]
    assert ("search", "mine") == (sent[0].headers["x-team"], sent[0].headers["x-request-id"])
    assert ["ai.mongodb.com", "gateway.test", "gateway.test"] == [one.url.host for one in sent]


@pytest.fixture(params=["request", "arequest"])
def send(request):
    """Return a function that calls a requestor's `request` or `arequest`."""

    def run(*given, key=None, base_url=None, **options):
        method = getattr(APIRequestor(key, base_url), request.param)
        found = method(*given, **options)
        return asyncio.run(found) if request.param == "arequest" else found

    return run


def test_a_requestor_sends_what_it_is_given(send, sent):
    """Method, path, body and headers match those of the official requestor."""
    body = {"query": "q", "documents": ["a"], "model": "rerank-3"}
    sent.answer = lambda request: httpx2.Response(
        200, json={"data": [], "path": request.url.path}, headers={"x-request-id": "r"}
    )
    answer = send("post", "/rerank", body, {"X-Team": "search"}, request_id="mine")
    listed = send("get", "/files", {"limit": 2, "after": None}, key="al-1")

    assert VoyageHttpResponse is type(answer) is api_requestor.VoyageHttpResponse
    assert ({"data": [], "path": "/v1/rerank"}, "r") == (answer.data, answer.request_id)
    assert body == json.loads(sent[0].content)
    assert ("search", "mine") == (sent[0].headers["x-team"], sent[0].headers["x-request-id"])
    assert "/v1/files" == listed.data["path"]
    assert ("GET", "https://ai.mongodb.com/v1/files?limit=2", b"") == (
        sent[1].method,
        str(sent[1].url),
        sent[1].content,
    )


def test_a_requestor_has_a_key_and_a_host(sent, monkeypatch):
    """A requestor finds them where a client does."""
    requestor = APIRequestor()
    assert (KEY, "https://api.voyageai.com/v1") == (requestor.api_key, requestor.base_url)
    requestor = APIRequestor("al-1")
    assert ("al-1", "https://ai.mongodb.com/v1") == (requestor.api_key, requestor.base_url)
    assert "http://a.test/v1" == APIRequestor("al-1", "http://a.test/v1/").base_url
    monkeypatch.setenv("VOYAGE_BASE_URL", "http://b.test/v1")
    assert "http://b.test/v1" == APIRequestor("al-1").base_url
    monkeypatch.delenv("VOYAGE_API_KEY")
    with pytest.raises(AuthenticationError, match="No API key provided"):
        APIRequestor()


def test_a_requestor_raises_what_a_client_raises(send, sent):
    """Callers need no other error handling, and options it can't honour are refused."""
    sent.answer = lambda request: httpx2.Response(429, json={"detail": "slow"})
    with pytest.raises(RateLimitError, match="slow"):
        send("post", "/rerank", {})
    sent.answer = lambda request: httpx2.Response(200, text="<html>")
    with pytest.raises(MalformedResponseError):
        send("post", "/rerank", {})
    with pytest.raises(ArgumentError, match=r"Client\.files\.upload"):
        send("post", "/files", {}, files={"file": b""})


def test_a_wrapped_requestor_sees_what_the_resource_classes_send(create, sent, monkeypatch):
    """Programs' tests replace the requestor's methods."""
    data = {"data": [], "usage": {"total_tokens": 3}}

    def request(self, method, url, params=None, headers=None, **options):
        sent.append((method, url, params))
        return VoyageHttpResponse(data, {})

    async def arequest(self, *args, **kwargs):
        return request(self, *args, **kwargs)

    monkeypatch.setattr(APIRequestor, "request", request)
    monkeypatch.setattr(APIRequestor, "arequest", arequest)
    _, body = CREATES["Reranking"]

    assert data == create("Reranking", **body)
    assert [("post", "/rerank", body)] == sent


@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
def test_clients_send_by_themselves(kind, sent, monkeypatch):
    """Replacing the requestor does not affect clients, as the migration guide says."""
    for name in ("request", "arequest"):
        monkeypatch.setattr(APIRequestor, name, lambda *args, **kwargs: pytest.fail("asked"))
    answer = getattr(voyageai, kind)().embed(["a"], "voyage-4", "query")
    answer = asyncio.run(answer) if asyncio.iscoroutine(answer) else answer

    assert [[0.0, 0.5]] == answer.embeddings


def test_a_malformed_answer_to_a_resource_class_comes_with_its_error(create, sent):
    """A support case needs the request id and the body."""
    sent.answer = lambda request: httpx2.Response(
        200, json={"data": 3}, headers={"x-request-id": "r"}
    )
    with pytest.raises(MalformedResponseError, match="these are not embeddings") as raised:
        create("Embedding", **CREATES["Embedding"][1])

    assert (200, {"data": 3}, "r") == (
        raised.value.http_status,
        raised.value.json_body,
        raised.value.request_id,
    )


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b'{"data": 3}', b'{"data": [3]}', b"<html>", b'{"data": [{"embedding": "?"}]}'],
)
def test_resource_classes_raise_errors_of_this_package_only(body, create, sent):
    """Callers handle one family of errors, whatever the server answers."""
    sent.answer = lambda request: httpx2.Response(200, content=body)
    with pytest.raises(MalformedResponseError):
        create("Embedding", **CREATES["Embedding"][1])
    sent.answer = lambda request: httpx2.Response(429, json={"detail": "slow"})
    with pytest.raises(RateLimitError, match="slow"):
        create("Embedding", **CREATES["Embedding"][1])


def test_answers_are_dictionaries_with_attributes():
    """Tests of frameworks build such responses by hand."""
    answer = VoyageResponse.construct_from({"a": 1, "data": [{"index": 0}], "n": {"x": None}})
    assert (1, 0, None) == (answer.a, answer.data[0].index, answer.n.x)
    assert {"a": 1, "data": [{"index": 0}], "n": {"x": None}} == answer.to_dict_recursive()
    assert {dict} == {
        type(one)
        for one in (answer.to_dict_recursive()["n"], answer.to_dict_recursive()["data"][0])
    }
    assert VoyageResponse is type(answer.to_dict()["n"])
    empty = VoyageResponse()
    empty.data = [1]
    assert {"data": [1]} == empty
    assert str(answer) == json.dumps(answer, indent=2)
    answer.refresh_from({"b": 2})
    assert {"b": 2} == answer


def test_answers_survive_copies_and_pickles():
    """Job queues pass responses between processes."""
    answer = VoyageResponse.construct_from({"n": {"x": [1]}})
    deep = copy.deepcopy(answer)
    deep.n.x.append(2)

    assert {"n": {"x": [1]}} == answer == pickle.loads(pickle.dumps(answer)) == copy.copy(answer)
    assert VoyageResponse is type(deep.n)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda a: setattr(a, "z", ""), ValueError),
        (lambda a: a.__setitem__("z", ""), ValueError),
        (lambda a: a.__delitem__("data"), NotImplementedError),
        (lambda a: delattr(a, "data"), NotImplementedError),
        (lambda a: a.missing, AttributeError),
        (lambda a: a._private, AttributeError),
    ],
)
def test_answers_refuse_what_the_official_ones_refuse(change, error):
    """They raise the same kinds of errors."""
    with pytest.raises(error):
        change(VoyageResponse.construct_from({"data": []}))


def test_headers_of_an_answer_are_read_leniently():
    """A Retry-After that is a date, or missing, gives None instead of an error."""
    headers = {"x-request-id": "r", "retry-after": "2"}
    answer = VoyageHttpResponse({"a": 1}, headers)

    assert ({"a": 1}, "r", 2) == (answer.data, answer.request_id, answer.retry_after)
    assert (
        VoyageHttpResponse(None, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}).retry_after
        is None
    )
    assert (None, None, None) == (
        answer.organization,
        answer.operation_location,
        answer.response_ms,
    )


@pytest.mark.parametrize("name", ["get_embeddings", "aget_embeddings"])
def test_first_functions_embed_and_say_what_replaces_them(name, sent):
    """Old scripts keep running, and learn the new method from the warning."""
    function = getattr(embeddings_utils, name)
    client = "AsyncClient" if name.startswith("a") else "Client"
    with pytest.warns(UserWarning, match=rf"embed\(\)` function in `voyageai.{client}`") as caught:
        found = function(["a", "b"], input_type="query", truncation=False, custom=1)
        found = asyncio.run(found) if asyncio.iscoroutine(found) else found

    assert [[0.0, 0.5], [1.0, 1.5]] == found
    body = json.loads(sent[0].content)
    assert (["a", "b"], "voyage-2", "query", False, 1) == tuple(
        body[name] for name in ("input", "model", "input_type", "truncation", "custom")
    )
    if client == "Client":
        assert {__file__} == {warning.filename for warning in caught}


@pytest.mark.filterwarnings("ignore:This function will be deprecated")
def test_first_functions_take_one_text_too(sent):
    """A single text gives a single vector, and the key selects the host."""
    assert [0.0, 0.5] == embeddings_utils.get_embedding("a", api_key="al-1", request_timeout=3)
    assert [0.0, 0.5] == asyncio.run(embeddings_utils.aget_embedding("a", input_type=""))
    assert "ai.mongodb.com" == sent[0].url.host
    with pytest.raises(ValueError, match="input_type passage is invalid"):
        embeddings_utils.get_embedding("a", input_type="passage")


@pytest.mark.parametrize(
    ("dtype", "kind", "numbers"),
    [(None, "f", [0.5, 1.0]), ("float", "f", [-1.0]), ("int8", "b", [-3, 4]), ("binary", "b", [-128]), ("uint8", "B", [200]), ("ubinary", "B", [77])],
)  # fmt: skip
def test_base64_vectors_are_decoded(dtype, kind, numbers):
    """Some programs call the API by other means and decode the vectors here."""
    assert numbers == util.decode_base64_embedding(packed(numbers, kind), dtype)


def test_a_base64_vector_may_be_bytes():
    """The standard library's base64 functions return bytes."""
    assert [0.5] == util.decode_base64_embedding(packed([0.5]).encode())


def test_an_unknown_dtype_is_refused_in_the_official_words():
    """The official client raises a ValueError with the same words."""
    with pytest.raises(ValueError, match="Unknown dtype float16"):
        util.decode_base64_embedding("AAAA", "float16")


def test_errors_made_by_hand_have_what_the_official_ones_have():
    """Error handlers read these attributes, and programs' tests create such errors."""
    failure = RateLimitError("slow", b"{}", 429, {}, {"request-id": "r"}, "c")

    assert ("Request r: slow", "r", None) == (str(failure), failure.request_id, failure.error)


def test_the_key_that_a_client_would_find(monkeypatch):
    """The function searches the same places in the same order as a client."""
    with pytest.raises(AuthenticationError, match="No API key provided"):
        util.default_api_key()
    monkeypatch.setenv("VOYAGE_API_KEY", KEY)
    assert KEY == util.default_api_key()
    monkeypatch.setattr(voyageai, "api_key", "pa-module")
    assert "pa-module" == util.default_api_key()


def test_helpers_for_requests_and_lines(caplog):
    """Programs import these helpers for headers, hosts and log lines."""
    assert {"Authorization": "Bearer k"} == util.api_key_to_header("k")
    assert "https://ai.mongodb.com/v1" == util.get_default_base_url("al-x")
    assert "'a b'='c d' x=1 y=é z=q\"" == util.logfmt({"a b": "c d", "x": 1, "y": "é", "z": 'q"'})
    with caplog.at_level(logging.INFO, "voyage"):
        util.log_debug("never", a=1)
        util.log_info("hello", a=1)
        util.log_warn("w", b="c d")
    assert ["a=1 message=hello", "b='c d' message=w"] == [
        record.getMessage() for record in caplog.records
    ]


@pytest.mark.parametrize("name", ["requestssession", "aiosession"])
def test_settings_of_other_http_libraries_warn(name, monkeypatch):
    """The warning names the option to use instead."""
    monkeypatch.setattr(voyageai, name, object())
    with pytest.warns(
        UserWarning, match=f"voyageai.{name} has no effect; pass http_client="
    ) as all_:
        voyageai.Client(api_key=KEY)
    assert [__file__] == [warning.filename for warning in all_]


def test_a_session_set_as_the_official_documentation_shows_warns_too():
    """The official documentation sets `aiosession` as a context variable."""
    assert voyageai.requestssession is None
    voyageai.Client(api_key=KEY)  # no warning
    token = voyageai.aiosession.set(object())
    try:
        with pytest.warns(UserWarning, match="voyageai.aiosession has no effect"):
            voyageai.AsyncClient(api_key=KEY)
    finally:
        voyageai.aiosession.reset(token)


def test_unverified_certificates_warn(monkeypatch):
    """The old switch never had an effect, and the warning names the one that works."""
    monkeypatch.setattr(voyageai, "verify_ssl_certs", False)
    with pytest.warns(UserWarning, match="verify_ssl_certs has no effect; pass verify="):
        voyageai.Client(api_key=KEY)


def test_every_resource_is_found_in_its_old_home():
    """Old imports from `voyageai.api_resources` keep working."""
    assert voyageai.Embedding is api_resources.Embedding
    assert issubclass(voyageai.MultimodalEmbedding, voyageai.Embedding)
    assert issubclass(api_resources.APIResource, VoyageResponse)
