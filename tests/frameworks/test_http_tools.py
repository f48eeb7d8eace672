"""Tools that watch, record or replace HTTP see the requests of both clients by default.

Tools that know legacy httpx alone, or clients of HTTPX2 alone, see those of a client that is given
one: docs/test-and-trace.md says which.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import httpx2
import pytest
import voyageai
from voyageai import error

from .conftest import CORPUS, QUESTION

RETRIED = voyageai.RetryPolicy(max_retries=2, initial_delay=0.001)
EMBED = {"texts": list(CORPUS), "model": "voyage-4", "input_type": "document"}
ADDRESS = "https://voyage.example/v1"
VECTOR = {"object": "embedding", "index": 0, "embedding": "AACAPwAAAAA="}
"""[1, 0], as the API writes it."""
USAGE = {"total_tokens": 7}
EMBEDDED = {"object": "list", "data": [VECTOR], "model": "voyage-4", "usage": USAGE}
Call = Callable[..., Any]


@pytest.fixture(params=["Client", "AsyncClient"])
def half(request: pytest.FixtureRequest) -> str:
    """Return the name of one of the two clients."""
    return request.param


@pytest.fixture
def call(half: str) -> Call:
    """Return a function that makes a client, calls a method, and closes what the client used."""

    def blocking(method: str, /, client: dict[str, Any], **arguments: Any) -> Any:
        with voyageai.Client(**client) as vo, client.get("http_client") or nullcontext():
            return getattr(vo, method)(**arguments)

    async def asynchronous(method: str, /, client: dict[str, Any], **arguments: Any) -> Any:
        async with voyageai.AsyncClient(**client) as vo, client.get("http_client") or nullcontext():
            return await getattr(vo, method)(**arguments)

    def run(method: str, /, client: dict[str, Any] | None = None, **arguments: Any) -> Any:
        given = client or {}
        if half == "Client":
            return blocking(method, given, **arguments)
        return asyncio.run(asynchronous(method, given, **arguments))

    return run


@pytest.fixture
def spans() -> Iterator[Any]:
    """Yield a tracer provider, and the exporter that keeps its finished spans."""
    trace = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    exporter = memory.InMemorySpanExporter()
    provider = trace.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    yield provider, exporter
    provider.shutdown()


# OpenTelemetry


@pytest.fixture
def traced(spans: Any) -> Iterator[Any]:
    """Instrument HTTPX2; yield the provider and the exporter."""
    package = pytest.importorskip("opentelemetry.instrumentation.httpx")
    instrumentor = package.HTTPX2ClientInstrumentor()
    instrumentor.instrument(tracer_provider=spans[0])
    yield spans
    instrumentor.uninstrument()


def test_opentelemetry_sees_each_attempt(call, traced, emulator):
    """A trace shows the time of each retry, and the server's spans are below the right attempt."""
    provider, exporter = traced
    emulator.faults.next("status", status=503)
    emulator.faults.next("status", status=429, retry_after=0)
    with provider.get_tracer("test").start_as_current_span("caller") as caller:
        call("embed", {"max_retries": RETRIED}, **EMBED)

    attempts = [span for span in exporter.get_finished_spans() if span.name != "caller"]
    assert ["CLIENT"] * 3 == [span.kind.name for span in attempts]
    assert [503, 429, 200] == [status_of(span) for span in attempts]
    parent = caller.get_span_context()
    assert {parent.span_id} == {span.parent.span_id for span in attempts}
    sent = [parents(request.headers) for request in emulator.requests]
    assert sent == [[(parent.trace_id, span.context.span_id)] for span in attempts]


def test_opentelemetry_sees_attempts_without_a_response(call, traced, emulator):
    """An attempt without a response has a span with status ERROR."""
    _, exporter = traced
    emulator.faults.next("reset_before", times=2)
    with pytest.raises(error.APIConnectionError):
        call(
            "embed",
            {"max_retries": voyageai.RetryPolicy(max_retries=1, initial_delay=0.001)},
            **EMBED,
        )

    spans = exporter.get_finished_spans()
    assert [2, {"ERROR"}] == [len(spans), {span.status.status_code.name for span in spans}]


