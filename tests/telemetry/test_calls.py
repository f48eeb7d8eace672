"""The span and the metrics of a call have exactly the attributes in docs/opentelemetry.md."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import voyageai
from opentelemetry import context, propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from voyageai import error
from voyageai.telemetry import names

from .conftest import FAST, KINDS, Recorded, attributes, done

EMBED: dict[str, Any] = {"texts": ["a", "b"], "model": "voyage-4", "input_type": "document"}
RERANK: dict[str, Any] = {"query": "q", "documents": ["a", "b", "c"], "model": "rerank-2.5"}
ANSWER = {
    "object": "list",
    "data": [{"index": 0, "relevance_score": 0.9}],
    "model": "rerank-2.5",
    "usage": {"total_tokens": 5},
}
ONE = {**RERANK, "documents": ["a"]}


def start_of(url: str, operation: str, model: str) -> dict[str, Any]:
    """Return the attributes that the span and the metrics of a call share."""
    parts = urlsplit(url)
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "voyageai",
        "gen_ai.request.model": model,
        "server.address": parts.hostname,
        "server.port": parts.port or 443,
    }


@pytest.mark.parametrize(
    ("method", "arguments", "operation", "own"),
    [
        (
            "embed",
            {**EMBED, "output_dtype": "ubinary", "output_dimension": 512},
            "embeddings",
            {
                "gen_ai.embeddings.dimension.count": 512,
                "gen_ai.request.encoding_formats": ["base64"],
                "voyageai.inputs": 2,
                "voyageai.input_type": "document",
                "voyageai.output_dtype": "ubinary",
            },
        ),
        (
            "embed_query",
            {"text": "a", "model": "voyage-4-lite"},
            "embeddings",
            {
                "gen_ai.embeddings.dimension.count": 1024,
                "gen_ai.request.encoding_formats": ["base64"],
                "voyageai.inputs": 1,
                "voyageai.input_type": "query",
            },
        ),
        (
            "contextualized_embed_documents",
            {"documents": [["a", "b"], ["c"]], "model": "voyage-context-4", "output_dtype": "int8"},
            "embeddings",
            {
                "gen_ai.embeddings.dimension.count": 1024,
                "gen_ai.request.encoding_formats": ["base64"],
                "voyageai.inputs": 2,
                "voyageai.input_type": "document",
                "voyageai.output_dtype": "int8",
            },
        ),
        (
            "multimodal_embed_query",
            {"inputs": [["a cat"]], "model": "voyage-multimodal-3.5"},
            "embeddings",
            {
                "gen_ai.embeddings.dimension.count": 1024,
                "gen_ai.request.encoding_formats": ["base64"],
                "voyageai.inputs": 1,
                "voyageai.input_type": "query",
            },
        ),
        (
            "rerank",
            {**RERANK, "top_k": 2},
            "rerank",
            {"gen_ai.rerank.candidate.count": 3, "gen_ai.rerank.top_n": 2},
        ),
    ],
)
def test_a_call_is_one_span(recorded, method, arguments, operation, own):
    """Dashboards query these names, so a missing one leaves a hole in each of them."""
    result = done(getattr(recorded.client(), method)(**arguments))

    [span] = recorded.spans()
    expected = {
        **start_of(recorded.url, operation, arguments["model"]),
        **own,
        "gen_ai.response.model": arguments["model"],
        "gen_ai.usage.input_tokens": result.total_tokens,
        "http.response.status_code": 200,
        "voyageai.request_id": result.request_id,
    }
    assert expected == attributes(span)
    assert f"{operation} {arguments['model']}" == span.name
    assert trace.SpanKind.CLIENT == span.kind
    assert trace.StatusCode.UNSET == span.status.status_code
    assert ("voyageai", voyageai.VERSION) == (
        span.instrumentation_scope.name,
        span.instrumentation_scope.version,
    )
    assert () == tuple(span.events)


def test_both_histograms_have_the_boundaries_of_the_conventions(recorded):
    """With the default boundaries a backend puts all calls below five seconds into one bucket."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        recorded.time += 0.3
        return httpx2.Response(200, json=ANSWER)

    done(recorded.handled(httpx2.MockTransport(answer)).rerank(**ONE))

    found = recorded.metrics()
    [duration], [tokens] = found.pop(names.DURATION), found.pop(names.TOKENS)
    shared = {
        **start_of("https://api.example/v1", "rerank", "rerank-2.5"),
        "gen_ai.response.model": "rerank-2.5",
    }
    assert {} == found
    assert (shared, pytest.approx(0.3), 1) == (
        dict(duration.attributes),
        duration.sum,
        duration.count,
    )
    assert ({**shared, "gen_ai.token.type": "input"}, 5) == (dict(tokens.attributes), tokens.sum)
    assert (
        0.01,
        0.02,
        0.04,
        0.08,
        0.16,
        0.32,
        0.64,
        1.28,
        2.56,
        5.12,
        10.24,
        20.48,
        40.96,
        81.92,
    ) == tuple(duration.explicit_bounds)
    assert (
        1,
        4,
        16,
        64,
        256,
        1024,
        4096,
        16384,
        65536,
        262144,
        1048576,
        4194304,
        16777216,
        67108864,
    ) == tuple(tokens.explicit_bounds)


