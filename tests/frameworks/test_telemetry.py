"""Native spans and metrics as received by collectors, Logfire, Langfuse and OpenLLMetry."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import voyageai
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from .collector import attributes, collecting
from .conftest import CORPUS, QUESTION

EMBED: dict[str, Any] = {"model": "voyage-4", "input_type": "document"}
FAST = voyageai.RetryPolicy(max_retries=1, initial_delay=0.001)


@pytest.fixture
def kept() -> tuple[TracerProvider, InMemorySpanExporter]:
    """Return a tracer provider, and the exporter that keeps its finished spans."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


def whole_flow(providers: dict[str, Any], folder: Any) -> None:
    """Make calls, one of them refused, and run a batch job and a table job."""
    rows = [{"id": number, "body": text} for number, text in enumerate(CORPUS)]
    with voyageai.Client(open_telemetry=providers) as vo:
        vo.embed(list(CORPUS), **EMBED)
        vo.rerank(QUESTION, list(CORPUS), "rerank-2.5")
        with pytest.raises(voyageai.error.InvalidRequestError):
            vo.embed_query(QUESTION, "no-such-model")
        vo.batches.embed(CORPUS, directory=folder / "job", poll=0.05, progress=False, **EMBED)
        vo.tables.embed(rows, text="body", id="id", into=folder / "table", progress=False, **EMBED)


FLOW = [
    "embeddings voyage-4",
    "rerank rerank-2.5",
    "embeddings no-such-model",
    "batch voyage-4",
    "batch_job voyage-4",
    "embeddings voyage-4",
    "slice voyage-4",
    "table_job voyage-4",
]
"""Names of the spans of `whole_flow`, in the order in which they end."""


def test_a_collector_gets_spans_and_metrics(tmp_path):
    """Spans and metrics arrive over OTLP, without any text or key in the bytes."""
    traces = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    metrics = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.metric_exporter")
    with collecting() as collector:
        spans = TracerProvider()
        exporter = traces.OTLPSpanExporter(f"{collector.url}/v1/traces")
        spans.add_span_processor(SimpleSpanProcessor(exporter))
        reader = PeriodicExportingMetricReader(
            metrics.OTLPMetricExporter(f"{collector.url}/v1/metrics")
        )
        meters = MeterProvider([reader])
        whole_flow({"tracer_provider": spans, "meter_provider": meters}, tmp_path)
        spans.shutdown()
        meters.shutdown()

    assert {"voyageai"} == {scope for scope, _ in collector.spans}
    by_id = {span.span_id: span for _, span in collector.spans}
    assert FLOW == [span.name for span in by_id.values()]
    first = next(iter(by_id.values()))
    assert ("voyage-4", 1024, 3) == (
        attributes(first)["gen_ai.request.model"],
        attributes(first)["gen_ai.embeddings.dimension.count"],
        first.kind,
    )
    above = {
        span.name: by_id[span.parent_span_id].name for span in by_id.values() if span.parent_span_id
    }
    assert {
        "batch voyage-4": "batch_job voyage-4",
        "embeddings voyage-4": "slice voyage-4",
        "slice voyage-4": "table_job voyage-4",
    } == above
    durations = collector.metrics["gen_ai.client.operation.duration"].histogram.data_points
    assert (14, 4) == (len(durations[0].explicit_bounds), sum(one.count for one in durations))
    rows = collector.metrics["voyageai.job.rows"].sum
    assert (True, 2 * len(CORPUS)) == (
        rows.is_monotonic,
        sum(one.as_int for one in rows.data_points),
    )
    sent = b"".join(collector.bodies)
    assert 1000 < len(sent)
    assert [] == [text for text in (*CORPUS, QUESTION, "pa-emulated") if text.encode() in sent]


def test_logfire_shows_calls_below_its_own_spans(tmp_path):
    """Calls and jobs appear in the user's own trace."""
    logfire = pytest.importorskip("logfire")
    exporter = InMemorySpanExporter()
    instance = logfire.configure(
        local=True,
        send_to_logfire=False,
        console=False,
        additional_span_processors=[SimpleSpanProcessor(exporter)],
    )
    providers = {
        "tracer_provider": instance.config.get_tracer_provider(),
        "meter_provider": instance.config.get_meter_provider(),
    }
    with instance.span("search"):
        whole_flow(providers, tmp_path)

    found = [
        span
        for span in exporter.get_finished_spans()
        if span.attributes.get("logfire.span_type") != "pending_span"
    ]
    assert [*FLOW, "search"] == [span.name for span in found]
    assert 1 == len({span.context.trace_id for span in found})
    tops = [FLOW[number] for number in (0, 1, 2, 4, 7)]  # the others are below a job
    top = found[-1].context.span_id
    assert tops == [span.name for span in found if span.parent and span.parent.span_id == top]
    failed = found[2]
    assert ("no-such-model", "InvalidRequestError") == (
        failed.attributes["gen_ai.request.model"],
        failed.attributes["error.type"],
    )


