"""Options of clients and of single calls."""

from __future__ import annotations

import asyncio
import inspect
import json
import os

import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai._base import TRANSPORT_OPTIONS, ClientOptions
from voyageai_emulator import running
from voyageai_rest.errors import printable

from .conftest import answer_to, requesting
from .file_server import done
from .test_errors_and_retries import failing
from .test_package import OFFICIAL
from .test_results import CALLS

EMBED = {"texts": ["a"], "model": "voyage-4"}


def phases(face):
    """Return the timeouts of the last request."""
    return face.requests[-1].extensions["timeout"]


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (None, {"connect": 30.0, "read": 600.0, "write": 600.0, "pool": 600.0}),
        (5, {"connect": 5, "read": 5, "write": 5, "pool": 5}),
        (
            httpx2.Timeout(1.0, read=9.0),
            {"connect": 1.0, "read": 9.0, "write": 1.0, "pool": 1.0},
        ),
    ],
)
def test_a_timeout_bounds_the_phases_of_an_attempt(face, timeout, expected):
    """Without a timeout, each phase has the official client's 600 seconds, connecting only 30."""
    face.call(face.client(timeout=timeout), "embed", **EMBED)

    assert expected == phases(face)


def test_a_timeout_bounds_each_attempt_and_not_the_call(face):
    """The official client also gives each attempt the full timeout."""
    timeouts = []

    def handler(request):
        timeouts.append(request.extensions["timeout"]["read"])
        if len(timeouts) < 3:
            face.time += 2
            raise httpx2.ReadTimeout("silent", request=request)
        return answer_to(request)

    face.call(face.client(handler, max_retries=3, timeout=2), "embed", **EMBED)

    assert [2, 2, 2] == timeouts
    assert [0.5, 1.0] == face.waits


def test_a_deadline_bounds_the_whole_call(face):
    """Retries and waits count, so nobody waits longer than the deadline."""
    client = face.client(failing(*[503] * 9), max_retries=9, timeout=9, deadline=3)
    with pytest.raises(error.ServiceUnavailableError, match=r"only 1\.5 s are left") as raised:
        face.call(client, "embed", **EMBED)

    assert [0.5, 1.0] == face.waits
    assert 3 == raised.value.attempts


def test_each_attempt_has_what_is_left(face):
    """The last attempt must not overrun the deadline."""
    timeouts = []
    fail = failing(503, 503)

    def handler(request):
        timeouts.append(request.extensions["timeout"]["read"])
        return fail(request)

    client = face.client(handler, max_retries=9, timeout=httpx2.Timeout(2.5), deadline=3)
    face.call(client, "embed", **EMBED)

    assert [2.5, 2.5, 1.5] == timeouts


def test_a_passed_deadline_has_its_own_error(face):
    """Callers that catch Timeout catch a passed deadline too."""

    def handler(request):
        face.time += 10
        raise httpx2.ReadTimeout("slow", request=request)

    with pytest.raises(error.DeadlineError, match="the time for the call is over") as raised:
        face.call(face.client(handler, max_retries=3), "embed", **EMBED, deadline=5)

    assert isinstance(raised.value, error.Timeout)
    assert (1, 10.0) == (raised.value.attempts, raised.value.elapsed)


def test_an_answer_that_drips_can_not_outlive_the_deadline():
    """A call ends at its deadline on a real event loop, even while the server is still sending."""

    class Drip(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request):
            await asyncio.sleep(60)

    async def call():
        client = voyageai.AsyncClient("k", transport=Drip(), deadline=0.05)
        await client.embed(**EMBED)

    with pytest.raises(error.DeadlineError):
        asyncio.run(call())


def test_a_call_has_its_own_options(face):
    """The options of one call don't affect the next."""
    client = face.client(failing(503), max_retries=0, timeout=9)
    face.call(
        client, "embed", **EMBED, max_retries=1, timeout=2,
        extra_headers={"x-team": "search"}, extra_body={"brand_new": [1]},
    )  # fmt: skip

    assert 2 == len(face.requests)
    assert 2 == phases(face)["read"]
    assert "search" == face.requests[-1].headers["x-team"]
    assert [1] == face.body["brand_new"]
    face.call(client, "embed", **EMBED)
    assert 9 == phases(face)["read"]
    assert "x-team" not in face.requests[-1].headers
    assert "brand_new" not in face.body


