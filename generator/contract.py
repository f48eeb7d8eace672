"""Read the parts of the spec that openapi-python-client does not handle."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from openapi_python_client.strings import PythonIdentifier

from .spec import Document, GenerationError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# Fields of `Constraint` by keyword of JSON Schema.
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
    """Return the node itself, or the target of its `$ref` within the document.

    Raises:
        GenerationError: The target does not exist, or the reference is circular.
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
    """Yield every operation in the order of the spec, as a row of the emitted table."""
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


# Optional extensions of a host, and their names in the emitted table.
SERVER_EXTENSIONS = {"x-platform": "platform", "x-key-prefix": "key_prefix"}


def servers(document: Document) -> Iterator[Document]:
    """Yield every host in the order of the spec, with the extensions that any of them has."""
    used = {key: name for key, name in SERVER_EXTENSIONS.items() if _is_used(document, key)}
    for server in document["servers"]:
        where = f"server {server.get('url')}"
        yield {
            "name": _required(server, "x-name", where),
            "url": server["url"],
            **{name: server.get(key) for key, name in used.items()},
        }


def _is_used(document: Document, key: str) -> bool:
    return any(key in server for server in document["servers"])


def _servers_of(document: Document, tag: str) -> tuple[str, ...]:
    """Return the names of the hosts that have the operations of a tag."""
    tags = {declared["name"]: declared for declared in document.get("tags", ())}
    everywhere = [server["name"] for server in servers(document)]
    return tuple(tags.get(tag, {}).get("x-servers", everywhere))


def memory_schema(document: Document) -> tuple[str, Document]:
    """Return the enum of dtypes, which has `x-memory`, with its name; both empty without one."""
    for name, schema in document["components"]["schemas"].items():
        if "x-memory" in schema:
            return name, schema
    return "", {}


def dtypes(document: Document) -> Document:
    """Return the `x-memory` of each dtype: the type of its numbers, and dimensions per number."""
    memory: Document = memory_schema(document)[1].get("x-memory", {})
    return memory


def secrets(document: Document) -> set[tuple[str, str]]:
    """Return schema and name of the fields with the format `password`, which no repr may show."""
    return {
        (name, field)
        for name, schema in document["components"]["schemas"].items()
        for field, node in schema.get("properties", {}).items()
        if node.get("format") == "password"
    }


def security(document: Document) -> Document:
    """Return the ways to authenticate that the client must support.

    Returns:
        `bearer` and `digest`: true if the API accepts a key in a header, or HTTP digest.
        `token_url`: URL at which client credentials get a token, relative to the first host if it
        is there; None if the API has no such URL.
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
    """Return the constraints of fields beyond their types, by request schema and field."""
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
    """Return the constraint of a field; of several alternatives, the first with a bound counts."""
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
