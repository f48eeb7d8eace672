"""Rules for links: what may be asked next, with what an answer holds."""

from collections.abc import Iterator
from typing import Any

from ..contract import resolve
from ..spec import Document
from .documents import Documents, Finding, Node, openapi, operations

EXPRESSION = "$response.body#/"


def links_lead_to_operations(documents: Documents) -> Iterator[Finding]:
    """A link leads to an operation, and fills in parameters and body fields that it has."""
    document = documents.openapi
    targets = {
        node.value.get("operationId"): (_parameters(document, node), _body_fields(document, node))
        for node in operations(document)
    }
    for link, _ in _links(document):
        target = link.value.get("operationId")
        if target not in targets:
            yield openapi(link.path, f"leads to {target}, which is no operation")
            continue
        for key, known in zip(("parameters", "requestBody"), targets[target], strict=True):
            for name in link.value.get(key, {}):
                if name not in known:
                    yield openapi(link.at(key, name), f"{target} has nothing of this name")


def links_start_in_answers(documents: Documents) -> Iterator[Finding]:
    """What a link fills in is a field of the answer that it belongs to."""
    for link, answer in _links(documents.openapi):
        for key in ("parameters", "requestBody"):
            for name, value in link.value.get(key, {}).items():
                for expression in _leaves(value):
                    field = str(expression).removeprefix(EXPRESSION)
                    if field == expression or field not in answer.get("properties", {}):
                        yield openapi(link.at(key, name), f"{expression} is not in the answer")


def _links(document: Document) -> Iterator[tuple[Node, Document]]:
    """Every link, and the schema of the answer that it belongs to."""
    for operation in operations(document):
        for status, answer in operation.value["responses"].items():
            for name, link in answer.get("links", {}).items():
                content = answer["content"]["application/json"]["schema"]
                path = operation.at("responses", status, "links", name)
                yield Node(path, link), resolve(document, content)


def _parameters(document: Document, operation: Node) -> set[str]:
    """Names of an operation's parameters, with those of its path."""
    _, path, _ = operation.path
    shared: list[Document] = document["paths"][path].get("parameters", [])
    own: list[Document] = operation.value.get("parameters", [])
    return {resolve(document, parameter)["name"] for parameter in (*shared, *own)}


def _body_fields(document: Document, operation: Node) -> set[str]:
    """Names of the fields of an operation's body."""
    contents: Document = operation.value.get("requestBody", {}).get("content", {})
    return {
        name
        for content in contents.values()
        for name in resolve(document, content["schema"]).get("properties", {})
    }


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value