def test_retries_are_within_the_span_and_each_attempt_names_it(recorded, emulator):
    """A call stays one span however often it is sent, so its duration is what the user waited."""
    emulator.faults.next("status", status=503, times=2)
    with recorded.tracer.start_as_current_span("caller") as caller:
        done(recorded.client(max_retries=FAST).embed(**EMBED))

    [span] = recorded.spans("embeddings")
    assert (2, 200) == tuple(
        attributes(span)[name]
        for name in ("http.request.resend_count", "http.response.status_code")
    )
    assert caller.get_span_context().span_id == span.parent.span_id
    named = f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-"
    sent = [request.headers["traceparent"] for request in emulator.requests]
    assert [named] * 3 == [line[: len(named)] for line in sent]
    [duration] = recorded.metrics()[names.DURATION]
    assert 1 == duration.count


def failing(status: int, **more: Any) -> httpx2.MockTransport:
    return httpx2.MockTransport(lambda _: httpx2.Response(status, **more))


@pytest.mark.parametrize(
    ("answer", "kind", "found"),
    [
        (
            failing(
                400, json={"detail": "the text 'a' is too long"}, headers={"x-request-id": "r"}
            ),
            error.InvalidRequestError,
            {"http.response.status_code": 400, "voyageai.request_id": "r"},
        ),
        (
            failing(429, json={"detail": "slower"}),
            error.RateLimitError,
            {"http.response.status_code": 429, "http.request.resend_count": 2},
        ),
        (
            failing(200, json={"data": "no list"}),
            error.MalformedResponseError,
            {"http.response.status_code": 200},
        ),
    ],
)
def test_a_span_of_an_error_has_no_text_of_the_server(recorded, answer, kind, found):
    """Spans leave the program, and a server's message may quote the user's text."""
    with pytest.raises(kind):
        done(recorded.handled(answer, max_retries=FAST).rerank(**ONE))

    [span] = recorded.spans()
    shared = {
        **start_of("https://api.example/v1", "rerank", "rerank-2.5"),
        "error.type": kind.__qualname__,
    }
    own = {"gen_ai.rerank.candidate.count": 1}
    assert {**shared, **own, **found} == attributes(span)
    attempts = ", after 3 attempts" if "http.request.resend_count" in found else ""
    said = f"{kind.__qualname__}, HTTP {found['http.response.status_code']}{attempts}"
    assert (trace.StatusCode.ERROR, said) == (span.status.status_code, span.status.description)
    assert () == tuple(span.events)
    measured = recorded.metrics()
    assert [shared] == [dict(point.attributes) for point in measured[names.DURATION]]
    assert names.TOKENS not in measured


def test_a_connection_that_fails_has_no_status(recorded):
    """No response came, and the status of an earlier attempt would be misleading."""
    answers = iter([httpx2.Response(503)])

    def answer(request: httpx2.Request) -> httpx2.Response:
        for found in answers:
            return found
        raise httpx2.ConnectError("no route", request=request)

    with pytest.raises(error.APIConnectionError):
        done(recorded.handled(httpx2.MockTransport(answer), max_retries=FAST).rerank(**ONE))

    [span] = recorded.spans()
    assert ("APIConnectionError", None, 2) == tuple(
        attributes(span).get(name)
        for name in ("error.type", "http.response.status_code", "http.request.resend_count")
    )