def test_langfuse_takes_all_spans_and_counts_tokens_once(tmp_path):
    """Langfuse drops spans it takes for foreign, and would sum the tokens of nested ones twice."""
    module = pytest.importorskip("langfuse._client.span_processor")
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    processor = module.LangfuseSpanProcessor(
        public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", span_exporter=exporter
    )
    provider.add_span_processor(processor)
    whole_flow({"tracer_provider": provider}, tmp_path)
    processor.force_flush()
    found = exporter.get_finished_spans()
    provider.shutdown()

    assert FLOW == [span.name for span in found]
    with_model = [span for span in found if "gen_ai.request.model" in span.attributes]
    assert ["embeddings", "rerank", "embeddings", "embeddings"] == [
        span.attributes["gen_ai.operation.name"] for span in with_model
    ]
    with_usage = [span for span in found if "gen_ai.usage.input_tokens" in span.attributes]
    assert [with_model[0], with_model[1], with_model[3]] == with_usage


@pytest.fixture(params=["Client", "AsyncClient"])
def call(request: pytest.FixtureRequest) -> Any:
    """Return a function that calls a method of a new client of either kind."""

    def called(providers: Any, method: str, **arguments: Any) -> Any:
        client = getattr(voyageai, request.param)(open_telemetry=providers, max_retries=FAST)

        async def wait() -> Any:
            async with client:
                return await getattr(client, method)(**arguments)

        if request.param == "AsyncClient":
            return asyncio.run(wait())
        with client:
            return getattr(client, method)(**arguments)

    return called


@pytest.fixture
def openllmetry(kept: Any) -> Iterator[Any]:
    """Instrument with OpenLLMetry; yield the provider and the exporter."""
    package = pytest.importorskip("opentelemetry.instrumentation.voyageai")
    instrumentor = package.VoyageAIInstrumentor()
    instrumentor.instrument(tracer_provider=kept[0])
    yield kept
    instrumentor.uninstrument()


@pytest.mark.parametrize(
    ("method", "arguments", "name"),
    [
        ("embed", {"texts": [QUESTION], **EMBED}, "voyageai.embed"),
        ("embed_query", {"text": QUESTION, "model": "voyage-4"}, "voyageai.embed"),
        (
            "rerank",
            {"query": QUESTION, "documents": list(CORPUS), "model": "rerank-2.5"},
            "voyageai.rerank",
        ),
        (
            "contextualized_embed_query",
            {"text": QUESTION, "model": "voyage-context-4"},
            "embeddings voyage-context-4",
        ),
        (
            "multimodal_embed_query",
            {"inputs": [[QUESTION]], "model": "voyage-multimodal-3.5"},
            "embeddings voyage-multimodal-3.5",
        ),
    ],
)
def test_openllmetry_and_native_spans_are_one_per_call(call, openllmetry, method, arguments, name):
    """OpenLLMetry's span replaces the native one, so that no call is counted twice."""
    call({"tracer_provider": openllmetry[0]}, method, **arguments)

    assert [name] == [span.name for span in openllmetry[1].get_finished_spans()]


def test_calls_of_a_table_have_native_spans_beside_openllmetry(openllmetry, tmp_path):
    """OpenLLMetry does not wrap the methods that a table uses."""
    with voyageai.Client(open_telemetry={"tracer_provider": openllmetry[0]}) as vo:
        rows = [{"id": 1, "body": QUESTION}]
        vo.tables.embed(rows, text="body", id="id", into=tmp_path, progress=False, **EMBED)

    names = [span.name for span in openllmetry[1].get_finished_spans()]
    assert ["embeddings voyage-4", "slice voyage-4", "table_job voyage-4"] == names


def test_native_spans_return_when_openllmetry_goes(call, kept):
    """After `uninstrument`, calls have native spans again."""
    package = pytest.importorskip("opentelemetry.instrumentation.voyageai")
    instrumentor = package.VoyageAIInstrumentor()
    instrumentor.instrument(tracer_provider=kept[0])
    instrumentor.uninstrument()
    call({"tracer_provider": kept[0]}, "embed", texts=[QUESTION], **EMBED)

    assert ["embeddings voyage-4"] == [span.name for span in kept[1].get_finished_spans()]


def test_attempts_of_the_http_instrumentor_are_below_the_call(call, kept, emulator):
    """Each attempt sends one `traceparent`, and its span is a child of the call's."""
    package = pytest.importorskip("opentelemetry.instrumentation.httpx")
    instrumentor = package.HTTPX2ClientInstrumentor()
    instrumentor.instrument(tracer_provider=kept[0])
    emulator.faults.next("status", status=503)
    try:
        call({"tracer_provider": kept[0]}, "embed", texts=[QUESTION], **EMBED)
    finally:
        instrumentor.uninstrument()

    *attempts, whole = kept[1].get_finished_spans()
    assert ["POST", "POST", "embeddings voyage-4"] == [span.name for span in (*attempts, whole)]
    assert {whole.context.span_id} == {span.parent.span_id for span in attempts}
    sent = [
        [value.split("-")[2] for name, value in request.headers.items() if name == "traceparent"]
        for request in emulator.requests
    ]
    assert [[f"{span.context.span_id:016x}"] for span in attempts] == sent
