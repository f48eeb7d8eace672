"""The emulator accepts what the contract allows, and refuses what it forbids."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import pytest
from voyageai_emulator import Emulator
from voyageai_rest.operations import OPERATIONS, Operation

from .engine import run
from .narrowed_contract import Document

IDS = 30
"""Number of random requests to operations that take only an id, which never exists."""
ROUNDS = 18
FEWEST = 1 / 6
"""Share of random requests that must be accepted, and that must be refused."""

TAKES_AN_ID = {operation.id for operation in OPERATIONS if "{" in operation.path}
# An upload has few variants, and a job needs an uploaded file.
FEW = {"uploadFile", "createBatch", *TAKES_AN_ID}
STORED = {operation.id for operation in OPERATIONS if operation.tag in ("files", "batches")}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_requests_are_taken_and_refused_as_the_contract_says(
    emulator: Emulator, contract: Document, operation: Operation, examples: int
) -> None:
    """A client that works with the emulator works with the API, and one that fails fails there."""
    phases = ("examples", "coverage", "fuzzing")
    number = IDS if operation.id in TAKES_AN_ID else examples
    found = run(contract, emulator.url, phases, number, operation=operation.id)
    assert [] == found.violations
    if operation.id not in FEW:
        assert FEWEST * examples <= min(found.statuses[200], found.statuses[400])


@pytest.fixture(params=["jobs run", "jobs are held"])
def steered(emulator: Emulator, request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """An emulator whose jobs either end soon or can be cancelled."""
    if request.param == "jobs are held":
        emulator.batches.hold("in_progress")
    yield emulator
    emulator.batches.release()
    assert 0 == emulator.batches.settle(timeout=30)


def test_what_an_answer_names_can_be_asked_for(
    steered: Emulator, contract: Document, examples: int
) -> None:
    """A file or job exists until it is deleted, so a client can request each id that it got."""
    # A finished job can't be cancelled.
    missing = STORED - {"cancelBatch"}
    # The server's ids are random, so sequences reach different operations in each run.
    for seed in range(ROUNDS):
        found = run(contract, steered.url, ("stateful",), examples // 2, seed=seed)
        assert [] == found.violations
        missing -= set(found.successes)
        if not missing:
            break
    assert set() == missing


def allow_more(schemas: Document) -> None:
    # A new argument is always tried, while a new enum value might not be.
    schemas["EmbeddingsRequest"]["properties"]["colour"] = {"type": "string", "enum": ["red"]}


def allow_less(schemas: Document) -> None:
    schemas["EmbeddingsRequest"]["properties"]["input"]["oneOf"][0]["maxItems"] = 3


@pytest.mark.parametrize(
    ("change", "check"),
    [(allow_more, "allowed_is_accepted"), (allow_less, "negative_data_rejection")],
)
def test_the_contract_of_another_service_is_not_kept(
    emulator: Emulator, contract: Document, change: Callable[[Document], None], check: str
) -> None:
    """The tests above must fail for a server that allows more or less than the contract."""
    other = copy.deepcopy(contract)
    change(other["components"]["schemas"])
    found = run(other, emulator.url, ("coverage",), 0, operation="createEmbeddings")
    assert found.violations
    assert all(check in violation for violation in found.violations)
