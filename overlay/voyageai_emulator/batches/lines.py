"""Answer the lines of a job in groups, and format the results."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import threading
from dataclasses import dataclass
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.errors import ShapeError
from voyageai_rest.models import (
    BatchLineAnswer,
    BatchLineError,
    BatchLineResponse,
    BatchOutputLine,
)

from ..authentication import Caller
from ..error_messages import invalid_argument
from ..handlers import MODEL_HANDLERS
from ..responses import ApiError
from .validation import endpoint_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..engine import Engine, Passage, Space
    from ..engine.lexical import Scores
    from ..engine.vectors import Matrix
    from ..state import EmulatorState
    from ..store import Job

__all__ = [
    "CANCELLED",
    "EXPIRED",
    "AnsweredLines",
    "LineFailures",
    "LineResult",
    "SkippedLines",
    "shuffled",
]

LOGGER = logging.getLogger(__name__)
GROUP_SIZE = 256
"""Number of passages and documents at which a group is full, to limit its memory."""
EXPIRED = BatchLineError(
    code="batch_expired",
    message="This request could not be executed before the completion window expired.",
)
CANCELLED = BatchLineError(
    code="batch_cancelled",
    message="This request was not executed, as the batch was cancelled.",
)


class LineResult(NamedTuple):
    """A line of the output or the error file."""

    text: bytes
    """A line of the output file or the error file."""
    failed: bool
    """True for a line of the error file."""


def _answered(custom_id: str, answer: dict[str, Any]) -> LineResult:
    response = BatchLineResponse(
        status_code=HTTPStatus.OK, body=BatchLineAnswer(additional_properties=answer)
    )
    return _result(BatchOutputLine(custom_id=custom_id, response=response, error=None))


def _refused(custom_id: str, error: ApiError) -> LineResult:
    response = BatchLineResponse(status_code=error.status, message=error.detail)
    line = BatchOutputLine(custom_id=custom_id, response=response, error=None)
    return _result(line, failed=True)


def _result(line: BatchOutputLine, *, failed: bool = False) -> LineResult:
    text = json.dumps(line.to_dict(), separators=(",", ":")).encode() + b"\n"
    return LineResult(text, failed)


def shuffled(results: list[LineResult], seed: int) -> list[LineResult]:
    """Return the results in another order, which depends only on the seed and their number."""
    order = list(range(len(results)))
    Random(seed).shuffle(order)  # noqa: S311  # not for secrets
    if order == sorted(order):
        order.reverse()
    return [results[index] for index in order]


@dataclass
class _Rule:
    custom_id: str | None
    times: int | None
    rate: float
    error: ApiError


class LineFailures:
    """Planned failures of lines, for tests. Safe to change while jobs run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []

    def add(
        self, custom_id: str | None, times: int | None, rate: float, status: int, message: str
    ) -> None:
        """Plan failures of lines.

        Raises:
            ValueError: `times`, `rate` or `status` is out of range.
        """
        if times is not None and (type(times) is not int or times < 1):
            raise ValueError(f"times must be a whole number from 1, or None, not {times!r}")
        if not 0 <= rate <= 1:
            raise ValueError(f"a share of lines is from 0 to 1, not {rate}")
        if type(status) is not int or not 400 <= status <= 599:
            raise ValueError(f"a line fails with a status from 400 to 599, not {status!r}")
        with self._lock:
            self._rules.append(_Rule(custom_id, times, rate, ApiError(message, status)))

    def clear(self) -> None:
        """Remove all planned failures."""
        with self._lock:
            self._rules.clear()

    def draw(self, job: str, custom_id: str) -> ApiError | None:
        """Return the error with which a line fails; None if it does not."""
        if not self._rules:
            return None
        # The same number after a restart, another one in the next job.
        name = f"{job}/{custom_id}".encode("utf-8", "surrogatepass")
        chance = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest()) / 2**64
        with self._lock:
            for rule in self._rules:
                if rule.custom_id in (None, custom_id) and chance < rule.rate:
                    if rule.times is not None:
                        rule.times -= 1
                        if not rule.times:
                            self._rules.remove(rule)
                    return rule.error
        return None


class _Deferred(Exception):
    """Raised by the first of two calls of the engine, which only collects its arguments."""