def test_opentelemetry_sees_each_attempt_of_a_legacy_client(call, half, spans, emulator):
    """Many installations instrument legacy httpx only."""
    package = pytest.importorskip("opentelemetry.instrumentation.httpx")
    instrumentor = package.HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=spans[0])
    emulator.faults.next("status", status=503)
    try:
        call("embed", legacy(half) | {"base_url": emulator.url}, **EMBED)
    finally:
        instrumentor.uninstrument()

    assert [503, 200] == [status_of(span) for span in spans[1].get_finished_spans()]
    assert [1, 1] == [len(parents(request.headers)) for request in emulator.requests]


def test_opentelemetry_does_not_get_the_key(call, traced):
    """Spans are stored for long, often by other companies."""
    call("embed", **EMBED)

    assert "pa-emulated" not in "".join(span.to_json() for span in traced[1].get_finished_spans())


def status_of(span: Any) -> int:
    """Return the HTTP status of a span, by the old or the new attribute name."""
    return span.attributes.get("http.status_code") or span.attributes["http.response.status_code"]


def parents(headers: Any) -> list[tuple[int, int]]:
    """Return trace id and span id of each `traceparent` header."""
    found = [value for name, value in headers.items() if name.lower() == "traceparent"]
    return [
        (int(trace, 16), int(span, 16))
        for value in found
        for _, trace, span, _ in [value.split("-")]
    ]


# OpenLLMetry


@pytest.fixture
def wrapped(spans: Any) -> Iterator[Any]:
    """Instrument this package's clients; yield the provider and the exporter."""
    package = pytest.importorskip("opentelemetry.instrumentation.voyageai")
    instrumentor = package.VoyageAIInstrumentor()
    instrumentor.instrument(tracer_provider=spans[0])
    yield spans
    instrumentor.uninstrument()


@pytest.mark.parametrize(
    ("method", "arguments", "span"),
    [
        ("embed", {"texts": list(CORPUS)}, "voyageai.embed"),
        ("embed_query", {"text": QUESTION}, "voyageai.embed"),
        ("embed_documents", {"texts": list(CORPUS)}, "voyageai.embed"),
        ("rerank", {"query": QUESTION, "documents": list(CORPUS)}, "voyageai.rerank"),
    ],
)
@pytest.mark.filterwarnings("ignore:input_type is left out")
def test_openllmetry_sees_each_call(call, wrapped, method, arguments, span):
    """Each form of a method gives one span with model and tokens."""
    model = "rerank-2.5" if method == "rerank" else "voyage-4"
    result = call(method, model=model, **arguments)

    [found] = wrapped[1].get_finished_spans()
    assert [span, "CLIENT"] == [found.name, found.kind.name]
    assert model == found.attributes["gen_ai.request.model"]
    assert result.total_tokens == found.attributes["gen_ai.usage.input_tokens"]


def test_openllmetry_sees_a_call_that_fails(call, wrapped, emulator):
    """The span's description is the message of the error that the caller gets."""
    emulator.faults.next("status", status=500)
    with pytest.raises(error.ServerError) as caught:
        call("embed", **EMBED)

    [found] = wrapped[1].get_finished_spans()
    assert ["ERROR", str(caught.value)] == [
        found.status.status_code.name,
        found.status.description,
    ]


def test_a_call_and_its_attempts_are_one_trace(call, traced, wrapped, emulator):
    """Both instrumentors work together; OpenLLMetry's span is a sibling of the attempts."""
    emulator.faults.next("status", status=503)
    provider, exporter = traced
    with provider.get_tracer("test").start_as_current_span("caller"):
        call("embed", {"max_retries": RETRIED}, **EMBED)

    found = exporter.get_finished_spans()
    assert ["POST", "POST", "voyageai.embed", "caller"] == [span.name for span in found]
    assert {found[-1].context.span_id} == {span.parent.span_id for span in found[:-1]}


# vcrpy


