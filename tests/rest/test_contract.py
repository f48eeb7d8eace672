"""The contract as data."""

from __future__ import annotations

from importlib import import_module
from typing import Any, get_args

import pytest
from voyageai_rest import models, spec
from voyageai_rest.constraints import CONSTRAINTS, Constraint
from voyageai_rest.dtypes import DTYPES
from voyageai_rest.operations import OPERATIONS, SERVERS, Operation

from generator import paths
from generator import spec as source

METHODS = ("get", "put", "post", "delete", "patch")


def test_the_package_data_is_the_spec() -> None:
    """Validators and readers get the spec itself, not the version simplified for the generator."""
    assert source.load(paths.SPEC / "openapi.yaml") == spec.load()


def test_the_document_is_a_new_one_each_time() -> None:
    """A caller that changes the document changes only its own copy."""
    first = spec.load()
    first.clear()
    assert spec.load()


def test_all_operations_are_in_the_table(contract: Any) -> None:
    """Every operation of the spec can be looked up, in the order of the spec."""
    expected = [
        (node["operationId"], method.upper(), path, node["tags"][0])
        for path, item in contract.document["paths"].items()
        for method in METHODS
        for node in [item.get(method)]
        if node
    ]
    assert expected == [(each.id, each.method, each.path, each.tag) for each in OPERATIONS]
    assert 14 <= len(expected)


def test_the_hosts_of_an_operation_are_those_of_its_tag(
    operation: Operation, contract: Any
) -> None:
    """A call for files to a host without them would fail with a misleading 404."""
    (tag,) = (tag for tag in contract.document["tags"] if tag["name"] == operation.tag)
    everywhere = [server["x-name"] for server in contract.document["servers"]]
    assert tag.get("x-servers", everywhere) == list(operation.servers)


def test_the_module_of_an_operation_is_its_own(operation: Operation) -> None:
    """Each module has the four functions, and names its operation."""
    module = import_module(f"voyageai_rest.api.{operation.module}")
    for name in ("build_request", "parse_response", "send", "send_async"):
        assert callable(getattr(module, name))
    assert f"(`{operation.method} {operation.path}`)" in (module.__doc__ or "")


def test_the_request_of_an_operation_is_its_body(operation: Operation, contract: Any) -> None:
    """Each request is found by the name of its schema, which is also that of its model."""
    described = contract.document["paths"][operation.path][operation.method.lower()]
    assert ("requestBody" in described) == (operation.request is not None)
    if operation.request:
        assert operation.request in contract.schemas
        assert operation.request in models.__all__


def test_all_hosts_are_in_the_table(contract: Any) -> None:
    """Every host can be chosen; the first of the spec is the default."""
    expected = [
        (server["x-name"], server["url"], server["x-platform"], server.get("x-key-prefix"))
        for server in contract.document["servers"]
    ]
    assert expected == [
        (server.name, server.url, server.platform, server.key_prefix) for server in SERVERS
    ]


@pytest.mark.parametrize(
    ("schema", "field", "expected"),
    [
        (
            "EmbeddingsRequest",
            "input",
            Constraint(min_items=1, max_items=1000, min_length=1, item=Constraint(min_length=1)),
        ),
        ("EmbeddingsRequest", "input_type", Constraint(values=("query", "document"))),
        (
            "RerankRequest",
            "documents",
            Constraint(min_items=1, max_items=1000, item=Constraint(min_length=1)),
        ),
        ("ContextualizedEmbeddingsRequest", "chunk_size", Constraint(minimum=1, maximum=32000)),
        ("CreateBatchRequest", "metadata", Constraint(max_properties=16)),
    ],
)
def test_constraints_are_those_of_the_spec(schema: str, field: str, expected: Constraint) -> None:
    """Constraints are found for plain fields, alternatives, enums and references."""
    assert expected == CONSTRAINTS[schema][field]


def test_constraints_are_of_fields_that_exist() -> None:
    """A constraint on an unknown name would never be checked."""
    for schema, fields in CONSTRAINTS.items():
        assert set(fields) <= set(getattr(models, schema).__annotations__)


def test_constraints_can_not_be_changed() -> None:
    """All clients of a process share the constraints."""
    with pytest.raises(TypeError):
        CONSTRAINTS["EmbeddingsRequest"]["input"] = Constraint()  # type: ignore[index]  # the point


def test_literal_types_are_the_enums(contract: Any) -> None:
    """Type checkers read the Literal types, and programs the same values as tuples."""
    enums = {name: node["enum"] for name, node in contract.schemas.items() if "enum" in node}
    assert {"InputType", "OutputDtype", "BatchStatus"} <= set(enums)
    for name, values in enums.items():
        literal = getattr(models, name)
        assert sorted(values) == sorted(get_args(literal))


def test_every_dtype_says_what_its_memory_is(contract: Any) -> None:
    """Vectors of a new dtype are decoded without a change of the decoder."""
    schema = contract.schemas["OutputDtype"]
    assert set(schema["enum"]) == set(DTYPES)
    for name, memory in schema["x-memory"].items():
        assert memory["number"] == DTYPES[name].number
        assert memory["dimensions_per_number"] == DTYPES[name].dimensions_per_number