@pytest.mark.parametrize(("method", "arguments", "kind"), CALLS)
def test_every_method_takes_the_options_of_a_call(face, method, arguments, kind):
    """Users learn one set of options for all methods."""
    face.call(face.client(), method, **arguments, extra_headers={"x-a": "b"}, deadline=7)

    assert "b" == face.requests[-1].headers["x-a"]
    assert 7 == phases(face)["read"]


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"retries": 3}, TypeError, "unexpected keyword argument 'retries'"),
        ({"deadline": 0}, error.ArgumentError, "deadline must be a number of seconds greater than 0"),
        ({"max_retries": -1}, error.ArgumentError, "max_retries"),
        ({"timeout": -1}, error.ArgumentError, "timeout must be a number of seconds"),
        ({"timeout": (3, 5)}, error.ArgumentError, r"httpx2.Timeout\(read, connect=connect\)"),
        ({"extra_headers": {"Authorization": "x"}}, error.ArgumentError, "can't set 'Authorization'"),
        ({"extra_body": {"x": float("nan")}}, error.ArgumentError, "can't be written as JSON"),
        ({"extra_body": {"x": object()}}, error.ArgumentError, "can't be written as JSON"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_refused_before_anything_is_sent(face, options, kind, message):
    """A misspelled option would otherwise do nothing."""
    client = face.client()
    with pytest.raises(kind, match=message):
        face.call(client, "embed", **EMBED, **options)

    assert [] == face.requests


def test_fields_of_the_body_that_are_no_arguments_are_taken(face):
    """Users can send a new field of the contract before the signatures have it."""
    client = face.client()
    face.call(client, "rerank", "q", ["a", "b"], "rerank-3", return_documents=True)

    assert json.loads(face.requests[-1].content)["return_documents"] is True
    face.call(client, "rerank", "q", ["a", "b"], "rerank-3", return_documents=None)
    assert "return_documents" not in json.loads(face.requests[-1].content)


def test_fields_that_the_call_sets_itself_are_not_taken(face):
    """The client relies on these fields to read the response."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'encoding_format'"):
        face.call(face.client(), "embed", **EMBED, encoding_format="base64")


@pytest.mark.parametrize("timeout", ["5", (3, 5), 0, -1, float("nan"), True, False])
def test_a_wrong_timeout_is_refused_when_the_client_is_made(face, timeout):
    """At the first call the error would come late and in other words."""
    with pytest.raises(error.ArgumentError, match="timeout must be a number of seconds greater"):
        face.client(timeout=timeout)


def test_with_options_covers_every_argument_of_a_client(face):
    """A new argument of a client must not be forgotten in `with_options`."""
    arguments = set(inspect.signature(face.kind).parameters)

    assert arguments == set(ClientOptions.__annotations__)
    assert set(TRANSPORT_OPTIONS) <= arguments
    assert face.kind.copy is face.kind.with_options


def test_a_copy_changes_given_options_and_shares_the_rest(face, key):
    """Above all a copy shares the pool, as connections are expensive."""
    client = face.client(max_retries=2, timeout=7, base_url="http://localhost:1/v1")
    client._params["request_timeout"] = 8
    copied = client.with_options(max_retries=5, deadline=60)

    assert (5, 2) == (copied.max_retries, client.max_retries)
    assert client._params == copied._params
    assert client._params is not copied._params
    assert client._transport is copied._transport
    face.call(copied, "embed", **EMBED)
    assert f"Bearer {key}" == face.requests[-1].headers["authorization"]
    assert client._transport is not client.with_options(verify=True)._transport
    with pytest.raises(TypeError, match="unexpected keyword argument 'retries'"):
        client.with_options(retries=3)


def test_a_copy_with_another_key_goes_to_the_keys_host(face):
    """A base URL that was given explicitly is kept."""
    assert "ai.mongodb.com" in face.client().with_options(api_key="al-1")._params["base_url"]
    named = face.client(base_url="http://localhost:1/v1").with_options(api_key="al-1")
    assert "http://localhost:1/v1" == named._params["base_url"]


def test_closing_a_copy_closes_nothing_that_it_shares():
    """The original client keeps working."""
    client = voyageai.Client("k", base_url="http://127.0.0.1:9/v1")
    client.with_options(max_retries=1).close()

    with pytest.raises(error.APIConnectionError):
        client.embed(**EMBED)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.embed(**EMBED)


@pytest.mark.parametrize("kind", [httpx2.Client, httpx2.AsyncClient])
def test_a_client_of_the_users_own_is_used_and_left_open(kind):
    """Other code may share the user's client."""
    sent = []

    def handler(request):
        sent.append(request)
        return answer_to(request)

    own = kind(transport=httpx2.MockTransport(handler))
    if kind is httpx2.Client:
        with voyageai.Client("k", http_client=own) as vo:
            assert 1 == len(vo.embed(**EMBED))
    else:

        async def call():
            async with voyageai.AsyncClient("k", http_client=own) as vo:
                return await vo.embed(**EMBED)

        assert 1 == len(asyncio.run(call()))

    assert 1 == len(sent)
    assert not own.is_closed


@pytest.mark.parametrize(("method", "arguments", "kind"), CALLS)
def test_a_raw_response_is_the_answer_as_it_came(face, method, arguments, kind):
    """Users read headers and timing, or store the exact body."""
    client = face.client()
    answer = face.call(client.with_raw_response, method, **arguments)

    assert (200, "req-1") == (answer.status_code, answer.request_id)
    assert "application/json" == answer.headers["content-type"]
    assert "list" == json.loads(answer.content)["object"]
    assert kind is type(answer.parse())
    assert face.call(client, method, **arguments) == answer.parse()


def test_a_malformed_raw_response_can_be_inspected(face):
    """The raw response is available, and only `parse` raises the usual error."""
    client = face.client(lambda request: httpx2.Response(200, text="?"))
    answer = face.call(client.with_raw_response, "embed", **EMBED)

    assert b"?" == answer.content
    with pytest.raises(error.MalformedResponseError):
        answer.parse()
    refused = face.client(failing(429))
    with pytest.raises(error.RateLimitError):
        face.call(refused.with_raw_response, "embed", **EMBED)


def test_raw_responses_are_there_for_every_method(face):
    """A new method must not be forgotten in `with_raw_response`."""
    raw = face.client().with_raw_response
    methods = set(requesting(face.kind))

    assert methods == {name for name in dir(raw) if not name.startswith("_")} - {"client"}
    assert set(OFFICIAL) - {"__init__"} <= methods


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("deadline", 0), ("deadline", -1), ("deadline", "5"), ("deadline", float("nan")),
        ("deadline", True), ("timeout", 0), ("timeout", 0.0), ("timeout", -1), ("timeout", "5"), ("timeout", float("nan")),
        ("timeout", httpx2.Timeout(-1)), ("timeout", httpx2.Timeout(5, read="x")),
    ],
)  # fmt: skip
def test_invalid_times_are_refused_when_the_client_is_made(face, name, value):
    """At the first call the error would come late and from elsewhere."""
    with pytest.raises(error.ArgumentError, match=f"{name} must be") as raised:
        face.client(**{name: value})
    with pytest.raises(error.ArgumentError, match=f"{name} must be"):
        face.call(face.client(), "embed", **EMBED, **{name: value})

    assert name == raised.value.argument


