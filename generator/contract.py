"""Read from the spec what openapi-python-client has no place for."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from openapi_python_client.strings import PythonIdentifier

from .spec import Document, GenerationError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# JSON Schema keyword to the name of a field of `Constraint`.
KEYWORDS = {
    "minItems": "min_items",
    "maxItems": "max_items",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minimum": "minimum",
    "maximum": "maximum",
    "maxProperties": "max_properties",
}


def resolve(document: Document, node: Document) -> Document:
    """Return the node itself, or what its `$ref` points to within the document.

    Raises:
        GenerationError: There is nothing at that place, or the reference leads in a circle.
    """
    seen: list[str] = []
    while "$ref" in node:
        reference = node["$ref"]
        if reference in seen:
            raise GenerationError(f"{reference} refers to itself")
        seen.append(reference)
        if not str(reference).startswith("#/"):
            raise GenerationError(
                f"{reference} does not begin with #/, so it is not in this document"
            )
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or key not in target:
                raise GenerationError(f"{reference} is not in this document: there is no {key}")
            target = target[key]
        if not isinstance(target, dict):
            raise GenerationError(f"{reference} is {target!r}, not a mapping")
        node = target
    return node


def operations(document: Document) -> Iterator[Document]:
    """Yield every operation, in the order of the spec, as the emitted table holds it."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield _operation(document, path, method, item[method])


def _operation(document: Document, path: str, method: str, operation: Document) -> Document:
    where = f"{method.upper()} {path}"
    name = _required(operation, "operationId", where)
    tag = (_required(operation, "tags", where) or [""])[0]
    return {
        "id": name,
        "method": method.upper(),
        "path": path,
        "tag": tag,
        "servers": _servers_of(document, tag),
        "module": f"{PythonIdentifier(tag, 'tag')}.{PythonIdentifier(name, 'field_')}",
        "request": _request_schema(resolve(document, operation.get("requestBody", {})), where),
    }


# What a host may say beside its name and its URL.
SERVER_EXTENSIONS = {"x-platform": "platform", "x-key-prefix": "key_prefix"}


def servers(document: Document) -> Iterator[Document]:
    """Yield every host, in the order of the spec, with what some host says of itself."""
    said = {key: name for key, name in SERVER_EXTENSIONS.items() if _is_said(document, key)}
    for server in document["servers"]:
        where = f"server {server.get('url')}"
        yield {
            "name": _required(server, "x-name", where),
            "url": server["url"],
            **{name: server.get(key) for key, name in said.items()},
        }


def _is_said(document: Document, key: str) -> bool:
    return any(key in server for server in document["servers"])


def _servers_of(document: Document, tag: str) -> tuple[str, ...]:
    """Return the names of the hosts that have the operations of a tag."""
    tags = {declared["name"]: declared for declared in document.get("tags", ())}
    everywhere = [server["name"] for server in servers(document)]
    return tuple(tags.get(tag, {}).get("x-servers", everywhere))


def memory_schema(document: Document) -> tuple[str, Document]:
    """Return the enum that says of its values what numbers are in memory; an empty one for none."""
    for name, schema in document["components"]["schemas"].items():
        if "x-memory" in schema:
            return name, schema
    return "", {}


def dtypes(document: Document) -> Document:
    """Return for each dtype what its numbers are in memory."""
    memory: Document = memory_schema(document)[1].get("x-memory", {})
    return memory


def secrets(document: Document) -> set[tuple[str, str]]:
    """Return the fields whose values no repr may show: schema and name of those called password."""
    return {
        (name, field)
        for name, schema in document["components"]["schemas"].items()
        for field, node in schema.get("properties", {}).items()
        if node.get("format") == "password"
    }


def security(document: Document) -> Document:
    """Return what the client must know of the ways to authenticate.

    Returns:
        `bearer` and `digest`: whether the API takes a key in a header, or HTTP digest.
        `token_url`: where client credentials get a token, relative to the first host where that
        has it; None if the API has no such way.
    """
    schemes: Document = document["components"].get("securitySchemes", {})
    http = {scheme.get("scheme") for scheme in schemes.values() if scheme["type"] == "http"}
    flows = [scheme["flows"] for scheme in schemes.values() if scheme["type"] == "oauth2"]
    url = next((flow["clientCredentials"]["tokenUrl"] for flow in flows), None)
    if url is not None:
        host = urlsplit(document["servers"][0]["url"])
        url = url.removeprefix(f"{host.scheme}://{host.netloc}")
    return {"bearer": "bearer" in http, "digest": "digest" in http, "token_url": url}


def constraints(document: Document) -> dict[str, dict[str, Document]]:
    """Return by request schema and field what the spec demands of a field beyond its type."""
    found: dict[str, dict[str, Document]] = {}
    for name, schema in document["components"]["schemas"].items():
        if schema.get("additionalProperties") is False:
            fields = {
                field: constraint
                for field, node in schema.get("properties", {}).items()
                if (constraint := _constraint(document, node))
            }
            if fields:
                found[name] = fields
    return found


def _constraint(document: Document, node: Document) -> Document:
    """Return one constraint for all alternatives of a field; the first that sets a bound counts."""
    node = resolve(document, node)
    constraint: Document = {KEYWORDS[key]: node[key] for key in KEYWORDS if key in node}
    if "enum" in node:
        constraint["values"] = tuple(node["enum"])
    if isinstance(node.get("items"), dict) and (item := _constraint(document, node["items"])):
        constraint["item"] = item
    for alternative in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        for key, value in _constraint(document, alternative).items():
            constraint.setdefault(key, value)
    return constraint


def _request_schema(body: Document, where: str) -> str | None:
    for content in body.get("content", {}).values():
        reference = _required(content["schema"], "$ref", f"the body of {where}")
        return str(reference.rsplit("/", 1)[-1])
    return None


def _required(node: Document, key: str, where: str) -> Any:
    if key not in node:
        raise GenerationError(f"{where} has no {key}")
    return node[key]
