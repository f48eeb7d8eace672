"""The generated package and its contract, without a network."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from attrs import frozen
from openapi_python_client.strings import snake_case
from voyageai_rest import models, spec
from voyageai_rest.operations import OPERATIONS, Operation
from voyageai_rest.types import File

Document = dict[str, Any]


@frozen
class Raw:
    """A response that needs no HTTP library."""

    status_code: int
    content: bytes
    headers: dict[str, str]


class Contract:
    """The schemas and operations of the contract."""

    def __init__(self) -> None:
        self.document: Document = spec.load()
        self.schemas: Document = self.document["components"]["schemas"]

    def example(self, schema: str) -> Any:
        """Return the first example of a schema."""
        return self.schemas[schema]["examples"][0]

    def answer(self, operation: Operation) -> str | None:
        """Return the name of the schema of a successful response; None if it is not JSON."""
        described = self.document["paths"][operation.path][operation.method.lower()]
        content = described["responses"]["200"]["content"]
        if "application/json" not in content:
            return None
        return str(content["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1])


CONTRACT = Contract()
MULTIPART = {"UploadFileRequest"}
OBJECTS = [name for name, schema in CONTRACT.schemas.items() if schema.get("type") == "object"]
EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{number}")
    for name in OBJECTS
    if name not in MULTIPART
    for number, example in enumerate(CONTRACT.schemas[name]["examples"])
]

# One template generates all models; these use all of its branches.
TYPICAL = [
    example
    for example in EXAMPLES
    if example.values[0] in ("EmbeddingsRequest", "EmbeddingsResponse", "MultimodalInput", "Batch")
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize tests over the whole contract: by `operation`, or by `schema` and `example`.

    Tests by `schema` and `typical` get only a few schemas, as they test the template.
    """
    if "operation" in metafunc.fixturenames:
        metafunc.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
    if "example" in metafunc.fixturenames:
        metafunc.parametrize(("schema", "example"), EXAMPLES)
    if "typical" in metafunc.fixturenames:
        metafunc.parametrize(("schema", "typical"), TYPICAL)


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Return the contract as data."""
    return CONTRACT


@pytest.fixture(scope="session")
def raw() -> type[Raw]:
    """Return the class of raw responses."""
    return Raw


@pytest.fixture(scope="session")
def module_of() -> Callable[[Operation], ModuleType]:
    """Return a function that finds the module of an operation."""
    return lambda operation: import_module(f"voyageai_rest.api.{operation.module}")


@pytest.fixture(scope="session")
def model_of() -> Callable[[str], Any]:
    """Return a function that finds the model of a schema."""
    return lambda schema: getattr(models, schema)


@pytest.fixture(scope="session")
def arguments_of(module_of: Callable[[Operation], ModuleType]) -> Callable[[Operation], Document]:
    """Return a function that gives a value for each parameter of an operation's `build_request`."""
    values = {"limit": 5, "after": "last-id", "order": "asc", "purpose": "batch"}

    def arguments(operation: Operation) -> Document:
        made: Document = {}
        for name in inspect.signature(module_of(operation).build_request).parameters:
            if name == "body":
                model = getattr(models, operation.request or "")
                if operation.request in MULTIPART:
                    file = File(content=b'{"custom_id": "a"}\n', name="lines.jsonl")
                    made[name] = model(file=file, purpose="batch")
                else:
                    made[name] = model.from_dict(CONTRACT.example(operation.request or ""))
            else:
                in_path = f"{{{name}}}" in snake_case_path(operation.path)
                made[name] = "a/b?c #d%2e" if in_path else values[name]
        return made

    return arguments


def snake_case_path(path: str) -> str:
    """Return a path with its parameters named as in Python."""
    parts = [f"{{{snake_case(part)}}}" if "{" in part else part for part in path.split("/")]
    return "/".join(parts)