def test_vcr_records_and_replays(call, emulator, tmp_path):
    """Users' tests replay real responses without a server or a key."""
    vcr = pytest.importorskip("vcr").VCR(filter_headers=["authorization"])
    cassette = str(tmp_path / "cassette.yaml")
    emulator.faults.next("status", status=503)
    with vcr.use_cassette(cassette) as recorded:
        first = list(both(call))
    assert [3, 0] == [len(recorded), recorded.play_count]
    emulator.requests.clear()
    with vcr.use_cassette(cassette, record_mode="none") as played:
        again = list(both(call))

    assert first == again
    assert [3, 0] == [played.play_count, len(emulator.requests)]


def test_vcr_refuses_what_it_has_not_recorded(call, tmp_path):
    """A changed test must not call the API unnoticed, which would cost money."""
    vcr = pytest.importorskip("vcr")
    refused = pytest.importorskip("vcr.errors").CannotOverwriteExistingCassetteException
    with (
        vcr.use_cassette(str(tmp_path / "none.yaml"), record_mode="none"),
        pytest.raises(refused),
    ):
        call("embed", **EMBED)


def test_the_key_can_be_kept_from_a_cassette(call, emulator, tmp_path):
    """Users commit cassettes to their repositories."""
    vcr = pytest.importorskip("vcr").VCR(filter_headers=["authorization"])
    with vcr.use_cassette(str(tmp_path / "cassette.yaml")):
        call("embed", **EMBED)
    written = (tmp_path / "cassette.yaml").read_text()

    assert "/v1/embeddings" in written
    assert "pa-emulated" not in written


def test_vcr_replays_files(call, half, emulator, tmp_path):
    """Streamed uploads and downloads are recorded whole."""
    vcr = pytest.importorskip("vcr").VCR(filter_headers=["authorization"])
    lines = b'{"custom_id": "a", "body": {"input": ["Where are the keys?"]}}\n'
    (tmp_path / "lines.jsonl").write_bytes(lines)

    def blocking() -> bytes:
        with voyageai.Client() as vo:
            file = vo.files.upload(tmp_path / "lines.jsonl")
            return b"".join(vo.files.content(file.id).iter_bytes())

    async def asynchronous() -> bytes:
        async with voyageai.AsyncClient() as vo:
            file = await vo.files.upload(tmp_path / "lines.jsonl")
            return b"".join([one async for one in vo.files.content(file.id).iter_bytes()])

    for mode in ("once", "none"):
        emulator.requests.clear()
        with vcr.use_cassette(str(tmp_path / "cassette.yaml"), record_mode=mode):
            assert lines == (blocking() if half == "Client" else asyncio.run(asynchronous()))
    assert [] == list(emulator.requests)


def both(call: Call) -> Iterator[Any]:
    """Yield the results of a call that is retried, and of another."""
    yield call("embed", {"max_retries": RETRIED}, **EMBED)
    yield call("rerank", query=QUESTION, documents=list(CORPUS), model="rerank-2.5")


# Mocks


