"""Both clients over the emulator, and the telemetry that they record."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import voyageai
import voyageai_emulator
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from voyageai.flow import Environment
from voyageai.transport import AsyncTransport, Transport
from voyageai_emulator.emulator import Emulator

KEY = "pa-secret-5f2e"
KINDS = ("Client", "AsyncClient")
FAST = voyageai.RetryPolicy(max_retries=2, initial_delay=0.001)


class Recorded:
    """A pair of OpenTelemetry providers, and clients that use them.

    Attributes:
        made: Created clients, which are closed after the test.
        time: Time of the clock of clients with a mock transport, in seconds.
        tracer: Tracer for spans of the caller.
    """

    made: ClassVar[list[Any]] = []

    def __init__(self, kind: str, url: str) -> None:
        self.kind, self.url = kind, url
        self.time = 1000.0
        self._exporter = InMemorySpanExporter()
        self._traces = TracerProvider()
        self._traces.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._reader = InMemoryMetricReader()
        self._metrics = MeterProvider([self._reader])
        self.tracer = self._traces.get_tracer("caller")

    @property
    def providers(self) -> dict[str, Any]:
        """Return the providers in the form of the option `open_telemetry`."""
        return {"tracer_provider": self._traces, "meter_provider": self._metrics}

    def client(self, **options: Any) -> Any:
        """Return a client of the emulator."""
        given = {"base_url": self.url, "open_telemetry": self.providers, **options}
        self.made.append(getattr(voyageai, self.kind)(KEY, **given))
        return self.made[-1]

    def handled(self, mock: Any, **options: Any) -> Any:
        """Return a client over a mock transport; its sleeps only advance `time`."""
        client = self.client(transport=mock, base_url="https://api.example/v1", **options)
        time = Environment(clock=lambda: self.time, random=lambda: 0.5)

        async def sleep(seconds: float) -> None:
            self.time += seconds

        if self.kind == "Client":

            def wait(seconds: float) -> None:
                self.time += seconds

            client._transport = Transport(http=mock, sleep=wait, environment=time)
        else:
            client._transport = AsyncTransport(http=mock, sleep=sleep, environment=time)
        return client

    def spans(self, name: str = "") -> list[Any]:
        """Return the finished spans whose names start with `name`."""
        return [one for one in self._exporter.get_finished_spans() if one.name.startswith(name)]

    def metrics(self) -> dict[str, list[Any]]:
        """Return the data points of each metric."""
        found = self._reader.get_metrics_data()
        return {
            metric.name: list(metric.data.data_points)
            for resource in (found.resource_metrics if found else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def sums(self, name: str) -> dict[tuple[Any, ...], Any]:
        """Return the values of a metric by kind of job and, for rows, by outcome."""
        keys = ("voyageai.job.kind", "voyageai.job.outcome")
        return {
            tuple(point.attributes[key] for key in keys if key in point.attributes): point.value
            for point in self.metrics().get(name, [])
        }

    def everything(self) -> str:
        """Return all exported spans and metrics as text."""
        metrics = self._reader.get_metrics_data()
        return "".join(
            [*(span.to_json() for span in self.spans()), metrics.to_json() if metrics else ""]
        )


def done(value: Any) -> Any:
    """Return the result of a call of either client."""

    async def wait() -> Any:
        return await value

    return asyncio.run(wait()) if inspect.isawaitable(value) else value


@pytest.fixture(scope="package")
def emulator() -> Iterator[Emulator]:
    """A running emulator."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close all clients after a test, as open connections would cause warnings."""
    yield
    while Recorded.made:
        client = Recorded.made.pop()
        if isinstance(client, voyageai.Client):
            client.close()


@pytest.fixture(params=KINDS)
def recorded(request: pytest.FixtureRequest, emulator: Emulator) -> Recorded:
    """Return the telemetry of one of the two clients."""
    emulator.requests.clear()
    return Recorded(request.param, emulator.url)


def attributes(span: Any) -> dict[str, Any]:
    """Return the attributes of a span as a dict."""
    return json.loads(span.to_json())["attributes"]
