"""OpenAPI documents, 3.0 or 3.1: references, and operations with what they inherit."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from attrs import frozen

from ..contract import METHODS
from ..spec import Document as Mapping
from ..spec import GenerationError

Raw = Any  # a schema as written: a mapping, or true or false
PROSE = {"description", "summary", "title", "example", "examples", "externalDocs", "$comment"}
# Keys whose values map names to nodes; such a name may be equal to a keyword.
NAMED = {"properties", "patternProperties", "dependentSchemas", "$defs", "content", "headers"}
NAMED |= {"responses", "schemas", "callbacks"}


class DriftError(GenerationError):
    """Raised if a contract can't be compared; the message says which, and why."""


class Document:
    """An OpenAPI document, with methods to resolve references."""

    def __init__(self, raw: Mapping, name: str) -> None:
        version = str(raw.get("openapi"))
        if not version.startswith(("3.0.", "3.1.")):
            raise DriftError(f"{name}: `openapi` must be 3.0 or 3.1, not {version}")
        self.raw = raw
        self.name = name
        self._references_stand_alone = version.startswith("3.0.")
        self._parts: dict[int, tuple[Raw, ...]] = {}
        self._merged: dict[tuple[int, ...], Mapping] = {}
        self._constants: dict[tuple[str, ...], Mapping] = {}

    def follow(self, node: Mapping) -> Mapping:
        """Return a node, or the target of its reference; for nodes other than schemas."""
        return self.target(node["$ref"]) if "$ref" in node else node

    def normalized(self, schema: Raw) -> Raw:
        """Return a schema by the rules of its version: in 3.0, keys beside `$ref` are ignored."""
        if self._references_stand_alone and isinstance(schema, dict) and "$ref" in schema:
            return {"$ref": schema["$ref"]}
        return schema

    def resolved(self, schema: Raw) -> Raw:
        """Return a schema, or its target if it has no other key than `$ref`."""
        seen = self.normalized(schema)
        if isinstance(seen, dict) and set(seen) == {"$ref"}:
            return self.target(seen["$ref"])
        return schema

    def target(self, reference: str) -> Any:
        """Return the target of a reference, which may lead through other references.

        Raises:
            DriftError: The reference is outside the document, has no target, or is circular.
        """
        seen = [reference]
        while True:
            found = self._at(seen[-1])
            # In 3.1 a schema may have keys beside its reference, so it is a target of its own.
            if not isinstance(found, dict) or set(found) != {"$ref"}:
                return found
            if found["$ref"] in seen:
                raise DriftError(f"{self.name}: {reference} refers to itself")
            seen.append(found["$ref"])

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise DriftError(
                f"{self.name}: {reference} leads outside the document; bundle it first"
            )
        found: Any = self.raw
        for part in reference.removeprefix("#").split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(key) if isinstance(found, list) else key]
            except (KeyError, IndexError, TypeError, ValueError):
                raise DriftError(f"{self.name}: {reference} is not in the document") from None
        return found

    def intersection(self, one: Raw, other: Raw) -> Raw:
        """Return a schema for values that match both schemas; the same object for the same two."""
        # Keyed by parts, as the intersections of a recursive `allOf` would never end otherwise.
        parts = {id(part): part for schema in (one, other) for part in self._parts_of(schema)}
        if len(parts) == 1:
            return one
        key = tuple(sorted(parts))
        if key not in self._merged:
            self._merged[key] = {"allOf": list(parts.values())}
            self._parts[id(self._merged[key])] = tuple(parts.values())
        return self._merged[key]

    def _parts_of(self, schema: Raw) -> tuple[Raw, ...]:
        return self._parts.get(id(schema), (self.resolved(schema),))

    def with_discriminator(self, schema: Mapping, option: Raw) -> Raw:
        """Return an alternative of a schema, restricted to its discriminator values."""
        discriminator = schema.get("discriminator", {})
        reference = option.get("$ref") if isinstance(option, dict) else None
        values = [
            value
            for value, target in discriminator.get("mapping", {}).items()
            if reference in (target, f"#/components/schemas/{target}")
        ]
        if not values:
            return option
        name = discriminator["propertyName"]
        constant = self._constants.setdefault(
            (name, *values), {"type": "object", "properties": {name: {"enum": values}}}
        )
        return self.intersection(option, constant)

    def inlined(self, node: Any, within: tuple[str, ...] = ()) -> Any:
        """Return a node with all references replaced, except circular ones."""
        if isinstance(node, list):
            return [self.inlined(item, within) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str):
            if reference in within:
                return {"again": within[::-1].index(reference)}
            return self.inlined(self.target(reference), (*within, reference))
        return {
            key: self.inlined(value, within) for key, value in node.items() if key != "x-source"
        }