@pytest.mark.parametrize("seconds", [1e10, 1e300, float("inf"), 10**400])
def test_very_long_times_are_no_bound(seconds):
    """Operating systems can't represent such timeouts, which only a real request would show."""
    with running() as url, voyageai.Client("k", base_url=url, timeout=seconds) as vo:
        assert 1 == len(vo.embed(**EMBED, input_type="query", deadline=seconds).embeddings)
    phased = voyageai.Client("k", base_url="http://127.0.0.1:9/v1", timeout=httpx2.Timeout(seconds))
    with pytest.raises(error.APIConnectionError):
        phased.embed(**EMBED, input_type="query")


@pytest.mark.parametrize(
    "url",
    [
        "http://", "https:///v1", "http://256.256.256.256/v1", "http://a:99999/v1",
        "http://[::1/v1", "https://user:hidden-word@a/v1", "https://a/v1?b=c",
    ],
)  # fmt: skip
def test_an_invalid_base_url_is_refused_when_the_client_is_created(face, url):
    """The error names the argument, and never shows a password."""
    with pytest.raises(error.ArgumentError, match="base_url") as caught:
        face.client(base_url=url)

    assert "hidden-word" not in str(caught.value)


NO_URLS = [
        "https://a/v1?", "https://a/v1#", "https://a/v1#b", "https://@a/v1", "https://a:0/v1",
        "https://a/v1\r\nX: y", "https://a/v1\n", " https://a/v1", "https://a/v1 ", "https://a/\x00",
        "https://\ud800/v1", f"https://a/{'x' * 100_000}", "file:///etc/passwd", "//a/v1",
        "ftp://user:hidden-word@a/v1", "https://user:hidden/word@a/v1", b"https://user:hidden-word@a",
        5, ["https://a/v1"],
]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "way"),
    [*((url, "made") for url in NO_URLS), *((NO_URLS[0], way) for way in ("found", "copied", "set"))],
    ids=lambda given: repr(given)[:40],
)  # fmt: skip
def test_an_invalid_base_url_is_always_the_same_kind_of_error(face, url, way, monkeypatch):
    """Nothing is sent and no password shown, wherever the URL comes from."""
    client = face.client()
    client._params["base_url"] = url  # as frameworks do
    ways = {
        "made": lambda: face.kind("k", base_url=url),
        "found": lambda: face.kind("k"),
        "copied": lambda: client.with_options(base_url=url),
        "set": lambda: face.call(client, "embed", **EMBED),
    }
    if way == "found":
        monkeypatch.setattr(os, "environ", {"VOYAGE_BASE_URL": url})
    with pytest.raises(error.ArgumentError, match=r"(?i)base_url") as caught:
        ways[way]()

    assert ([], "base_url") == (face.requests, caught.value.argument)
    assert "word@" not in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("input_types", 5), ("limits", 5), ("verify", 5), ("proxy", 5), ("http_client", 5)],
)
def test_an_argument_of_another_type_is_refused_when_the_client_is_made(face, name, value):
    """The error is a clear sentence instead of a later failure elsewhere."""
    with pytest.raises(error.ArgumentError, match=f"{name}.* not .*int") as caught:
        face.kind("k", **{name: value})

    assert name == caught.value.argument


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "a\rb"), ("X", "a\x00b"), ("X", "a\x7f"),
        ("X", "a\x1b"), ("X", " a"), ("X", "a "), ("X", "\ta"), ("X", "ü"), ("X", "日"),
        ("X", "\ud800"), ("X", 5), ("X", b"a"), ("X", None),
        ("", "a"), (" ", "a"), ("X Y", "a"), ("X ", "a"), (" X", "a"), ("X:", "a"), ("X\r\nY", "a"),
        ("ü", "a"), ("\ud800", "a"), (b"X", "a"), (5, "a"), (None, "a"),
        ("Authorization", "a"), ("Transfer-Encoding", "chunked"), ("Transfer-Encoding ", "chunked"),
        (b"authorization", "a"), (b"Transfer-Encoding", b"chunked"), ("content-length", "3"),
        ("HOST", "a"),
    ],
)  # fmt: skip
def test_invalid_headers_are_refused(face, name, value):
    """The error comes before anything is sent, and hides the value, which may be a secret."""
    with pytest.raises(error.ArgumentError, match="extra_headers") as caught:
        face.call(face.client(max_retries=3), "embed", **EMBED, extra_headers={name: value})

    assert ([], []) == (face.requests, face.waits)
    assert "extra_headers" == caught.value.argument
    assert printable(repr(name)) in str(caught.value)
    assert not isinstance(value, str) or len(value) < 3 or value not in str(caught.value)


