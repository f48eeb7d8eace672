"""Finding the schemas of an OpenAPI document."""

from collections.abc import Iterator

from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it ships no types

from ..spec import Document
from .documents import Node, Path, walk

ONE = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED = ("$defs", "dependentSchemas", "patternProperties", "properties")

VOCABULARIES = "https://json-schema.org/draft/2020-12/meta/"
KEYWORDS = frozenset(
    keyword
    for uri in REGISTRY
    if uri.startswith(VOCABULARIES)
    for keyword in REGISTRY.contents(uri)["properties"]
) | {"discriminator", "example", "externalDocs", "xml"}  # those that OpenAPI adds


def components(document: Document) -> Iterator[Node]:
    """The named schemas."""
    for name, schema in document["components"].get("schemas", {}).items():
        yield Node(("components", "schemas", name), schema)


def roots(document: Document) -> Iterator[Node]:
    """Every schema that is within no other. Its ancestor is the parameter, header or body."""
    yield from components(document)
    outside = {key: value for key, value in document["components"].items() if key != "schemas"}
    for top, value in (("paths", document["paths"]), ("components", outside)):
        for holder in walk(value, (top,)):
            schema = holder.value.get("schema")
            if isinstance(schema, dict):
                yield Node(holder.at("schema"), schema, (holder.value,))


def schemas(document: Document) -> Iterator[Node]:
    """Every schema, however deep."""
    for root in roots(document):
        yield from within(root)


def within(schema: Node) -> Iterator[Node]:
    """A schema and all below it."""
    yield schema
    ancestors = (*schema.ancestors, schema.value)
    for path, inner in _below(schema):
        if isinstance(inner, dict):
            yield from within(Node(path, inner, ancestors))


def _below(schema: Node) -> Iterator[tuple[Path, object]]:
    for key, value in schema.value.items():
        if key in ONE:
            yield schema.at(key), value
        elif key in SEVERAL:
            for position, inner in enumerate(value):
                yield schema.at(key, position), inner
        elif key in NAMED:
            for name, inner in value.items():
                yield schema.at(key, name), inner
