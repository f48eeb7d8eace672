"""Rules for operations, their bodies, responses and links, and for hosts."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..contract import resolve
from ..spec import Document
from .documents import Documents, Finding, Node, openapi, operations, walk


def operations_are_described(documents: Documents) -> Iterator[Finding]:
    """Every operation has an id, a summary and a description."""
    for operation in operations(documents.openapi):
        for key in ("operationId", "summary", "description"):
            if not operation.value.get(key):
                yield openapi(operation.path, f"has no {key}")


def operations_have_one_declared_tag(documents: Documents) -> Iterator[Finding]:
    """Every operation has exactly one tag, declared in `tags`."""
    declared = {tag["name"] for tag in documents.openapi.get("tags", ())}
    for operation in operations(documents.openapi):
        tags = operation.value.get("tags", [])
        if len(tags) != 1:
            yield openapi(operation.at("tags"), f"has {len(tags)} tags, not one")
        for tag in tags:
            if tag not in declared:
                yield openapi(operation.at("tags"), f"{tag} is not declared in the document's tags")


def operations_are_secured(documents: Documents) -> Iterator[Finding]:
    """Every operation requires a declared security scheme."""
    schemes = documents.openapi["components"].get("securitySchemes", {})
    for operation in operations(documents.openapi):
        requirements = operation.value.get("security")
        if not requirements or {} in requirements:
            yield openapi(operation.path, "can be called without a key")
        for scheme in (name for requirement in requirements or () for name in requirement):
            if scheme not in schemes:
                yield openapi(operation.at("security"), f"{scheme} is not a security scheme")


def operations_document_errors(documents: Documents) -> Iterator[Finding]:
    """Every operation documents the errors of contracts.yaml with the shared responses."""
    for operation in operations(documents.openapi):
        for status, name in _expected_errors(documents, operation).items():
            answer = operation.value["responses"].get(status)
            if answer != {"$ref": f"#/components/responses/{name}"}:
                path = operation.at("responses", status)
                yield openapi(path, f"is not documented with the shared response {name}")


def responses_carry_a_request_id(documents: Documents) -> Iterator[Finding]:
    """Every response, shared or not, has the header with the request id, if the API has one."""
    name = documents.contract.request_id
    for answer in _answers(documents) if name else ():
        if name not in answer.value.get("headers", {}):
            yield openapi(answer.path, f"does not have the header {name}")


def bodies_are_references(documents: Documents) -> Iterator[Finding]:
    """The schema of a body is a reference to a named schema, except for the content of a file."""
    for node in walk(documents.openapi["paths"], ("paths",)):
        yield from _anonymous_bodies(node)
    for answer in walk(documents.openapi["components"].get("responses", {}), ("components",)):
        yield from _anonymous_bodies(answer)


def parameters_are_described(documents: Documents) -> Iterator[Finding]:
    """Every parameter has a description, which becomes that of an argument."""
    for node in walk({key: documents.openapi[key] for key in ("paths", "components")}):
        if "in" in node.value and "schema" in node.value and not node.value.get("description"):
            yield openapi(node.path, "has no description")


def servers_are_named(documents: Documents) -> Iterator[Finding]:
    """Every host has a unique x-name, by which users choose it."""
    servers = documents.openapi.get("servers", ())
    names = Counter(server.get("x-name") for server in servers)
    for position, server in enumerate(servers):
        name = server.get("x-name")
        if not name:
            yield openapi(("servers", position), "has no x-name")
        elif names[name] > 1:
            yield openapi(("servers", position), f"has the same x-name, {name}, as another host")


def tags_name_servers(documents: Documents) -> Iterator[Finding]:
    """The x-servers of a tag are names of hosts."""
    names = [server.get("x-name") for server in documents.openapi.get("servers", ())]
    for position, tag in enumerate(documents.openapi.get("tags", ())):
        for name in tag.get("x-servers", ()):
            if name not in names:
                yield openapi(("tags", position, "x-servers"), f"there is no host named {name}")


def nulls_name_servers(documents: Documents) -> Iterator[Finding]:
    """Only nullable properties have x-null, and its items are names of hosts."""
    names = [server.get("x-name") for server in documents.openapi.get("servers", ())]
    for node in walk(documents.openapi):
        if "x-null" not in node.value:
            continue
        options = [node.value, *node.value.get("oneOf", ()), *node.value.get("anyOf", ())]
        types = [kind for option in options for kind in _listed(option.get("type"))]
        if "null" not in types:
            yield openapi(node.at("x-null"), "is on a property that is not nullable")
        for name in node.value["x-null"]:
            if name not in names:
                yield openapi(node.at("x-null"), f"there is no host named {name}")


def _listed(types: object) -> list[object]:
    return types if isinstance(types, list) else [types]


def _expected_errors(documents: Documents, operation: Node) -> dict[str, str]:
    """Return the shared responses that an operation must have, by status."""
    fields = _body_fields(documents.openapi, operation)
    expected = dict(documents.contract.errors)
    for field, errors in documents.contract.errors_of.items():
        if field in fields:
            expected |= errors
    return expected


def _answers(documents: Documents) -> Iterator[Node]:
    for name, answer in documents.openapi["components"].get("responses", {}).items():
        yield Node(("components", "responses", name), answer)
    for operation in operations(documents.openapi):
        for status, answer in operation.value["responses"].items():
            if "$ref" not in answer:
                yield Node(operation.at("responses", status), answer)


def _anonymous_bodies(node: Node) -> Iterator[Finding]:
    content = node.value.get("content")
    for media_type, body in content.items() if isinstance(content, dict) else ():
        schema = body.get("schema")
        if schema is not None and "$ref" not in schema and schema.get("format") != "binary":
            yield openapi(
                node.at("content", media_type), "its schema is not a reference to a named schema"
            )


EXPRESSION = "$response.body#/"


def links_lead_to_operations(documents: Documents) -> Iterator[Finding]:
    """A link leads to an operation, and sets parameters and body fields that this has."""
    document = documents.openapi
    targets = {
        node.value.get("operationId"): (_parameters(document, node), _body_fields(document, node))
        for node in operations(document)
    }
    for link, _ in _links(document):
        target = link.value.get("operationId")
        if target not in targets:
            yield openapi(link.path, f"leads to {target}, which is not an operation")
            continue
        for key, known in zip(("parameters", "requestBody"), targets[target], strict=True):
            for name in link.value.get(key, {}):
                if name not in known:
                    yield openapi(
                        link.at(key, name), f"{target} has no parameter or field of this name"
                    )


def links_start_in_answers(documents: Documents) -> Iterator[Finding]:
    """The values of a link are fields of its response."""
    for link, answer in _links(documents.openapi):
        for key in ("parameters", "requestBody"):
            for name, value in link.value.get(key, {}).items():
                for expression in _leaves(value):
                    field = str(expression).removeprefix(EXPRESSION)
                    if field == expression or field not in answer.get("properties", {}):
                        yield openapi(
                            link.at(key, name), f"{expression} is not a field of the response"
                        )


def _links(document: Document) -> Iterator[tuple[Node, Document]]:
    """Yield every link, and the schema of its response."""
    for operation in operations(document):
        for status, answer in operation.value["responses"].items():
            for name, link in answer.get("links", {}).items():
                (content,) = answer["content"].values()
                path = operation.at("responses", status, "links", name)
                yield Node(path, link), resolve(document, content["schema"])


def _parameters(document: Document, operation: Node) -> set[str]:
    """Return the names of an operation's parameters, with those of its path."""
    _, path, _ = operation.path
    shared: list[Document] = document["paths"][path].get("parameters", [])
    own: list[Document] = operation.value.get("parameters", [])
    return {resolve(document, parameter)["name"] for parameter in (*shared, *own)}


def _body_fields(document: Document, operation: Node) -> set[str]:
    """Return the names of the fields of an operation's body."""
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
