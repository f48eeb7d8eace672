"""Callables that add vectors to record batches, for the workers of data engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, cast

from attrs import frozen
from voyageai_rest.catalogue import MODELS

from ..argument_checks import catalogue_entry
from ..calls import embed, fill
from ..error import ArgumentError, VoyageError
from ..extras import require
from ..flow import Flow, Request, run_calls, run_calls_async
from ..retry import RetryPolicy
from .job import MIN_REQUEST_TOKENS, SHARE_OF_LIMIT
from .kinds import vector_shape
from .units import MESSAGES, estimate, fault, texts_of

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from voyageai_rest.models import InputType, OutputDtype

    from .._base import ClientOptions
    from ..ratelimit import RateLimiter

__all__ = ["AsyncEmbedder", "Embedder"]

OnError = Literal["raise", "null", "column"]
B = TypeVar("B")
C = TypeVar("C")
ROWS = 1000
MARGIN = 2
"""Factor by which an estimate of tokens may be exceeded before a request has too many."""
RETRIES = RetryPolicy(max_retries=8, max_delay=60.0)
REFUSED = (400, 413, 422)
PROBE = "test"
"""Text that is sent to find out whether a refusal is due to the rows."""


@frozen
class _Outcome:
    """The outcome of a text: a vector, or the reason why there is none."""

    vector: memoryview | None
    error: str | None = None


class _Embedder:
    """The common part of both embedders: everything but sending."""

    def __init__(
        self,
        text: str,
        *,
        model: str,
        input_type: InputType | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        column: str = "embedding",
        on_error: OnError = "raise",
        error_column: str = "error",
        share: float | None = None,
        concurrency: int = 4,
        **client: Unpack[ClientOptions],
    ) -> None:
        from voyageai_rest.models.embeddings_request import EmbeddingsRequest

        given = {
            "input_type": input_type,
            "truncation": truncation,
            "output_dtype": output_dtype,
            "output_dimension": output_dimension,
        }
        fields = {name: value for name, value in given.items() if value is not None}
        fill(EmbeddingsRequest(input=[], model=model), type(self).__name__, fields)
        _check_model(model, output_dimension)
        if on_error not in ("raise", "null", "column"):
            raise ArgumentError(
                f"on_error must be 'raise', 'null' or 'column', not {on_error!r}", "on_error"
            )
        if share is not None and client.get("rate_limit") is None:
            raise ArgumentError("share needs rate_limit, which is not given", "share")
        self.text, self.model, self.column = text, model, column
        self.on_error, self.error_column = on_error, error_column
        self.share, self.concurrency = share, concurrency
        self._fields, self._options = fields, cast("dict[str, Any]", client)
        self._client: Any = None
        self._in_flight: Any = None
        self._answered = False

    def schema(self, input_schema: Any) -> Any:  # pyarrow has no types
        """Return the schema of the output.

        Args:
            input_schema: The `pyarrow.Schema` of the input.

        Raises:
            ArgumentError: The input has a column of the same name.
        """
        pa = require("pyarrow", "tables")
        added = [pa.field(self.column, self._shape.type)]
        if self.on_error == "column":
            added.append(pa.field(self.error_column, pa.string()))
        for argument, field in zip(("column", "error_column"), added, strict=False):
            if field.name in input_schema.names:
                raise ArgumentError(
                    f"there is a column {field.name!r} already; choose another name for the new "
                    f"one with {argument}=",
                    argument,
                )
            input_schema = input_schema.append(field)
        return input_schema

    @property
    def _shape(self) -> Any:
        return vector_shape(self.model, self._fields)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the client: each worker makes its own."""
        return {**vars(self), "_client": None, "_in_flight": None, "_answered": False}

    def _get_client(self, kind: Callable[..., C]) -> C:
        """Return the client of this process, made on first use."""
        from ..ratelimit import RateLimiter

        if self._client is None:
            options = {"max_retries": RETRIES, **self._options}
            limiter = RateLimiter.of(self._options.get("rate_limit"))
            if self.share is not None and limiter is not None:
                options["rate_limit"] = limiter.shared(self.share)
            self._client = kind(**options)
        client: C = self._client
        return client

    def _packed(self, batch: Any) -> tuple[list[_Outcome | None], list[list[int]], list[str]]:
        """Distribute the rows of a batch over requests.

        Returns:
            The outcomes of rows that are not sent, the rows of each request, and all texts.
        """
        self.schema(batch.schema)  # raises on a duplicate column before anything is paid
        most = self._max_request_tokens()
        found = texts_of(batch, self.text)
        sizes = estimate(batch, self.text)
        outcomes: list[_Outcome | None] = [None] * len(found)
        requests: list[list[int]] = []
        tokens = 0
        for row, (text, size) in enumerate(zip(found, sizes, strict=True)):
            if text is None:
                outcomes[row] = _Outcome(None)  # a null is no failure
                continue
            if (code := fault(text)) is not None:
                outcomes[row] = self._failed(row, MESSAGES[code])
                continue
            if not requests or len(requests[-1]) == ROWS or tokens + size > most:
                requests.append([])
                tokens = 0
            requests[-1].append(row)
            tokens += size
        return outcomes, requests, [text if isinstance(text, str) else "" for text in found]

    def _max_request_tokens(self) -> float:
        """Return the most tokens of a request: by the model, and by a share of the rate limit."""
        entry = catalogue_entry(self.model)
        most = ((entry and entry.max_request_tokens) or MIN_REQUEST_TOKENS) / MARGIN
        limiter: RateLimiter | None = self._client._limiter  # available without a key
        if limiter is None:
            return most
        rpm, tpm = limiter.limits(self.model)
        return min(most, tpm / min(rpm, SHARE_OF_LIMIT))

    def _embedding(self, texts: Sequence[str], rows: Sequence[int]) -> Flow[Any, list[_Outcome]]:
        """Embed some rows; a refused row does not fail the others."""
        call = embed([texts[row] for row in rows], self.model, self._fields)
        try:
            result = yield Request(call)
        except VoyageError as failure:
            if failure.http_status not in REFUSED:
                raise
            if not self._answered:
                yield from self._probe(failure)
            if len(rows) == 1:
                return [self._failed(rows[0], str(failure), failure)]
        else:
            self._answered = True
            vectors = result._buffered().narrowed()  # private, but of this package
            width = self._shape.width
            data = memoryview(vectors.buffer).cast("B")
            return [_Outcome(data[n * width : (n + 1) * width]) for n in range(len(rows))]
        middle = len(rows) // 2
        first = yield from self._embedding(texts, rows[:middle])
        return first + (yield from self._embedding(texts, rows[middle:]))

    def _probe(self, failure: VoyageError) -> Flow[Any, None]:
        """Send a plain word, and raise the failure if that is refused as well as the rows."""
        try:
            yield Request(embed([PROBE], self.model, self._fields))
        except VoyageError as probe_failure:
            if probe_failure.http_status not in REFUSED:
                raise
            failure.add_note(
                f"a request with the word {PROBE!r} was refused as well, so the model, its "
                "options or the host is at fault, not the rows"
            )
            raise failure from probe_failure
        self._answered = True

    def _failed(self, row: int, reason: str, failure: VoyageError | None = None) -> _Outcome:
        if self.on_error == "raise":
            message = f"row {row} of a batch has no vector: {reason}"
            if failure is None:
                raise ArgumentError(message, self.text)
            failure.add_note(message)
            raise failure
        return _Outcome(None, reason)

    def _joined(self, batch: Any, outcomes: Sequence[_Outcome | None]) -> Any:
        """Add the columns to a batch."""
        pa = require("pyarrow", "tables")
        shape = self._shape
        nothing = bytes(shape.width)
        data = bytearray()
        valid: list[bool] = []
        errors: list[str | None] = []
        for outcome in outcomes:
            vector = None if outcome is None else outcome.vector
            data += nothing if vector is None else vector
            valid.append(vector is not None)
            errors.append(None if outcome is None else outcome.error)
        vectors = shape.to_arrow(data, len(outcomes))
        if not all(valid):  # pyarrow below 26 can't read such nulls back from Parquet
            empty = pa.array([not good for good in valid])
            vectors = pa.FixedSizeListArray.from_arrays(vectors.values, shape.columns, mask=empty)
        columns = [*batch.columns, vectors]
        if self.on_error == "column":
            columns.append(pa.array(errors, pa.string()))
        return batch.__class__.from_arrays(columns, schema=self.schema(batch.schema))