def without_prose(node: Any, *, is_named: bool = False) -> Any:
    """Return a node without descriptions, titles and examples."""
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: without_prose(value, is_named=key in NAMED and not is_named)
        for key, value in node.items()
        if is_named or key not in PROSE
    }


def anonymous_path(path: str) -> str:
    """Return a path template without the names of its parameters, which are not sent."""
    return re.sub(r"\{[^}]*\}", "{}", path)


@frozen
class Operation:
    """An operation: a method of a path.

    Attributes:
        document: The document that describes it.
        method: HTTP method, in upper case.
        path: Template of the path.
        item: Entry of the path, from which the operation inherits.
        node: Entry of the operation.
    """

    document: Document
    method: str
    path: str
    item: Mapping
    node: Mapping

    @property
    def label(self) -> str:
        """Name in reports."""
        return f"{self.method} {self.path}"

    @property
    def key(self) -> str:
        """Key that identifies the operation in any document."""
        return f"{self.method} {anonymous_path(self.path)}"

    def parameters(self) -> dict[tuple[str, str], Mapping]:
        """Return parameters by location and name.

        Path parameters are identified by their position, as their names are not sent.
        """
        found: dict[tuple[str, str], Mapping] = {}
        for parameter in (*self.item.get("parameters", ()), *self.node.get("parameters", ())):
            followed = self.document.follow(parameter)
            found[self._key_of(followed)] = followed
        return found

    def _key_of(self, parameter: Mapping) -> tuple[str, str]:
        where, name = parameter["in"], parameter["name"]
        if where == "path":
            marker = "{" + name + "}"
            return where, str(self.path.partition(marker)[0].count("{"))
        return where, name.lower() if where == "header" else name

    def security(self) -> Any:
        """Return the security requirements."""
        return self.node.get("security", self.document.raw.get("security", []))

    def servers(self) -> set[str] | None:
        """Return the URLs of the operation's own hosts; None if it has the document's hosts."""
        for holder in (self.node, self.item):
            if "servers" in holder:
                return set(servers_by_url(holder["servers"]))
        for tag in self.document.raw.get("tags", ()):
            if tag["name"] in self.node.get("tags", ()) and "x-servers" in tag:
                nodes = servers_by_url(self.document.raw.get("servers", ())).items()
                return {url for url, node in nodes if node.get("x-name") in tag["x-servers"]}
        return None


def operations(document: Document) -> dict[str, Operation]:
    """Return every operation by its key."""
    return {operation.key: operation for operation in _operations(document)}


def _operations(document: Document) -> Iterator[Operation]:
    for path, item in document.raw.get("paths", {}).items():
        followed = document.follow(item)
        for method in METHODS:
            if method in followed:
                yield Operation(document, method.upper(), path, followed, followed[method])


def part_of(document: Document, wanted: Callable[[str], bool]) -> Document:
    """Return a document with some of its paths, and the components and tags that these use.

    Args:
        document: The document.
        wanted: Returns true for a path to keep.
    """
    raw = document.raw
    paths = {path: item for path, item in raw.get("paths", {}).items() if wanted(path)}
    schemes = raw.get("components", {}).get("securitySchemes")
    components: Mapping = {} if schemes is None else {"securitySchemes": schemes}
    left = [*references(paths)]
    seen: set[str] = set()
    while left:
        reference = left.pop()
        head, _, name = reference.removeprefix("#/components/").partition("/")
        if reference in seen or not name:
            continue
        seen.add(reference)
        found = document.target(f"#/components/{head}/{name.partition('/')[0]}")
        components.setdefault(head, {})[name.partition("/")[0]] = found
        left += references(found)
    part = {**raw, "paths": paths, "components": components}
    part.pop("webhooks", None)
    kept = Document(part, document.name)
    tags = {tag for each in operations(kept).values() for tag in each.node.get("tags", ())}
    part["tags"] = [tag for tag in raw.get("tags", ()) if tag["name"] in tags]
    return kept


def references(node: Any) -> Iterator[str]:
    """Yield all references in a node."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def servers_by_url(servers: Any) -> dict[str, Mapping]:
    """Return hosts by URL, one for each value of a variable, or for its default."""
    found: dict[str, Mapping] = {}
    for server in servers or [{"url": "/"}]:
        urls = [server["url"]]
        for name, variable in server.get("variables", {}).items():
            values = variable.get("enum", [variable["default"]])
            urls = [url.replace(f"{{{name}}}", str(value)) for url in urls for value in values]
        found |= dict.fromkeys((url.rstrip("/") or "/" for url in urls), server)
    return found


def schema_of(node: Mapping) -> Raw:
    """Return the schema of a body, a parameter or a header, or of its content."""
    holder = next(iter(node["content"].values())) if "content" in node else node
    return holder.get("schema", True)