def test_a_deadline_has_its_own_error(recorded):
    """Dashboards can tell a caller's deadline from a failing server."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        recorded.time += 10
        raise httpx2.ReadTimeout("late", request=request)

    with pytest.raises(error.DeadlineError):
        done(recorded.handled(httpx2.MockTransport(answer), deadline=5).rerank(**ONE))

    [span] = recorded.spans()
    assert ("DeadlineError", trace.StatusCode.ERROR) == (
        attributes(span)["error.type"],
        span.status.status_code,
    )
    [duration] = recorded.metrics()[names.DURATION]
    assert ("DeadlineError", 10) == (duration.attributes["error.type"], duration.sum)


def test_a_cancelled_call_ends_its_span(emulator):
    """A span that never ends is never exported, so the trace would look as if nothing was sent."""
    recorded = Recorded("AsyncClient", emulator.url)
    started = asyncio.Event()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        started.set()
        await asyncio.sleep(3600)
        raise AssertionError

    async def main() -> None:
        client = recorded.handled(httpx2.MockTransport(answer))
        call = asyncio.ensure_future(client.rerank(**ONE))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(main())

    [span] = recorded.spans()
    assert ("CancelledError", trace.StatusCode.ERROR) == (
        attributes(span)["error.type"],
        span.status.status_code,
    )


def test_an_interrupted_call_ends_its_span(emulator):
    """Ctrl-C can interrupt a call at any point, and its span is still exported."""
    recorded = Recorded("Client", emulator.url)

    def answer(request: httpx2.Request) -> httpx2.Response:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recorded.handled(httpx2.MockTransport(answer)).rerank(**ONE)

    [span] = recorded.spans()
    assert "KeyboardInterrupt" == attributes(span)["error.type"]
    assert trace.INVALID_SPAN == trace.get_current_span()


@pytest.mark.parametrize("texts", [[], ["\ud800"]])
def test_a_wrong_argument_has_no_span(recorded, texts):
    """Nothing was sent, so a span would report a call that never happened."""
    with pytest.raises(error.ArgumentError):
        done(recorded.client().embed(**{**EMBED, "texts": texts}))

    assert ([], {}) == (recorded.spans(), recorded.metrics())
    assert trace.INVALID_SPAN == trace.get_current_span()


def test_the_span_is_current_while_the_call_runs(recorded):
    """Log records and spans of attempts attach to the call that they belong to."""
    seen: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(trace.get_current_span().get_span_context().span_id)
        return httpx2.Response(200, json=ANSWER)

    done(recorded.handled(httpx2.MockTransport(answer)).rerank(**ONE))

    assert [span.context.span_id for span in recorded.spans()] == seen
    assert trace.INVALID_SPAN == trace.get_current_span()


def test_files_and_batches_have_no_span_but_belong_to_the_callers(recorded, emulator):
    """The conventions define no span for them, but a trace can still be followed to the server."""
    started = recorded.tracer.start_as_current_span("caller")
    with started as caller, pytest.raises(error.NotFoundError):
        done(recorded.client().batches.retrieve("batch-none"))
    assert {} == recorded.metrics()
    [span] = recorded.spans()
    assert "caller" == span.name
    [request] = emulator.requests
    assert f"{caller.get_span_context().span_id:016x}" in request.headers["traceparent"]


def test_headers_are_left_alone_without_propagation(recorded, emulator):
    """Some gateways refuse unknown headers, and HTTP instrumentors send `traceparent` themselves."""
    providers = {**recorded.providers, "propagation": False}
    done(recorded.client(open_telemetry=providers).embed(**EMBED))

    assert ["traceparent" in request.headers for request in emulator.requests] == [False]
    assert 1 == len(recorded.spans())


def test_a_header_of_the_users_own_is_kept(recorded, emulator):
    """A `traceparent` that the user set is never overwritten."""
    own = f"00-{1:032x}-{2:016x}-01"
    done(recorded.client().embed(**EMBED, extra_headers={"Traceparent": own}))

    assert [own] == [request.headers["traceparent"] for request in emulator.requests]


@pytest.mark.parametrize(
    "key", ["suppress_instrumentation", "suppress_language_model_instrumentation"]
)
def test_nothing_is_recorded_where_that_is_suppressed(recorded, emulator, key):
    """Exporters that call over HTTP, and frameworks with spans of their own, suppress ours."""
    token = context.attach(context.set_value(key, True))
    try:
        done(recorded.client().embed(**EMBED))
    finally:
        context.detach(token)

    assert ([], {}) == (recorded.spans(), recorded.metrics())


def test_vectors_stay_in_their_buffer(recorded):
    """Recording a call makes no Python lists, which take eight times the memory of the vectors."""
    assert done(recorded.client().embed(**EMBED))._vectors is not None


def test_a_raw_answer_has_a_span_too(recorded):
    """The span of a raw response is recorded without parsing the body."""
    answer = done(recorded.client().with_raw_response.embed(**EMBED))

    [span] = recorded.spans()
    assert answer.request_id == attributes(span)["voyageai.request_id"]
    assert "gen_ai.usage.input_tokens" not in attributes(span)


@pytest.mark.parametrize("kind", KINDS)
def test_a_method_that_an_instrumentor_wraps_has_no_second_span(kind, emulator, monkeypatch):
    """Two spans for a call would count its tokens twice in any sum over spans."""
    recorded = Recorded(kind, emulator.url)
    client = recorded.client()
    wrapped = type(client).embed

    def embed(self: Any, *args: Any, **kwargs: Any) -> Any:
        return wrapped(self, *args, **kwargs)

    embed._self_wrapper = None  # type: ignore[attr-defined]  # as functions have that wrapt wraps
    monkeypatch.setattr(type(client), "embed", embed)
    done(client.embed_query("a", model="voyage-4"))
    done(client.rerank(**RERANK))

    assert ["rerank rerank-2.5"] == [span.name for span in recorded.spans()]
    assert 2 == sum(point.count for point in recorded.metrics()[names.DURATION])


class Broken:
    """A part of OpenTelemetry in which every method raises."""

    fields = frozenset[str]()

    def __init__(self) -> None:
        self.kind = type("BrokenError", (Exception,), {})

    def fail(self, *args: Any, **kwargs: Any) -> Any:
        raise self.kind("no disk is left")

    start_span = on_start = on_end = get_tracer = inject = fail

    def shutdown(self) -> None:
        """Return without an error when the process ends, as a real processor does."""


class BrokenTracer(TracerProvider):
    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        return Broken()


def broken(place: str) -> Any:
    """Return providers in which one part is broken."""
    if place == "provider":
        return {"tracer_provider": Broken()}
    if place == "tracer":
        return {"tracer_provider": BrokenTracer()}
    provider = TracerProvider()
    provider.add_span_processor(Broken())  # type: ignore[arg-type]  # it has what is called
    return {"tracer_provider": provider}


@pytest.mark.parametrize("place", ["provider", "tracer", "processor", "propagator"])
def test_a_broken_part_breaks_no_call(recorded, caplog, place):
    """A failure of telemetry never fails the user's call; its cause goes to the log."""
    before = propagate.get_global_textmap()
    if place == "propagator":
        propagate.set_global_textmap(Broken())  # type: ignore[arg-type]  # it has what is called
    try:
        options = recorded.providers if place == "propagator" else broken(place)
        client = recorded.client(open_telemetry=options)
        with caplog.at_level(logging.WARNING, "voyageai"):
            assert 2 == len(done(client.embed(**EMBED)))
            assert 2 == len(done(client.embed(**EMBED)))
    finally:
        propagate.set_global_textmap(before)
    assert trace.INVALID_SPAN == trace.get_current_span()
    said = "OpenTelemetry failed, and calls continue without it: BrokenError: no disk is left"
    assert [said] == [record.getMessage() for record in caplog.records]


def test_a_header_that_can_not_be_sent_is_left_out(recorded, emulator):
    """A program's own propagator may write a value that no header can hold."""

    class Odd:
        fields = frozenset[str]()

        def inject(self, carrier: Any, *args: Any, **kwargs: Any) -> None:
            carrier.update({"x-good": "1", "x-bad": "1\r\nx-evil: 1", "x bad": "1", "host": "evil"})

    before = propagate.get_global_textmap()
    propagate.set_global_textmap(Odd())  # type: ignore[arg-type]  # it has what is called
    try:
        done(recorded.client().embed(**EMBED))
    finally:
        propagate.set_global_textmap(before)

    [request] = emulator.requests
    found = {name: request.headers.get(name) for name in ("x-good", "x-bad", "x-evil")}
    assert {"x-good": "1", "x-bad": None, "x-evil": None} == found
    assert "evil" != request.headers["host"]
