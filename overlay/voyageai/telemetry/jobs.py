"""The span of a run of a job, with its parts, its counters, and links to earlier runs."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..disk import open_regular
from . import names
from .recorder import describe, guarded

if TYPE_CHECKING:
    from types import TracebackType

    from .recorder import Telemetry

__all__ = ["FILE", "JobSpan"]

FILE = "telemetry.json"
"""Name of the file, in a job's directory, with the spans of the job."""
MAX_SPANS = 16
"""Number of earlier runs that are kept and linked."""
MAX_BYTES = 65_536
"""Most bytes of the file that are read."""
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
COUNTERS = ("rows", "failed", "tokens")


class JobSpan:
    """The span of one run of a job.

    Within its `with` block, the span is the current one. A job may outlive its process but a span
    can't, so each run has a span of its own, with links to those of earlier runs.

    Args:
        telemetry: The recorder; None to record nothing.
        kind: Kind of the job, `batch` or `table`.
        id: Id of the job.
        method: Name of the method that is run for the rows.
        model: Name of the model.
        folder: Folder of the file with the job's spans.
        price: US dollars per million tokens; None if it is not known.
        facts: Further attributes of the run, by the names of `names.JOB_FACTS`.

    Attributes:
        is_on: True if anything is recorded.
    """

    def __init__(
        self,
        telemetry: Telemetry | None,
        kind: Literal["batch", "table"],
        *,
        id: str,
        method: str,
        model: str,
        folder: Path,
        price: float | None,
        **facts: Any,
    ) -> None:
        self._telemetry, self._path, self._price = telemetry, folder / FILE, price
        self.is_on: bool = telemetry is not None
        self._kind, self._id, self._model = kind, id, model
        self._facts = {"model": model, **facts}
        self._shared = {
            names.PROVIDER_NAME: names.PROVIDER,
            names.JOB_KIND: kind,
            names.JOB_METHOD: method,
        }
        self._metered = {**self._shared, names.REQUEST_MODEL: model}
        self._sums: dict[str, float] = {}
        self._links: list[Any] = []
        self._depth = 0
        self._span: Any = None
        self._context: Any = None
        self._token: Any = None
        self._parts: dict[int, tuple[Any, Any]] = {}
        """Spans of parts and their contexts, by the number of the part."""

    @guarded
    def load(self) -> None:
        """Read the spans of earlier runs; it reads a file, so it must not run on an event loop."""
        if self._telemetry is not None and not self._depth:
            self._links = self._earlier(self._telemetry)

    def __enter__(self) -> JobSpan:
        self._depth += 1
        if self._telemetry is not None and self._depth == 1:
            self._open(self._telemetry)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if self._span is not None and not self._depth:
            for number in [*self._parts]:
                self.end(number)
            self._close(error)
            # A dropped coroutine is closed in another context than the one in which it began.
            if not isinstance(error, GeneratorExit):
                self._leave()

    @property
    def is_open(self) -> bool:
        """True within the `with` block; a run inside another one shares its span."""
        return self._depth > 0

    @guarded
    def _open(self, telemetry: Telemetry) -> None:
        if telemetry.is_suppressed():
            self._telemetry, self.is_on = None, False
            return
        trace = telemetry.trace
        links = [trace.Link(context, {names.JOB_ID: self._id}) for context in self._links]
        self._span = telemetry.tracer.start_span(
            f"{self._kind}_job {self._model}",
            attributes={**self._shared, names.JOB_ID: self._id, **_named(self._facts)},
            links=links,
        )
        self._context = trace.set_span_in_context(self._span)
        self._token = telemetry.context.attach(self._context)

    @guarded
    def _close(self, error: BaseException | None) -> None:
        if self._span.is_recording():
            self._span.set_attributes(_named(self._sums))
            if error is not None and self._telemetry is not None:
                self._span.set_attribute(names.ERROR_TYPE, type(error).__qualname__)
                self._span.set_status(self._telemetry.trace.StatusCode.ERROR, describe(error))
        self._span.end()
        self._span = None

    @guarded
    def _leave(self) -> None:
        if self._token is not None and self._telemetry is not None:
            self._telemetry.context.detach(self._token)

    # Parts. They begin and end in other threads and contexts than the run, so their parent is
    # passed explicitly.

    @guarded
    def begin(self, number: int, **facts: Any) -> None:
        """Begin the span of a batch or a slice, unless it has begun.

        Args:
            number: Number of the part within the job.
            facts: Attributes of `voyageai.batch.*` or `voyageai.slice.*`.
        """
        if self._span is None or self._telemetry is None or number in self._parts:
            return
        part, trace = self._part, self._telemetry.trace
        span = self._telemetry.tracer.start_span(
            f"{part} {self._model}",
            context=self._context,
            attributes={
                names.PROVIDER_NAME: names.PROVIDER,
                names.JOB_ID: self._id,
                f"voyageai.{part}.number": number,
                **self._of_part(facts),
            },
        )
        self._parts[number] = span, trace.set_span_in_context(span, self._context)

    @guarded
    def end(self, number: int, *, is_failed: bool = False, **facts: Any) -> None:
        """End the span of a batch or a slice, if it has one.

        Args:
            number: Number of the part within the job.
            is_failed: True if the part failed as a whole.
            facts: As in `begin`.
        """
        if number not in self._parts:
            return
        span, _ = self._parts.pop(number)
        span.set_attributes(self._of_part(facts))
        if is_failed and self._telemetry is not None:
            span.set_status(self._telemetry.trace.StatusCode.ERROR)
        span.end()

    @contextmanager
    def within(self, number: int) -> Generator[None]:
        """Make the span of a part the current one in this thread or task."""
        found = self._parts.get(number)
        telemetry = self._telemetry
        token = None if found is None or telemetry is None else _attach(telemetry, found[1])
        try:
            yield
        finally:
            if token is not None and telemetry is not None:
                _detach(telemetry, token)

    @property
    def _part(self) -> str:
        return "batch" if "batch" in (self._kind, self._facts.get("via")) else "slice"

    def _of_part(self, facts: dict[str, Any]) -> dict[str, Any]:
        part = self._part
        return {
            f"voyageai.{part}.{name}": value for name, value in facts.items() if value is not None
        }

    # Counters

    @guarded
    def add(self, *, rows: int = 0, failed: int = 0, tokens: int = 0, refusals: int = 0) -> None:
        """Add to the counters.

        Args:
            rows: Rows that got a result.
            failed: Rows that failed.
            tokens: Billed tokens.
            refusals: Requests or batches that were refused for their rate.
        """
        if self._telemetry is None:
            return
        jobs, shared = self._telemetry.jobs, self._metered
        cost = 0.0 if self._price is None else self._price * tokens / 1_000_000
        for counter, name, value, extra in (
            (jobs.rows, "rows", rows, {names.JOB_OUTCOME: "done"}),
            (jobs.rows, "failed", failed, {names.JOB_OUTCOME: "failed"}),
            (jobs.tokens, "tokens", tokens, {}),
            (jobs.cost, "cost", cost, {}),
            (jobs.refusals, "refusals", refusals, {}),
        ):
            if value > 0:
                self._sums[name] = self._sums.get(name, 0) + value
                counter.add(value, {**shared, **extra})

    @guarded
    def share(self, share: float) -> None:
        """Record the share of the limit that is used now."""
        if self._telemetry is not None:
            self._sums["limit_share"] = max(share, self._sums.get("limit_share", 0.0))
            self._telemetry.jobs.limit_share.set(share, self._metered)

    # The file in the job's directory

    @guarded
    def keep(self) -> None:
        """Add this span to the file, for later runs. The job's lock is held by the caller."""
        if self._span is not None and self._telemetry is not None:
            found = self._read()
            context = self._span.get_span_context()
            if context.is_valid and context.trace_flags.sampled:
                parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
                found["spans"] = [*found["spans"], parent][-MAX_SPANS:]
                self._write(found)

    @guarded
    def settle(self, **sums: int) -> None:
        """Count the totals of the job, less what earlier runs have counted.

        Args:
            sums: Rows, failed rows and tokens of the whole job, as in `add`.
        """
        if self._telemetry is None:
            return
        found = self._read()
        counted = found["counted"]
        self.add(**{name: max(0, sums[name] - counted.get(name, 0)) for name in sums})
        found["counted"] = {name: max(sums[name], counted.get(name, 0)) for name in sums}
        self._write(found)

    def _earlier(self, telemetry: Telemetry) -> list[Any]:
        """Return the span contexts of earlier runs."""
        trace, contexts = telemetry.trace, list[Any]()
        for line in self._read()["spans"]:
            trace_id, span_id, flags = TRACEPARENT.fullmatch(line).groups()  # type: ignore[union-attr]  # checked when read
            contexts.append(
                trace.SpanContext(
                    int(trace_id, 16),
                    int(span_id, 16),
                    is_remote=True,
                    trace_flags=trace.TraceFlags(int(flags, 16)),
                )
            )
        return contexts

    def _read(self) -> dict[str, Any]:
        """Return the content of the file, without invalid entries."""
        spans: Any = []
        counted: Any = {}
        try:
            with open_regular(self._path) as file:
                given = json.loads(file.read(MAX_BYTES))
            spans, counted = list(given["spans"]), dict(given["counted"])
        except (FileNotFoundError, LookupError, TypeError, ValueError):
            pass  # missing or changed, which loses nothing that was paid for
        return {
            "spans": [line for line in spans if TRACEPARENT.fullmatch(str(line))][-MAX_SPANS:],
            "counted": {name: counted[name] for name in COUNTERS if type(counted.get(name)) is int},
        }

    def _write(self, content: dict[str, Any]) -> None:
        fresh = self._path.with_name(f"{self._path.name}.part")
        with open_regular(fresh, "wb") as file:
            file.write(json.dumps(content).encode())
        fresh.replace(self._path)


@guarded
def _attach(telemetry: Telemetry, context: Any) -> Any:
    return telemetry.context.attach(context)


@guarded
def _detach(telemetry: Telemetry, token: Any) -> None:
    telemetry.context.detach(token)


def _named(facts: dict[str, Any]) -> dict[str, Any]:
    return {names.JOB_FACTS[name]: value for name, value in facts.items() if value is not None}
