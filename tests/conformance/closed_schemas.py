"""The schemas of responses, closed: a response must not hold a field that the contract lacks.

The contract leaves them open, as the API may add fields. The emulator has no reason to.
"""

from __future__ import annotations

import copy
from typing import Any

from jsonschema_rs import Draft202012Validator
from voyageai_rest.spec import load

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# The schemas of the endpoints describe the content of these.
ANY = ("BatchLineAnswer",)


def _closed() -> dict[str, Any]:
    document = copy.deepcopy(load())
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema and name not in ANY:
            schema.setdefault("additionalProperties", False)
    return {**document, "$schema": DIALECT}


CLOSED = _closed()
JSON = "application/json"


def validator(pointer: str) -> Draft202012Validator:
    """Return a validator of values for a schema of the closed contract."""
    return Draft202012Validator({**CLOSED, "$ref": f"#/{pointer}"}, validate_formats=True)


def answers() -> dict[tuple[str, int], Draft202012Validator]:
    """Return validators of JSON bodies by operation id and status."""
    return {
        (operation["operationId"], int(status)): validator(schema["$ref"].removeprefix("#/"))
        for path in CLOSED["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
        for status, answer in operation["responses"].items()
        if status.isdigit() and (schema := _schema(answer)) is not None
    }


def _schema(answer: dict[str, Any]) -> dict[str, str] | None:
    """Return the schema of an answer if the answer is JSON."""
    if "$ref" in answer:
        answer = CLOSED["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return answer["content"].get(JSON, {}).get("schema")
