"""The OpenTelemetry recorder, and the span and metrics of a call. It never raises into calls."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from voyageai_rest.errors import printable

from ..error import ID_LIMIT, ArgumentError, VoyageError
from ..extras import require
from ..version import VERSION
from . import names

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["CallSpan", "JobInstruments", "Telemetry", "guarded"]

P = ParamSpec("P")
T = TypeVar("T")
LOGGER = logging.getLogger("voyageai")
PORTS = {"http": 80, "https": 443}
MAX_CHARACTERS = 256
"""Most characters of an attribute that comes from a server."""
TOKEN = "!#$%&'*+-.^_`|~"  # noqa: S105  # other characters of header names (RFC 9110)
SUPPRESSED = ("suppress_instrumentation", "suppress_language_model_instrumentation")
"""Keys of a context in which nothing is recorded."""
_reported: set[type[Exception]] = set()


def guarded(method: Callable[P, T]) -> Callable[P, T | None]:
    """Decorate a function to return None instead of raising.

    A broken tracer, propagator or exporter must not break a call. The failure is logged, once for
    each class of exceptions.
    """

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return method(*args, **kwargs)
        except Exception as failure:  # noqa: BLE001  # of any kind
            if type(failure) not in _reported:
                _reported.add(type(failure))
                LOGGER.warning(
                    "OpenTelemetry failed, and calls continue without it: %s: %s",
                    type(failure).__qualname__,
                    printable(str(failure), MAX_CHARACTERS),
                )
            return None

    return call


class JobInstruments:
    """The metrics of jobs."""

    def __init__(self, meter: Any) -> None:
        self.rows = meter.create_counter(names.JOB_ROWS, "{row}", "Rows that a job is done with")
        self.tokens = meter.create_counter(names.JOB_TOKENS, "{token}", "Tokens that were billed")
        self.cost = meter.create_counter(names.JOB_COST, "{USD}", "Their list price")
        self.refusals = meter.create_counter(
            names.JOB_REFUSALS, "{refusal}", "Requests or batches that were refused for their rate"
        )
        self.limit_share = meter.create_gauge(
            names.JOB_LIMIT_SHARE, "1", "Part of the rate limit, or of what may be in flight"
        )


class Telemetry:
    """The recorder of a client: its tracer, meter and propagator.

    Attributes:
        tracer: The tracer.
        trace, context: The modules `opentelemetry.trace` and `opentelemetry.context`.
    """

    def __init__(self, tracer_provider: Any, meter_provider: Any, *, propagation: bool) -> None:
        self.trace: ModuleType = require("opentelemetry.trace", "otel")
        self.context: ModuleType = require("opentelemetry.context", "otel")
        self.tracer: Any = self.trace.get_tracer(
            names.SCOPE, VERSION, tracer_provider=tracer_provider
        )
        metrics = require("opentelemetry.metrics", "otel")
        self._meter: Any = metrics.get_meter(names.SCOPE, VERSION, meter_provider=meter_provider)
        propagate = require("opentelemetry.propagate", "otel")
        self._inject: Any = propagate.inject if propagation else None
        # The key that other instrumentors honour has no public name.
        suppression_key = getattr(self.context, "_SUPPRESS_INSTRUMENTATION_KEY", SUPPRESSED[0])
        self._suppressing = (*SUPPRESSED, suppression_key)
        self._duration: Any = self._meter.create_histogram(
            names.DURATION,
            "s",
            "Time that calls took, with all their attempts and waits",
            explicit_bucket_boundaries_advisory=names.DURATION_BOUNDARIES,
        )
        self._tokens: Any = self._meter.create_histogram(
            names.TOKENS,
            "{token}",
            "Tokens of calls",
            explicit_bucket_boundaries_advisory=names.TOKEN_BOUNDARIES,
        )

    @staticmethod
    @guarded
    def of(given: Mapping[str, Any]) -> Telemetry:
        """Return the recorder for a client's settings; None if making it fails, which is logged."""
        return Telemetry(
            given.get("tracer_provider"),
            given.get("meter_provider"),
            propagation=given.get("propagation", True),
        )

    @staticmethod
    @functools.cache
    def of_program() -> Telemetry | None:
        """Return the recorder that uses the program's providers, even if they are set later."""
        return Telemetry.of({})

    def call(
        self,
        operation: str,
        model: str,
        facts: Mapping[str, Any],
        clock: Callable[[], float],
        *,
        is_wrapped: bool,
    ) -> CallSpan:
        """Return the record of a call.

        Args:
            operation: Operation of the contract. Those without a name in the conventions get no
                span and no metrics, only the headers of the trace.
            model: Name of the model.
            facts: Further attributes, by the names of `names.CALL_FACTS`.
            clock: A monotonic clock, in seconds.
            is_wrapped: True if an instrumentor makes a span of the call.
        """
        name = names.OPERATIONS.get(operation, "")
        return CallSpan(self, name, model, facts, clock, is_wrapped=is_wrapped)

    def is_suppressed(self) -> bool:
        """Return whether recording is suppressed in the current context."""
        current = self.context.get_current()
        return any(current.get(key) for key in self._suppressing)

    def inject(self, headers: Any) -> None:
        """Add the propagator's headers to a request, except for those it has already."""
        if self._inject is None:
            return
        found: dict[str, Any] = {}
        self._inject(found)
        for name, value in found.items():
            if name not in headers and _is_header(name, value):
                headers[name] = value

    def measure(self, attributes: Mapping[str, Any], seconds: float, tokens: int | None) -> None:
        """Record the metrics of a call."""
        self._duration.record(seconds, attributes)
        if tokens is not None:
            self._tokens.record(tokens, {**attributes, names.TOKEN_TYPE: "input"})

    @functools.cached_property
    def jobs(self) -> JobInstruments:
        """The metrics of jobs, made on first use."""
        return JobInstruments(self._meter)


