"""Rules for schemas: names, open and closed objects, supported forms, words, examples, sources."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from ..contract import resolve
from ..spec import Document
from .documents import (
    KEYWORDS,
    Documents,
    Finding,
    Node,
    Path,
    components,
    openapi,
    operations,
    reachable,
    schemas,
    walk,
)

NULL = {"type": "null"}


def objects_are_named(documents: Documents) -> Iterator[Finding]:
    """An object with properties is a component schema, so that its class has a name."""
    named = {node.path for node in components(documents.openapi)}
    for schema in schemas(documents.openapi):
        if "properties" in schema.value and schema.path not in named:
            yield openapi(schema.path, "is an object without a name among components.schemas")


def requests_are_closed(documents: Documents) -> Iterator[Finding]:
    """An object in a request body refuses unknown fields, as the API does."""
    start = [node.value.get("requestBody") for node in operations(documents.openapi)]
    for schema in _objects(documents.openapi, start):
        if schema.value.get("additionalProperties") is not False:
            yield openapi(schema.path, "is part of a request, but not closed")


def responses_are_open(documents: Documents) -> Iterator[Finding]:
    """An object in a response allows unknown fields, as responses may gain fields."""
    start = [node.value["responses"] for node in operations(documents.openapi)]
    for schema in _objects(documents.openapi, start):
        if schema.value.get("additionalProperties", True) is not True:
            yield openapi(schema.path, "is part of a response, but not open")


def nullable_enums_are_a_reference_or_null(documents: Documents) -> Iterator[Finding]:
    """A nullable enum is `oneOf: [{$ref: ...}, {type: "null"}]`."""
    for schema in schemas(documents.openapi):
        value = schema.value
        options = [*value.get("anyOf", ()), *value.get("oneOf", ())]
        own = "enum" in value and (None in value["enum"] or "null" in _types(value))
        enums = any("enum" in resolve(documents.openapi, option) for option in options)
        nullable = any("null" in _types(option) for option in options)
        good = len(options) == 2 and value.get("oneOf") == [{"$ref": options[0].get("$ref")}, NULL]
        if own or (enums and nullable and not good):
            yield openapi(schema.path, "is a nullable enum, but not oneOf a reference and null")


def numbers_are_not_in_unions(documents: Documents) -> Iterator[Finding]:
    """The items of an array of numbers have one type, or the emitted code would check each item."""
    for schema in schemas(documents.openapi):
        items = schema.value.get("items")
        if isinstance(items, dict):
            kinds = _kinds(documents.openapi, items)
            if len(kinds) > 1 and kinds & {"number", "integer"}:
                yield openapi(schema.at("items"), f"is a union of {', '.join(sorted(kinds))}")


def keywords_are_known(documents: Documents) -> Iterator[Finding]:
    """A key of a schema is a keyword or starts with x-; an unquoted comma can add other keys."""
    for schema in schemas(documents.openapi):
        for key in schema.value:
            if key not in KEYWORDS and not str(key).startswith("x-"):
                yield openapi(schema.at(key), "is not a keyword of JSON Schema or OpenAPI")


def schemas_are_described(documents: Documents) -> Iterator[Finding]:
    """Every component schema has a description, which becomes a docstring."""
    for schema in components(documents.openapi):
        if not schema.value.get("description"):
            yield openapi(schema.path, "has no description")


def properties_are_described(documents: Documents) -> Iterator[Finding]:
    """Every property has a description, except references and constants."""
    for schema in schemas(documents.openapi):
        for name, value in schema.value.get("properties", {}).items():
            if not {"description", "$ref", "const"} & value.keys():
                yield openapi(schema.at("properties", name), "has no description")


def defaults_are_described(documents: Documents) -> Iterator[Finding]:
    """A schema with a default has a description, to which the generator adds the default."""
    for schema in schemas(documents.openapi):
        parameter = bool(schema.ancestors) and "in" in schema.ancestors[-1]
        holders = (schema.value, schema.ancestors[-1]) if parameter else (schema.value,)
        if "default" in schema.value and not any("description" in holder for holder in holders):
            yield openapi(schema.path, "has a default but no description")


def schemas_have_examples(documents: Documents) -> Iterator[Finding]:
    """Every component schema has at least one example."""
    for schema in components(documents.openapi):
        if not schema.value.get("examples"):
            yield openapi(schema.path, "has no example")


def examples_validate(documents: Documents) -> Iterator[Finding]:
    """Every example of a schema or a body is valid."""
    resource = Resource.from_contents(documents.openapi, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:spec", resource)
    for path, schema, example in _examples(documents.openapi):
        validator = Draft202012Validator(
            {"$ref": f"urn:spec#{_pointer(schema)}"},
            registry=registry,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        for error in validator.iter_errors(example):
            yield openapi((*path, *error.absolute_path), error.message)


def _objects(document: Document, start: object) -> Iterator[Node]:
    """Yield the object schemas of a body, without maps with arbitrary keys."""
    names = reachable(document, start)
    for schema in components(document):
        mapping = isinstance(schema.value.get("additionalProperties"), dict)
        is_object = schema.value.get("type") == "object" or "properties" in schema.value
        if schema.path[-1] in names and is_object and not mapping:
            yield schema


def _types(schema: Document) -> set[str]:
    kind = schema.get("type", [])
    return {kind} if isinstance(kind, str) else set(kind)


def _kinds(document: Document, schema: Document) -> set[str]:
    schema = resolve(document, schema)
    kinds = _types(schema)
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        kinds |= _kinds(document, option)
    return kinds


def _examples(document: Document) -> Iterator[tuple[Path, Path, object]]:
    """Yield the path of an example, the path of its schema, and the example."""
    for schema in schemas(document):
        for position, example in enumerate(schema.value.get("examples", ())):
            yield schema.at("examples", position), schema.path, example
    for top in ("paths", "components"):
        for holder in walk(document[top], (top,)):
            if isinstance(holder.value.get("schema"), dict):
                for name, example in holder.value.get("examples", {}).items():
                    yield holder.at("examples", name), holder.at("schema"), example["value"]


def _pointer(path: Path) -> str:
    """Return the JSON Pointer of a path, as the fragment of a URI."""
    return "".join(f"/{quote(str(key).replace('~', '~0').replace('/', '~1'))}" for key in path)


GRADES = ("documented", "documented-excerpt", "sdk", "live", "third-party", "inferred")
SOURCE = re.compile(r"(?P<key>[A-Z][A-Z-]*) \((?P<grade>[a-z-]+)([ ,;][^()]*)?\)")
CONSTRAINTS = (
    "default",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxContains",
    "maximum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "minContains",
    "minimum",
    "minItems",
    "minLength",
    "minProperties",
    "multipleOf",
    "pattern",
    "uniqueItems",
)


def sources_are_graded(documents: Documents) -> Iterator[Finding]:
    """Every x-source is a list of `KEY (grade, remark)` with known keys and grades."""
    known = documents.openapi.get("x-sources", {})
    for node in walk(documents.openapi):
        source = node.value.get("x-source", [])
        path = node.at("x-source")
        if not isinstance(source, list):
            yield openapi(path, "is not a list")
            continue
        for entry in source:
            match = SOURCE.fullmatch(entry) if isinstance(entry, str) else None
            if match is None:
                yield openapi(path, f"{entry!r} does not have the form KEY (grade, remark)")
            elif match["key"] not in known:
                yield openapi(path, f"{match['key']} is not among x-sources")
            elif match["grade"] not in GRADES:
                yield openapi(path, f"{entry!r} does not begin with a known grade")


def sources_are_used(documents: Documents) -> Iterator[Finding]:
    """Every source is used."""
    used = set()
    for node in walk(documents.openapi):
        source = node.value.get("x-source")
        for entry in source if isinstance(source, list) else ():
            used.add(str(entry).partition(" ")[0])
    for key in documents.openapi.get("x-sources", {}):
        if key not in used:
            yield openapi(("x-sources", key), "is not used by any x-source")


def constraints_have_sources(documents: Documents) -> Iterator[Finding]:
    """Every limit, enum and default has an x-source, on its schema or on one that contains it."""
    for schema in schemas(documents.openapi):
        if not any("x-source" in holder for holder in (schema.value, *schema.ancestors)):
            for key in CONSTRAINTS:
                if key in schema.value:
                    yield openapi(schema.at(key), "has no source")