def test_the_value_of_a_header_is_in_no_message(face):
    """The value may be a gateway's key."""
    with pytest.raises(
        error.ArgumentError, match="the value of 'X-Key' in extra_headers"
    ) as caught:
        face.call(face.client(), "embed", **EMBED, extra_headers={"X-Key": "hidden-word\n"})

    assert "hidden-word" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "a", "a b", "a\tb", "~!", 'W/"x"'])
def test_headers_of_the_standard_are_sent_as_they_are(face, value):
    """A gateway may need any header that the HTTP standard allows."""
    face.call(face.client(), "embed", **EMBED, extra_headers={"X-!#$%&'*+.^_`|~0": value})

    assert value == face.requests[0].headers["x-!#$%&'*+.^_`|~0"]


@pytest.mark.parametrize("name", ["extra_headers", "extra_body"])
@pytest.mark.parametrize("value", [5, "ab", [("a", "b")], {"a"}])
def test_a_value_that_is_not_a_mapping_is_refused(face, name, value):
    """Every method refuses it in the same words, including those of files and batches."""
    client = face.client()
    calls = [
        lambda: face.call(client, "embed", **EMBED, **{name: value}),
        lambda: done(client.files.retrieve("file-1", **{name: value})),
        lambda: done(client.files.content("file-1", **{name: value}).read()),
        lambda: done(client.batches.cancel("batch-1", **{name: value})),
        lambda: done(client.batches.list(**{name: value}).page()),
    ]
    for call in calls:
        with pytest.raises(error.ArgumentError, match=f"{name} must be a mapping, not "):
            call()

    assert [] == face.requests


def test_a_body_too_deep_to_be_written_is_refused(face):
    """Deep nesting gives an ArgumentError instead of a RecursionError."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(error.ArgumentError, match="can't be written as JSON"):
        face.call(face.client(), "embed", **EMBED, extra_body={"a": deep})


def test_the_classes_of_endpoints_refuse_the_same_headers():
    """The official client's `headers` argument gets the same checks as extra_headers."""
    for given in ({"X": "a\n"}, {b"X": "a"}, "ab", 5):
        with pytest.raises(error.ArgumentError, match="extra_headers"):
            voyageai.Embedding.create(
                "k", input=["a"], model="voyage-4", headers=given, base_url="http://127.0.0.1:9/v1"
            )
    with pytest.raises(error.ArgumentError, match="'X-Request-Id'"):
        voyageai.Embedding.create(
            "k", "a\r\nb", input=["a"], model="voyage-4", base_url="http://127.0.0.1:9/v1"
        )