class Embedder(_Embedder):
    """Adds vectors to record batches: a picklable callable for data engines.

    The client is made on the worker, from the environment there, so that a pickle holds no key
    unless one is given. A null text gets a null. Rows that the server refuses do not fail the
    others: a refused request is halved until they are alone. If nothing was answered before, a
    plain word is sent first, and if that is refused too, the batch fails with the refusal.

    Args:
        text: Name of the column with the texts.
        model: Name of a text embedding model.
        input_type, truncation, output_dtype, output_dimension: As in `Client.embed`.
        column: Name of the column with the vectors.
        on_error: Action for a row without a vector: `raise` fails the batch, `null` yields a
            null, `column` also adds a column with the reasons.
        error_column: Name of the column with the reasons.
        share: Share of the rate limit that this worker may use, such as 1/8 on each of eight; needs
            `rate_limit`. With a `voyageai.integrations.ray.RateBudget` all workers share the whole
            limit.
        concurrency: Most requests in flight.
        client: Arguments of the client, such as `rate_limit` or `base_url`.

    Raises:
        ArgumentError: An argument is wrong, or the model is unknown and no dimension is given.
        ImportError: pyarrow is not installed.

    Example:
        >>> import pyarrow as pa
        >>> embedder = voyageai.tables.Embedder("body", model="voyage-4", input_type="document")
        >>> batch = pa.record_batch({"id": [1, 2], "body": ["It rains.", None]})
        >>> embedded = embedder(batch)
        >>> embedded.schema.names, embedded.column("embedding").null_count
        (['id', 'body', 'embedding'], 1)
    """

    def __call__(self, batch: B) -> B:
        """Add the vectors to a `pyarrow.RecordBatch` or `pyarrow.Table`.

        Raises:
            ArgumentError: A row has no vector and `on_error` is `raise`, or a column is missing.
            VoyageError: A request failed.
        """
        import voyageai

        sender = self._get_client(voyageai.Client).tables.sender
        outcomes, requests, texts = self._packed(batch)

        def send(context: Context, rows: list[int]) -> list[_Outcome]:
            return context.run(run_calls, sender, self._embedding(texts, rows))

        with ThreadPoolExecutor(max(1, min(self.concurrency, len(requests)))) as pool:
            contexts = [
                copy_context() for _ in requests
            ]  # carry the caller's context, such as its span
            answers = pool.map(send, contexts, requests)
            for rows, answer in zip(requests, answers, strict=True):
                for row, outcome in zip(rows, answer, strict=True):
                    outcomes[row] = outcome
        joined: B = self._joined(batch, outcomes)
        return joined

    def iterate(self, batches: Iterable[B]) -> Iterator[B]:
        """Yield batches with vectors, one after another, as Spark's `mapInArrow` expects."""
        return map(self, batches)


