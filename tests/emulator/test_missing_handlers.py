"""An operation without a handler is answered with the contract's example."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from voyageai_emulator.app import Application
from voyageai_emulator.contract import Contract, Operation, example_of
from voyageai_emulator.dispatcher import EXAMPLE
from voyageai_emulator.settings import Settings

from tests.emulator.contract_client import DOCUMENT, send

CONTRACT = Contract(DOCUMENT)


def app_with(answers: dict[str, Any]) -> Any:
    """Return an emulator of a contract with an additional operation and its responses."""
    document = copy.deepcopy(DOCUMENT)
    body = {
        "type": "object",
        "required": ["scale"],
        "properties": {"scale": {"enum": ["fine"]}},
        "additionalProperties": False,
    }
    operation = {
        "operationId": "weigh",
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": answers,
    }
    document["paths"]["/things/{id}/weigh"] = {"put": operation}
    return Application(Settings(document=document))


def json_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


@pytest.mark.parametrize(
    ("answers", "status", "body"),
    [
        ({"200": json_of({"type": "integer", "examples": [7]})}, 200, "7"),
        ({"201": json_of({"type": "array", "items": {"type": "string"}})}, 201, '[""]'),
        ({"400": {}, "204": {}}, 204, ""),
        ({"400": {}}, 204, ""),
    ],
)
def test_an_operation_without_a_handler_gets_an_example(
    answers: dict[str, Any], status: int, body: str
) -> None:
    """A client of a new operation can be tested before its handler is written."""
    response = send(app_with(answers), "PUT", "/things/7/weigh", {"scale": "fine"})
    assert (status, body) == (response.status_code, response.text)
    assert "weigh" == response.headers[EXAMPLE]


def test_its_requests_are_validated() -> None:
    """Validation does not depend on a handler."""
    app = app_with({"204": {}})
    assert 400 == send(app, "PUT", "/things/7/weigh", {"scale": "coarse"}).status_code
    assert 401 == send(app, "PUT", "/things/7/weigh", {"scale": "fine"}, key=None).status_code


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda operation: operation.id)
def test_examples_are_what_the_contract_asks_for(operation: Operation) -> None:
    """The generated parser must accept the example of any operation."""
    status, body = CONTRACT.example(operation)
    answer = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"][str(status)]
    schema = answer["content"].get("application/json", {}).get("schema", {"type": "null"})
    assert Draft202012Validator({**DOCUMENT, **schema}).is_valid(body)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["string", "null"]}, ""),
        ({"type": "integer", "minimum": 3}, 3),
        ({"anyOf": [{"enum": ["a", "b"]}, {"type": "string"}]}, "a"),
        ({"const": "list", "type": "string"}, "list"),
        ({"properties": {"a": {"type": "boolean"}, "b": {}}, "required": ["a"]}, {"a": False}),
        ({"type": "array"}, []),
    ],
)
def test_without_an_example_the_answer_is_minimal(schema: dict[str, Any], expected: Any) -> None:
    """Nested schemas have no examples of their own."""
    assert expected == example_of(schema, dict)
