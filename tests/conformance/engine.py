"""Run schemathesis, and collect its findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events
from schemathesis.openapi.checks import EnsureResourceAvailability

from . import checks  # noqa: F401  # importing registers them
from .narrowed_contract import Document

KEY = "conformance"
SEED = 4
# `allowed_is_accepted` replaces it, as it knows documented refusals; the API has no roles.
LEFT_OUT = ("positive_data_acceptance", "object_level_authorization")


@dataclass
class Findings:
    """The outcome of a run.

    Attributes:
        cases: The number of checked requests by phase.
        statuses: The number of responses by status.
        successes: The number of successes by operation.
        violations: The failed checks, each with the request that shows it.
    """

    cases: Counter[str] = field(default_factory=Counter[str])
    statuses: Counter[int] = field(default_factory=Counter[int])
    successes: Counter[str] = field(default_factory=Counter[str])
    violations: list[str] = field(default_factory=list[str])


def run(
    document: Document,
    url: str,
    phases: Iterable[str],
    examples: int,
    *,
    operation: str | None = None,
    seed: int | None = None,
) -> Findings:
    """Run phases against a server.

    Args:
        document: The contract.
        url: Base URL of the server.
        phases: Names of schemathesis' phases.
        examples: Random requests per operation, or random sequences of requests.
        operation: Id of the only operation to test; by default all are.
        seed: Seed of the random requests; without one they are the same in every run.
    """
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED if seed is None else seed,
            "headers": {"Authorization": f"Bearer {KEY}"},
            "continue-on-failure": True,
            "cache": {"enabled": False},
            "generation": {
                "deterministic": seed is None,
                "database": "none",
                "max-examples": examples,
            },
            "phases": {"enabled": False} | {phase: {"enabled": True} for phase in phases},
            "checks": {
                **{name: {"enabled": False} for name in LEFT_OUT},
                "negative_data_rejection": {"expected-statuses": [400, 404]},
            },
        }
    )
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.config.base_url = url
    if operation is not None:
        schema = schema.include(operation_id=operation)
    _excuse(schema)
    findings = Findings()
    for event in engine.from_schema(schema).execute():
        _note(event, findings)
    return findings


def _excuse(schema: Any) -> None:
    """Ignore that a file is missing after a request that deletes several files.

    Schemathesis expects a missing file to have been deleted by the method DELETE.
    """
    deleted: set[str] = set()

    @schema.hook
    def after_call(
        context: schemathesis.HookContext,
        case: schemathesis.Case,
        response: schemathesis.Response,
    ) -> None:
        if _id(case) == "deleteFiles" and response.status_code == 200:
            deleted.update(case.body["file_ids"] if response.json()["success"] else ())

    @schema.hook
    def filter_failure(
        context: schemathesis.HookContext,
        failure: Any,
        case: schemathesis.Case,
        response: schemathesis.Response,
    ) -> bool:
        excused = isinstance(failure, EnsureResourceAvailability)
        return not (excused and case.path_parameters.get("file_id") in deleted)


def _id(case: schemathesis.Case) -> str:
    operation: str = case.operation.definition.raw["operationId"]
    return operation


def _note(event: Any, findings: Findings) -> None:
    if isinstance(event, events.NonFatalError):
        findings.violations.append(f"{event.label}: {event.info.format()}")
    elif isinstance(event, events.FatalError):
        raise event.exception
    elif isinstance(event, events.ScenarioFinished):
        for case, found in event.recorder.checks.items():
            findings.cases[event.phase.value] += 1
            sent = event.recorder.cases[case].value
            exchange = event.recorder.interactions[case]
            if exchange.response is not None:
                findings.statuses[exchange.response.status_code] += 1
                if exchange.response.status_code == 200:
                    findings.successes[_id(sent)] += 1
            for check in found:
                if check.failure_info is not None:
                    failure = check.failure_info
                    findings.violations.append(
                        f"{sent.operation.label}: {event.phase.value}: {check.name}: "
                        f"{failure.failure.message}\n{failure.code_sample[:2000]}"
                    )