class CallSpan:
    """The span and the metrics of one call, with all its attempts."""

    def __init__(
        self,
        telemetry: Telemetry,
        operation: str,
        model: str,
        facts: Mapping[str, Any],
        clock: Callable[[], float],
        *,
        is_wrapped: bool,
    ) -> None:
        self._telemetry, self._operation, self._model = telemetry, operation, model
        self._facts, self._clock, self._is_wrapped = facts, clock, is_wrapped
        self._attempts = 0
        self._status: int | None = None
        self._request_id: str | None = None
        self._start: float | None = None
        self._shared: dict[str, Any] = {}
        """Attributes that the span and the metrics share."""
        self._span: Any = None
        self._token: Any = None

    @guarded
    def begin(self, url: Any, headers: Any) -> None:
        """Begin the span, make it the current one, and add the trace headers to the request.

        Args:
            url: URL of the request, with `scheme`, `host` and `port`.
            headers: Headers of the request, to which others are added.
        """
        telemetry = self._telemetry
        if telemetry.is_suppressed():
            return
        if self._operation:
            shared = self._shared
            shared[names.OPERATION_NAME] = self._operation
            shared[names.PROVIDER_NAME] = names.PROVIDER
            if self._model:
                shared[names.REQUEST_MODEL] = self._model
            shared[names.SERVER_ADDRESS] = url.host
            if (port := url.port or PORTS.get(url.scheme)) is not None:
                shared[names.SERVER_PORT] = port
            self._start = self._clock()
            if not self._is_wrapped:
                self._open()
        telemetry.inject(headers)

    @guarded
    def _open(self) -> None:
        telemetry, trace = self._telemetry, self._telemetry.trace
        facts = {
            names.CALL_FACTS[name]: value
            for name, value in self._facts.items()
            if value is not None
        }
        self._span = telemetry.tracer.start_span(
            f"{self._operation} {self._model}".rstrip(),
            kind=trace.SpanKind.CLIENT,
            attributes={**self._shared, **facts},
        )
        self._token = telemetry.context.attach(trace.set_span_in_context(self._span))

    def sent(self, attempts: int) -> None:
        """Record that an attempt is about to be sent."""
        self._attempts, self._status, self._request_id = attempts, None, None

    def answered(self, status: int, request_id: str | None) -> None:
        """Record the status and the request id of a response."""
        self._status, self._request_id = status, request_id

    def succeed(self, result: object) -> None:
        """End the span of a call with a result."""
        if self._start is not None:
            self._end(*(self._read(result) or ({}, None, None)), None)

    def fail(self, failure: BaseException) -> None:
        """End the span of a call that failed or was cancelled.

        If an argument was wrong and nothing was sent, the span is dropped.
        """
        if self._start is None:
            return
        if isinstance(failure, ArgumentError) and not self._attempts:
            self._leave()  # the span is never ended, so never exported
            return
        self._end({}, None, None, failure)

    @guarded
    def _read(self, result: object) -> tuple[dict[str, Any], str | None, int | None]:
        """Return the attributes of a result, its model, and its tokens."""
        found: dict[str, Any] = {}
        source: Any = result
        model, tokens = getattr(source, "model", None), getattr(source, "total_tokens", None)
        body: Any = getattr(source, "data", None)
        if isinstance(body, dict):  # a raw response of the official client's old names
            answer = cast("dict[str, Any]", body)
            model = answer.get("model")
            with suppress(LookupError, TypeError):
                tokens = answer["usage"]["total_tokens"]
        dimension = getattr(source, "_dimension", None)
        if dimension is not None:
            found[names.DIMENSION] = dimension
        model = printable(model, MAX_CHARACTERS) if isinstance(model, str) else None
        return found, model, tokens if type(tokens) is int else None

    def _end(
        self,
        found: dict[str, Any],
        model: str | None,
        tokens: int | None,
        failure: BaseException | None,
    ) -> None:
        shared = self._shared
        if model is not None:
            shared[names.RESPONSE_MODEL] = model
        if failure is not None:
            shared[names.ERROR_TYPE] = type(failure).__qualname__
        self._measure(tokens)
        if self._span is not None:
            if tokens is not None:
                found[names.INPUT_TOKENS] = tokens
            self._describe(found, failure)
            self._close()
            # A dropped coroutine is closed in another context than the one in which it began.
            if not isinstance(failure, GeneratorExit):
                self._leave()

    @guarded
    def _measure(self, tokens: int | None) -> None:
        self._telemetry.measure(self._shared, self._clock() - (self._start or 0.0), tokens)

    @guarded
    def _describe(self, found: dict[str, Any], failure: BaseException | None) -> None:
        if not self._span.is_recording():
            return
        status, request_id = self._status, self._request_id
        if isinstance(failure, VoyageError) and failure.http_status is not None:
            status, request_id = failure.http_status, failure.request_id
        if status is not None:
            found[names.STATUS_CODE] = status
        if self._attempts > 1:
            found[names.RESEND_COUNT] = self._attempts - 1
        if request_id:
            found[names.REQUEST_ID] = printable(request_id, ID_LIMIT)
        for name in (names.RESPONSE_MODEL, names.ERROR_TYPE):
            if name in self._shared:
                found[name] = self._shared[name]
        self._span.set_attributes(found)
        if failure is not None:
            self._span.set_status(
                self._telemetry.trace.StatusCode.ERROR, describe(failure, status, self._attempts)
            )

    @guarded
    def _close(self) -> None:
        self._span.end()

    @guarded
    def _leave(self) -> None:
        if self._token is not None:
            self._telemetry.context.detach(self._token)
            self._token = None


def describe(failure: BaseException, status: int | None = None, attempts: int = 0) -> str:
    """Describe a failure for a span, without its message, which may quote a text."""
    description = type(failure).__qualname__
    if status is not None:
        description += f", HTTP {status}"
    return f"{description}, after {attempts} attempts" if attempts > 1 else description


def _is_header(name: object, value: object) -> bool:
    """Return whether a propagator's name and value can be sent as a header."""
    if not (isinstance(name, str) and isinstance(value, str) and name and value):
        return False
    fits = all(letter.isalnum() or letter in TOKEN for letter in name)
    return fits and f"{name}{value}".isascii() and value.isprintable()
