"""Checking the lines of a job before they run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from voyageai_rest import catalogue
from voyageai_rest.models import BatchError, BatchInputLine

from ..contract import decode
from ..responses import ApiError
from .endpoints import endpoint_of, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..contract import Contract
    from ..store import Line

__all__ = ["ValidationResult", "check_lines"]

MOST = 100
"""Errors that are told of one by one; of those beyond, how many there are."""


@dataclass
class ValidationResult:
    """What a look at all lines of a job has shown."""

    total: int = 0
    """Lines."""
    tokens: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    more: int = 0
    """Errors that there were beside those."""

    def add(
        self, code: str, message: str, line: int | None = None, param: str | None = None
    ) -> None:
        """Note an error."""
        if len(self.errors) < MOST:
            error = BatchError(code=code, line=line, message=message, param=param)
            self.errors.append(error.to_dict())
        else:
            self.more += 1


def check_lines(
    lines: Iterable[Line], path: str, contract: Contract, stopping: Callable[[], bool]
) -> ValidationResult | None:
    """Check all lines of a job.

    Args:
        lines: They.
        path: The job's endpoint.
        contract: What they must follow.
        stopping: Says whether to leave off.

    Returns:
        What they are like; None if it was left off.
    """
    verdict, seen, limit = ValidationResult(), dict[bytes, int](), catalogue.BATCH.max_inputs
    check = _Checker(contract, path)
    for line in lines:
        if stopping():
            return None
        verdict.total += 1
        if verdict.total <= limit:  # what is known of each line takes memory
            check(line, verdict, seen)
    if not verdict.total:
        verdict.add("empty_file", "The file holds no lines.")
    if verdict.total > limit:
        verdict.add(
            "too_many_inputs",
            f"The file holds {verdict.total} lines, of which a job takes up to {limit}.",
        )
    if verdict.more:
        verdict.errors.append(
            BatchError(
                code="too_many_errors",
                line=None,
                message=f"There are {verdict.more} more errors.",
                param=None,
            ).to_dict()
        )
    return verdict


class _Checker:
    """Checks one line after another."""

    def __init__(self, contract: Contract, path: str) -> None:
        self._contract = contract
        _, self._endpoint = endpoint_of(contract, path)
        self._schema = schema_of(BatchInputLine)
        self._narrowed = {"body": schema_of(self._endpoint.body)}

    def __call__(self, line: Line, verdict: ValidationResult, seen: dict[bytes, int]) -> None:
        if line.raw is None:
            verdict.add("line_too_long", "The line is too long.", line.number)
            return
        try:
            content = decode(line.raw)
            wrong = self._contract.problems(self._schema, content, self._narrowed)
        except ApiError:
            verdict.add("invalid_json", "The line is not JSON.", line.number)
            return
        for argument, sentence in wrong:
            verdict.add("invalid_request", sentence, line.number, argument)
        if wrong:
            return
        name: str = content["custom_id"]
        if not name:
            verdict.add("empty_custom_id", "The custom_id is empty.", line.number, "custom_id")
        # JSON can hold surrogates that UTF-8 cannot.
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        first = seen.setdefault(digest, line.number)
        if first != line.number:
            verdict.add(
                "duplicate_custom_id",
                f"The custom_id is that of line {first} too.",
                line.number,
                "custom_id",
            )
        verdict.tokens += self._endpoint.tokens(content["body"])
