"""The requests of a probe are few, cheap, and derived from the contract and catalogue."""

from __future__ import annotations

from copy import deepcopy

import pytest
from attrs import evolve

from generator import contract as documents
from generator.drift.live.host import HostContract, read_contract
from generator.drift.live.plan import load_table, plan, unknown_fields
from generator.drift.live.reports import cost
from tests.drift.live.probe_harness import contract

ALL = ("files", "batch", "limits")
UNSHOWN = {"max_items"}
"""Recorded from the API, but not yet an example in the contract."""


def keys() -> list[str]:
    """Return a key for each host, as far as prefixes distinguish hosts."""
    servers = contract().document["servers"]
    return [f"{server.get('x-key-prefix', '')}x" for server in servers]


def test_a_probe_is_small_and_cheap() -> None:
    """The probe runs every week and is billed."""
    planned = plan(load_table(), contract())
    active = {each.model for each in planned} - {None}
    assert 10 * len(active) + 50 > len(planned)
    assert 0.01 > cost(planned)


def test_the_cost_follows_the_catalogue_s_prices() -> None:
    """The estimate printed before the first request must follow a price change."""
    dearer = deepcopy(contract())
    for model in dearer.catalogue["models"].values():
        if isinstance(model.get("price", {}).get("usd_per_million_tokens"), int | float):
            model["price"]["usd_per_million_tokens"] *= 2
    assert pytest.approx(2 * cost(plan(load_table(), contract()))) == cost(
        plan(load_table(), dearer)
    )


def test_a_host_is_asked_only_for_what_it_has() -> None:
    """The contract states which operations and models a host lacks."""
    for key in keys():
        of_host, _ = read_contract(None, key)
        served = of_host.operations()
        planned = plan(load_table(), of_host, ALL)
        asked = {each.operation.id for each in planned if each.operation.id}
        assert asked == set(served), key
        for each in planned:
            if each.model is not None and each.probe.model == "each":
                assert each.model in of_host.models(each.operation.path)


@pytest.mark.parametrize("name", ["voyage", "atlas", "us", "eu"])
def test_a_key_is_tried_at_the_host_with_the_longest_prefix(name: str) -> None:
    """Keys of a geography also match the prefix of Atlas, whose host would refuse them."""
    servers = {server["x-name"]: server for server in contract().document["servers"]}
    _, url = read_contract(None, f"{servers[name].get('x-key-prefix', '')}x")
    assert servers[name]["url"] == url


def test_all_operations_are_asked() -> None:
    """The probe notices when a host drops any of its operations."""
    asked = {each.operation.id for each in plan(load_table(), contract(), ALL)}
    assert set(contract().operations()) <= asked


def test_an_operation_without_a_line_is_asked_so_that_it_does_no_harm() -> None:
    """Its effect and cost are unknown, so it is requested without a key until a line exists."""
    whole = load_table()
    table = evolve(whole, probes=[each for each in whole.probes if "rerank" not in each.at])
    (asked,) = [each for each in plan(table, contract()) if each.operation.id == "rerank"]
    assert ("none", 401, 0) == (asked.probe.key, asked.probe.status, asked.usd)
    assert (
        contract().document["components"]["schemas"]["RerankRequest"]["examples"][0] == asked.body
    )


def renamed(schema: str, old: str, new: str) -> HostContract:
    """Return the contract with a field of a schema renamed."""
    whole = deepcopy(contract())
    fields = whole.document["components"]["schemas"][schema]["properties"]
    fields[new] = fields.pop(old)
    return whole


def test_the_contract_has_all_fields_that_a_probe_reads() -> None:
    """A field renamed in the spec but not in the probe table would no longer be compared."""
    assert [] == list(unknown_fields(load_table(), contract()))


@pytest.mark.parametrize(
    ("schema", "old", "expected"),
    [
        ("RerankResult", "relevance_score", "the answer of rerank has no field data[].relevance_score"),
        ("ChunkEmbedding", "embedding", "the answer of createContextualizedEmbeddings has no field data[].data[].embedding"),
        ("TokenUsage", "total_tokens", "the answer of createEmbeddings has no field usage.total_tokens"),
        ("RerankRequest", "documents", "the request of rerank has no field documents"),
        ("FileObject", "expires_at", "the schema FileObject has no field expires_at"),
    ],
)  # fmt: skip
def test_a_field_that_was_renamed_in_the_spec_is_named(
    schema: str, old: str, expected: str
) -> None:
    """Otherwise the comparison would find nothing at the old name, and report no difference."""
    assert expected in list(unknown_fields(load_table(), renamed(schema, old, "renamed")))


def test_every_active_model_is_asked() -> None:
    """A new model in the catalogue needs no line in the table."""
    asked = {each.model for each in plan(load_table(), contract())}
    active = {
        name
        for operation in contract().operations().values()
        for name in contract().active(operation.path)
    }
    assert active == asked - {None}


def test_the_table_has_no_model_limit_or_price() -> None:
    """Facts are in the spec only; the table says how to observe them."""
    table = load_table()
    text = str([table.probes, table.text, table.takes, table.messages, table.rate_limited])
    assert set() == {name for name in contract().catalogue["models"] if name in text}


def examples() -> dict[str, list[str]]:
    """Return the contract's example error messages by the name of the example."""
    found: dict[str, list[str]] = {}
    document = contract().document
    for response in document["components"]["responses"].values():
        content = documents.resolve(document, response).get("content", {})
        for name, example in content.get("application/json", {}).get("examples", {}).items():
            detail = example["value"].get("detail")
            if isinstance(detail, str):
                found.setdefault(name, []).append(detail)
    return found


def test_words_are_expected_as_the_contract_shows_them() -> None:
    """Patterns that contradict the contract's examples would be a second source of truth."""
    shown = [detail for details in examples().values() for detail in details]
    table = load_table()
    expected = {each.message for each in table.probes if each.message} | set(table.rate_limited)
    unshown = {
        name
        for name in expected
        if not any(table.read(name, detail) is not None for detail in shown)
    }
    assert UNSHOWN == unshown