class _BatchingEngine:
    """An engine that embeds the passages of many requests together, which is much faster.

    Each request is handled twice. The first time its passages are only collected. After `complete`
    is set, the first request that needs vectors embeds all collected passages.

    Args:
        engine: The engine that makes the vectors.

    Attributes:
        size: Number of passages and documents collected so far.
        complete: True once every request was handled for the first time.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rows: dict[tuple[Space, int], dict[Passage, int]] = {}
        """For each space and dimension: the row of each passage's vector."""
        self._matrices: dict[tuple[Space, int], Matrix] = {}
        """For each space and dimension: float32, shape (passages, dimension)."""
        self.size = 0
        self.complete = False

    def embed(self, passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
        """Embed each passage by itself: float32, shape (passages, dimension)."""
        rows = self._rows.setdefault((space, dimension), {})
        if not self.complete:
            for passage in passages:
                rows.setdefault(passage, len(rows))
            raise self._defer(len(passages))
        if (space, dimension) not in self._matrices:
            self._matrices[space, dimension] = self._engine.embed(list(rows), space, dimension)
        return self._matrices[space, dimension][[rows[passage] for passage in passages]]

    def embed_chunks(
        self, documents: Sequence[Sequence[Passage]], space: Space, dimension: int
    ) -> list[Matrix]:
        """Embed the chunks of documents, separately for each request."""
        if not self.complete:
            raise self._defer(sum(map(len, documents)))
        return self._engine.embed_chunks(documents, space, dimension)

    def relevance(self, query: str, documents: Sequence[str], model: str) -> Scores:
        """Score documents, separately for each request."""
        if not self.complete:
            raise self._defer(len(documents))
        return self._engine.relevance(query, documents, model)

    def _defer(self, size: int) -> _Deferred:
        self.size += size
        return _Deferred()


class AnsweredLines:
    """A group of lines that are answered together."""

    def __init__(self, state: EmulatorState, job: Job, failures: LineFailures) -> None:
        self._contract, self._job, self._failures = state.contract, job, failures
        self._operation, _ = endpoint_of(state.contract, job.endpoint)
        context = state.model_context(self._operation, Caller(job.owner, job.platform))
        self._engine = _BatchingEngine(context.engine)
        self._context = context._replace(engine=self._engine)
        self._lines: list[Mapping[str, Any]] = []

    @property
    def is_full(self) -> bool:
        """True once the group accepts no more lines."""
        return self._engine.size >= GROUP_SIZE

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a line, and collect its passages."""
        self._lines.append(line)
        # `results` raises the same errors again, and writes them.
        with contextlib.suppress(Exception):
            self._answer(line)

    def results(self) -> list[LineResult]:
        """Return the results of the lines, in their order."""
        self._engine.complete = True
        return [self._result(line) for line in self._lines]

    def _result(self, line: Mapping[str, Any]) -> LineResult:
        custom_id: str = line["custom_id"]
        planned = self._failures.draw(self._job.id, custom_id)
        if planned is not None:
            return _refused(custom_id, planned)
        try:
            return _answered(custom_id, self._answer(line))
        except ApiError as error:
            return _refused(custom_id, error)
        except ShapeError as error:
            return _refused(custom_id, invalid_argument(error.path, error.reason))
        except Exception:  # as for a request, the line gets a 500, and the next line is answered
            LOGGER.exception("line %r of %s failed", custom_id, self._job.id)
            broken = ApiError("Internal Server Error", HTTPStatus.INTERNAL_SERVER_ERROR)
            return _refused(custom_id, broken)

    def _answer(self, line: Mapping[str, Any]) -> dict[str, Any]:
        body = {**self._job.request_params, **line["body"]}
        checked = self._contract.check(self._operation.schema or "", body)
        return MODEL_HANDLERS[self._operation.id](checked, self._context).to_dict()


class SkippedLines:
    """A group of lines that are not run, all for the same reason."""

    is_full = False

    def __init__(self, reason: BatchLineError) -> None:
        self._reason = reason
        self._results: list[LineResult] = []

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a line."""
        skipped = BatchOutputLine(custom_id=line["custom_id"], response=None, error=self._reason)
        self._results.append(_result(skipped, failed=True))

    def results(self) -> list[LineResult]:
        """Return the results of the lines, in their order."""
        return self._results
