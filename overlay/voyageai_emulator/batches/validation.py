"""The endpoints that jobs can use, and the validation of a job's lines before they run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.catalogue import MODELS
from voyageai_rest.models import (
    BatchContextualizedEmbeddingsBody,
    BatchContextualizedEmbeddingsParams,
    BatchEmbeddingsBody,
    BatchEmbeddingsParams,
    BatchError,
    BatchInputLine,
    BatchRerankBody,
    BatchRerankParams,
)

from ..bodies import decode
from ..responses import ApiError
from ..tokenizer import counts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voyageai_rest.types import Model

    from ..contract import Contract, Operation
    from ..store import Line

__all__ = ["Endpoint", "ValidationResult", "check_lines", "endpoint_of", "schema_of"]

MAX_ERRORS = 100
"""Maximum of listed errors; further errors are only counted."""
MAX_COUNTED = max(
    model.auto_chunking_context_length or model.context_length or 0 for model in MODELS.values()
)
"""Approximate maximum of tokens that are counted in a text: no model accepts longer texts."""


def schema_of(model: type[Model]) -> str:
    """Return the schema of a model, as a URI fragment of the contract."""
    return f"#/components/schemas/{model.__name__}"


def _sum(texts: list[str], start_token: bool) -> int:
    return sum(counts(texts, MAX_COUNTED, start_token=start_token))


def _input_tokens(body: Mapping[str, Any], start_token: bool) -> int:
    texts = body["input"]
    return _sum([texts] if isinstance(texts, str) else texts, start_token)


def _documents_tokens(body: Mapping[str, Any], start_token: bool) -> int:
    documents: list[str | list[str]] = body["inputs"]
    return sum(_sum([item] if isinstance(item, str) else item, start_token) for item in documents)


def _rerank_tokens(body: Mapping[str, Any], start_token: bool) -> int:
    documents: list[str] = body["documents"]
    return _sum([body["query"]], start_token) * len(documents) + _sum(documents, start_token)


class Endpoint(NamedTuple):
    """An endpoint that jobs can use."""

    params: type[Model]
    """Model of the parameters that a job's lines share."""
    body: type[Model]
    """Model of the body of one line."""
    tokens: Callable[[Mapping[str, Any], bool], int]
    """Counts the tokens of such a body before truncation; the second argument is true if the model
    puts a start token before each text."""


ENDPOINTS = {
    "createEmbeddings": Endpoint(BatchEmbeddingsParams, BatchEmbeddingsBody, _input_tokens),
    "createContextualizedEmbeddings": Endpoint(
        BatchContextualizedEmbeddingsParams, BatchContextualizedEmbeddingsBody, _documents_tokens
    ),
    "rerank": Endpoint(BatchRerankParams, BatchRerankBody, _rerank_tokens),
}
"""Endpoints by operation id."""


def endpoint_of(contract: Contract, path: str) -> tuple[Operation, Endpoint]:
    """Return the operation at a path, such as ``/v1/embeddings``, and its `Endpoint`."""
    operation = contract.find("POST", path)
    if operation is None:
        raise LookupError(f"the contract has no operation at {path}")
    return operation, ENDPOINTS[operation.id]


@dataclass
class ValidationResult:
    """The result of validating a job's lines."""

    total: int = 0
    """Number of lines."""
    tokens: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    more: int = 0
    """Number of errors that are not listed."""

    def add(
        self, code: str, message: str, line: int | None = None, param: str | None = None
    ) -> None:
        """Add an error."""
        if len(self.errors) < MAX_ERRORS:
            error = BatchError(code=code, line=line, message=message, param=param)
            self.errors.append(error.to_dict())
        else:
            self.more += 1


def check_lines(
    lines: Iterable[Line],
    path: str,
    model: str,
    contract: Contract,
    *,
    max_lines: int,
    stopping: Callable[[], bool],
) -> ValidationResult | None:
    """Validate all lines of a job.

    Args:
        lines: The lines.
        path: The job's endpoint.
        model: The job's model.
        contract: The contract that the lines must match.
        max_lines: Maximum of lines of a job.
        stopping: Returns true to stop early.

    Returns:
        The result; None if the validation was stopped early.
    """
    result = ValidationResult()
    check = _LineChecker(contract, path, model)
    for line in lines:
        if stopping():
            return None
        result.total += 1
        if result.total <= max_lines:  # each line takes memory, for its custom_id
            check(line, result)
    if not result.total:
        result.add("empty_file", "The file holds no lines.")
    if result.total > max_lines:
        result.add(
            "too_many_inputs",
            f"The file holds {result.total} lines, of which a job takes up to {max_lines}.",
        )
    if result.more:
        result.errors.append(
            BatchError(
                code="too_many_errors",
                line=None,
                message=f"There are {result.more} more errors.",
                param=None,
            ).to_dict()
        )
    return result


class _LineChecker:
    """Validates one line after another, and checks that each custom_id is unique."""

    def __init__(self, contract: Contract, path: str, model: str) -> None:
        self._contract = contract
        self._start_token = model in MODELS and bool(MODELS[model].start_token)
        _, self._endpoint = endpoint_of(contract, path)
        self._schema = schema_of(BatchInputLine)
        self._narrowed = {"body": schema_of(self._endpoint.body)}
        self._first_lines: dict[bytes, int] = {}
        """The first line's number of each custom_id, by the digest of the custom_id."""

    def __call__(self, line: Line, result: ValidationResult) -> None:
        if line.raw is None:
            result.add("line_too_long", "The line is too long.", line.number)
            return
        try:
            content = decode(line.raw)
            problems = self._contract.problems(self._schema, content, self._narrowed)
        except ApiError:
            result.add("invalid_json", "The line is not JSON.", line.number)
            return
        for argument, sentence in problems:
            result.add("invalid_request", sentence, line.number, argument)
        if problems:
            return
        name: str = content["custom_id"]
        if not name:
            result.add("empty_custom_id", "The custom_id is empty.", line.number, "custom_id")
        # JSON can contain lone surrogates, which UTF-8 cannot encode.
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        first = self._first_lines.setdefault(digest, line.number)
        if first != line.number:
            result.add(
                "duplicate_custom_id",
                f"The custom_id is that of line {first} too.",
                line.number,
                "custom_id",
            )
        result.tokens += self._endpoint.tokens(content["body"], self._start_token)
