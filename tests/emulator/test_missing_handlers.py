"""An operation that nobody has written an answer for is answered with the contract's example."""

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
    """An emulator of a contract that has one more operation, with some answers."""
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
def test_it_is_answered_with_an_example_and_the_answer_says_so(
    answers: dict[str, Any], status: int, body: str
) -> None:
    """Clients of a new operation can be written and tested before an engine for it is."""
    answer = send(app_with(answers), "PUT", "/things/7/weigh", {"scale": "fine"})
    assert (status, body) == (answer.status_code, answer.text)
    assert "weigh" == answer.headers[EXAMPLE]


def test_requests_are_checked_all_the_same() -> None:
    """Validation does not depend on the handler."""
    app = app_with({"204": {}})
    assert 400 == send(app, "PUT", "/things/7/weigh", {"scale": "coarse"}).status_code
    assert 401 == send(app, "PUT", "/things/7/weigh", {"scale": "fine"}, key=None).status_code


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda operation: operation.id)
def test_examples_are_what_the_contract_asks_for(operation: Operation) -> None:
    """Whatever operation comes next: a parser takes its example."""
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
def test_without_an_example_it_is_the_least_that_the_schema_asks_for(
    schema: dict[str, Any], expected: Any
) -> None:
    """Schemas within others have none of their own."""
    assert expected == example_of(schema, dict)