@pytest.fixture
def mocked(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """Return a function that gets a plugin's fixture, or skips if the plugin is not installed."""

    def get(fixture: str, package: str) -> Any:
        pytest.importorskip(package)
        return request.getfixturevalue(fixture)

    return get


def test_httpx2_pytest_answers(call, mocked):
    """Users' tests can mock the API, and assert on the request."""
    mock = mocked("httpx2_mock", "pytest_httpx2")
    mock.add_response(url=f"{ADDRESS}/embeddings", json=EMBEDDED)
    result = call("embed_query", {"base_url": ADDRESS}, text=QUESTION, model="voyage-4")

    assert [1.0, 0.0] == list(result.embeddings[0])
    [request] = mock.get_requests()
    assert QUESTION in str(json.loads(request.content)["input"])
    assert "Bearer pa-emulated" == request.headers["authorization"]


def test_httpx2_pytest_makes_retries_happen(call, mocked):
    """Users' tests can fail a request by a status or an exception, without waiting for retries."""
    mock = mocked("httpx2_mock", "pytest_httpx2")
    mock.add_response(status_code=503)
    mock.add_exception(httpx2.ReadTimeout("late"))
    mock.add_response(json=EMBEDDED)
    client = {"base_url": ADDRESS, "max_retries": RETRIED}
    result = call("embed_query", client, text=QUESTION, model="voyage-4")

    assert [1.0, 0.0] == list(result.embeddings[0])
    assert 3 == len(mock.get_requests())


def legacy(half: str) -> dict[str, Any]:
    """Return arguments for a client that sends through legacy httpx."""
    httpx = pytest.importorskip("httpx")
    return {"base_url": ADDRESS, "http_client": getattr(httpx, half)(), "max_retries": RETRIED}


def test_pytest_httpx_answers_a_legacy_client(call, half, mocked):
    """pytest-httpx patches legacy httpx only, so the client must send through it."""
    httpx = pytest.importorskip("httpx")
    mock = mocked("httpx_mock", "pytest_httpx")
    mock.add_response(status_code=503)
    mock.add_exception(httpx.ReadTimeout("late"))
    mock.add_response(url=f"{ADDRESS}/embeddings", json=EMBEDDED)
    result = call("embed_query", legacy(half), text=QUESTION, model="voyage-4")

    assert [1.0, 0.0] == list(result.embeddings[0])
    assert 3 == len(mock.get_requests())


def test_respx_answers_a_legacy_client(call, half):
    """respx mocks blocking and asynchronous calls of a client on legacy httpx."""
    respx = pytest.importorskip("respx")
    httpx = pytest.importorskip("httpx")
    with respx.mock(base_url=ADDRESS) as router:
        route = router.post("/embeddings")
        route.side_effect = [
            httpx.ConnectError("no"),
            httpx.Response(429, headers={"retry-after": "0"}),
            httpx.Response(200, json=EMBEDDED),
        ]
        result = call("embed_query", legacy(half), text=QUESTION, model="voyage-4")

    assert [1.0, 0.0] == list(result.embeddings[0])
    assert 3 == route.call_count


# Sentry, whose integrations patch `send` of clients


@pytest.fixture
def sentry() -> Iterator[list[Any]]:
    """Yield the list of transactions that Sentry receives, with their spans."""
    sdk = pytest.importorskip("sentry_sdk")
    events: list[Any] = []

    def keep(event: Any, hint: Any) -> None:
        events.append(event)

    found = [
        getattr(importlib.import_module(f"sentry_sdk.integrations.{name}"), kind)()
        for name, kind in (("httpx", "HttpxIntegration"), ("httpx2", "Httpx2Integration"))
    ]
    sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        traces_sample_rate=1.0,
        default_integrations=False,
        integrations=found,
        before_send_transaction=keep,
    )
    yield events
    sdk.get_client().close(timeout=0)
    sdk.get_global_scope().set_client(None)


def http_statuses(sentry: list[Any], call: Call, client: dict[str, Any]) -> list[Any]:
    """Return the HTTP status of each request span in a transaction around a call."""
    import sentry_sdk

    with sentry_sdk.start_transaction(name="caller"):
        call("embed", client, **EMBED)
    [event] = sentry
    return [
        span["data"]["http.response.status_code"]
        for span in event["spans"]
        if span["op"] == "http.client"
    ]


@pytest.mark.parametrize("library", [None, "httpx2", "httpx"])
def test_sentry_sees_each_attempt(sentry, call, half, emulator, library):
    """Sentry traces every HTTP library, and the server learns the trace from the headers."""
    own = {} if library is None else {"http_client": getattr(pytest.importorskip(library), half)()}
    emulator.faults.next("status", status=503)
    statuses = http_statuses(sentry, call, {**own, "max_retries": RETRIED})

    assert [503, 200] == statuses
    traces = [request.headers["sentry-trace"] for request in emulator.requests]
    [event] = sentry
    assert [span["span_id"] for span in event["spans"]] == [one.split("-")[1] for one in traces]
    assert {event["contexts"]["trace"]["trace_id"]} == {one.split("-")[0] for one in traces}