class AsyncEmbedder(_Embedder):
    """The asynchronous counterpart of `Embedder`, for engines that run coroutines.

    Args:
        text, model, input_type, truncation, output_dtype, output_dimension: As in `Embedder`.
        column, on_error, error_column, share, concurrency, client: As in `Embedder`.
    """

    async def __call__(self, batch: B) -> B:
        """Add the vectors to a `pyarrow.RecordBatch` or `pyarrow.Table`, without blocking.

        Raises:
            ArgumentError, VoyageError: As in `Embedder`.
        """
        from anyio import create_task_group

        import voyageai

        sender = self._get_client(voyageai.AsyncClient).tables.sender
        outcomes, requests, texts = self._packed(batch)
        in_flight = self._limiter()
        failures: list[VoyageError] = []

        async def send(rows: Sequence[int]) -> None:
            async with in_flight:
                try:
                    answer = await run_calls_async(sender, self._embedding(texts, rows))
                except VoyageError as failure:  # a task group would wrap it
                    failures.append(failure)
                    group.cancel_scope.cancel()
                    return
            for row, outcome in zip(rows, answer, strict=True):
                outcomes[row] = outcome

        async with create_task_group() as group:
            for rows in requests:
                group.start_soon(send, rows)
        if failures:
            raise failures[0]
        joined: B = self._joined(batch, outcomes)
        return joined

    def _limiter(self) -> CapacityLimiter:
        """Return the limiter of requests in flight, shared by all batches on this event loop."""
        from anyio import CapacityLimiter
        from anyio.lowlevel import RunVar

        if self._in_flight is None:
            self._in_flight = RunVar("in_flight")
        found: CapacityLimiter | None = self._in_flight.get(None)
        if found is None:
            found = CapacityLimiter(self.concurrency)
            self._in_flight.set(found)
        return found


def _check_model(model: str, dimension: int | None) -> None:
    """Check that a model embeds texts and that the size of its vectors is known.

    Raises:
        ArgumentError: The model has another endpoint, or is unknown and no dimension is given.
    """
    from difflib import get_close_matches

    entry = catalogue_entry(model)
    if entry is not None and entry.endpoint != "embeddings":
        raise ArgumentError(
            f"the API does not embed texts with {model!r}; use a model such as 'voyage-4'",
            "model",
        )
    if entry is None and dimension is None:
        texts = [name for name, each in MODELS.items() if each.endpoint == "embeddings"]
        near = get_close_matches(model, texts, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ArgumentError(
            f"model {model!r} is not known to this version: {hint}A newer model needs "
            "output_dimension, as all vectors of the column have the same size",
            "model",
        )
